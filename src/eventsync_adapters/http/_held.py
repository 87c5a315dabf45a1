from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import attrs

from eventsync_adapters.http._transport import Transport
from eventsync_core.codec import read_document
from eventsync_core.errors import NotToldError
from eventsync_core.integrity import Held
from eventsync_core.targets import is_loopback

_LIMIT = 1_000
_MOST_PAGES = 10_000_000
# 200 characters, of up to four bytes each.
_LONGEST_ID = 800


@attrs.frozen
class HeldReader:
    """What `eventsync serve` at *url* holds; nobody on another machine is asked."""

    url: str
    transport: Transport

    def held(self) -> Iterator[Held]:
        """
        Yield every event that it holds, each once.

        Raises:
            NotToldError: It does not tell.
        """
        if not is_loopback(self.url):
            raise NotToldError("only an eventsync serve on this machine tells what it holds")
        parts = urlsplit(self.url)
        place = f"{parts.scheme}://{parts.netloc}/held"
        after = 0
        for _ in range(_MOST_PAGES):
            page, following = self._page(f"{place}?after={after}&limit={_LIMIT}")
            yield from page
            if following is None:
                return
            if not page or following <= after:
                raise NotToldError(f"{self.url} broke off telling what it holds")
            after = following

    def _page(self, url: str) -> tuple[list[Held], int | None]:
        answer = self.transport.get(url, {})
        if answer.status != 200 or not answer.is_whole:
            said = f"it answered {answer.status}" if answer.status else "nothing answered"
            raise NotToldError(f"{self.url} does not tell what it holds: {said}")
        try:
            document = read_document(answer.body)
            following = document["next_after"]
            return [_held(each) for each in document["held"]], _place(following)
        except (ValueError, KeyError, TypeError) as error:
            message = f"{self.url} does not tell what it holds: it is no eventsync serve"
            raise NotToldError(message) from error


def _place(told: Any) -> int | None:
    if told is not None and type(told) is not int:
        raise TypeError("that is no place in a list")
    return told


def _held(told: Any) -> Held:
    event_id = told["event_id"]
    if type(event_id) is not str or not 0 < len(event_id.encode()) <= _LONGEST_ID:
        raise TypeError("that is no id of an event")
    return Held(event_id, bytes.fromhex(told["canonical_digest"] or ""))
