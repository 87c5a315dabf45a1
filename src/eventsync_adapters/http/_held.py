from collections.abc import Iterator
from urllib.parse import urlsplit

import attrs

from eventsync_adapters.http._transport import Transport
from eventsync_core.codec import read_document
from eventsync_core.errors import NotToldError
from eventsync_core.integrity import Held
from eventsync_core.targets import is_loopback

_LIMIT = 1_000
_MOST_PAGES = 10_000_000


@attrs.frozen
class HeldReader:
    """What `eventsync serve` at *url* holds; nobody on another machine is asked."""

    url: str
    transport: Transport

    def held(self) -> Iterator[Held]:
        """See `Holder.held`."""
        if not is_loopback(self.url):
            raise NotToldError("only an eventsync serve on this machine tells what it holds")
        parts = urlsplit(self.url)
        place = f"{parts.scheme}://{parts.netloc}/held"
        after = 0
        for _ in range(_MOST_PAGES):
            page, following = self._page(f"{place}?after={after}&limit={_LIMIT}")
            yield from page
            if following is None or following <= after:
                return
            after = following

    def _page(self, url: str) -> tuple[list[Held], int | None]:
        answer = self.transport.get(url, {})
        if answer.status != 200 or not answer.is_whole:
            said = f"it answered {answer.status}" if answer.status else "nothing answered"
            raise NotToldError(f"{self.url} does not tell what it holds: {said}")
        try:
            document = read_document(answer.body)
            following = document["next_after"]
            page = [
                Held(str(each["event_id"]), bytes.fromhex(each["canonical_digest"] or ""))
                for each in document["held"]
            ]
            return page, None if following is None else int(following)
        except (ValueError, KeyError, TypeError) as error:
            message = f"{self.url} does not tell what it holds: it is no eventsync serve"
            raise NotToldError(message) from error
