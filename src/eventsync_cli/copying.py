"""Whether a copy of a store holds together, before anyone relies on it."""

from collections.abc import Sequence

from eventsync_cli.compose import App
from eventsync_cli.compose.copies import Copy
from eventsync_cli.render import Progress
from eventsync_core.errors import BackupDamagedError, StoreUnreadableError
from eventsync_core.integrity import Verification, verify
from eventsync_core.stores import Stores

__all__ = ["checked"]


def checked(app: App, copy: Copy, stores: Stores, *, called: str, damaged: bool) -> int:
    """
    Return how many events *copy* holds, all of it read and compared with what was noted.

    Raises:
        BackupDamagedError: It does not hold together, and *damaged* ones are not wanted; it is
            spoken of as *called*.
    """
    flaw = copy.flaw()
    try:
        found = [] if flaw and not damaged else _verified(app, stores)
    except StoreUnreadableError as error:
        if not damaged:
            raise BackupDamagedError(f"{called} does not hold together: {error.message}") from error
        return 0
    flaw = flaw or _first(found)
    if flaw and not damaged:
        raise BackupDamagedError(f"{called} does not hold together: {flaw}")
    return sum(each.head for each in found)


def _verified(app: App, stores: Stores) -> list[Verification]:
    heads = [head for head in stores.journal.heads() if head.position]
    found: list[Verification] = []
    total = sum(head.position for head in heads)
    with Progress("verifying", app.clock, total=total, no_color=app.no_color) as bar:
        done = 0
        for head in heads:
            found.append(verify(stores.journal, head.stream))
            done += head.position
            bar.reach(done)
    return found


def _first(found: Sequence[Verification]) -> str:
    for each in found:
        if not each.is_intact:
            return f"stream {each.stream}, position {each.first_bad}: {each.reason}"
    return ""
