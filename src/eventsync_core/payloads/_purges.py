from eventsync_core.payloads._model import Act
from eventsync_core.payloads._port import Payloads


def erased_at(payloads: Payloads) -> dict[str, int]:
    """Return when the content of each stream was last erased on request."""
    found: dict[str, int] = {}
    after = 0
    while page := payloads.purges(after=after):
        after = page[-1].number
        for deed in (each.deed for each in page if each.deed.act is Act.PURGE):
            found[deed.detail] = max(deed.at, found.get(deed.detail, deed.at))
    return found
