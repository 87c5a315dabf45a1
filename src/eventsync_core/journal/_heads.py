from collections.abc import Iterator

from eventsync_core.journal._model import Head
from eventsync_core.journal._port import Journal

_LAST = (1 << 63) - 1


def heads_of(journal: Journal, stream: str | None) -> list[Head]:
    """
    Return the heads of streams that hold events: that of *stream*, or with None of all.

    They are also those of streams whose head says, untruly, that there are none.
    """
    return [
        head
        for head in journal.heads()
        if stream in (None, head.stream)
        and (head.position > 0 or journal.positions(head.stream, limit=1))
    ]


def is_astray(journal: Journal, head: Head) -> bool:
    """Say whether *head*, of a stream that holds events, is not the position of its last entry."""
    found = journal.positions(head.stream, after=head.position - 1, limit=2)
    if found == [head.position]:
        return False
    # Something may have been appended since the head was read.
    now = max((each.position for each in heads_of(journal, head.stream)), default=0)
    return found[:1] != [head.position] or found[-1] > now


def reach(journal: Journal, head: Head) -> int:
    """Return up to which position the stream of *head* is looked at; one astray bounds nothing."""
    return _LAST if is_astray(journal, head) else head.position


def windows(journal: Journal, stream: str, *, upto: int, size: int) -> Iterator[tuple[int, int]]:
    """
    Yield above and up to which position to look for the entries up to *upto*, *size* at a time.

    Where no entry is, no window is, however far the next one stands.
    """
    after = 0
    while page := journal.positions(stream, after=after, limit=size):
        after = page[-1]
        if page[0] <= upto:
            yield page[0] - 1, min(after, upto)
        if after >= upto:
            return
