from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence

import attrs

from eventsync_core.clock import Clock
from eventsync_core.errors import StoreFullError, StoreUnreadableError
from eventsync_core.journal import Head, heads_of, is_astray, windows
from eventsync_core.payloads import Deed, Kept
from eventsync_core.retention._choice import Choice, Stay, targets_of, why_stays
from eventsync_core.stores import Stores

_POSITIONS_AT_ONCE = 500
_BYTES_AT_ONCE = 8 * 1024 * 1024


@attrs.define
class Collected:
    """
    What went, or would go: `purged` payloads with `size` bytes of text; and why others stayed.

    `targets` are those that had to have the last of the events. `owed` says, by target id, how
    many of what went each one could still have been sent.
    """

    targets: frozenset[str]
    purged: int = 0
    size: int = 0
    stayed: Counter[Stay] = attrs.field(factory=Counter)
    streams: Counter[str] = attrs.field(factory=Counter)
    owed: Counter[str] = attrs.field(factory=Counter)

    def add(self, stream: str, events: int, size: int) -> None:
        """Count payloads of *stream* that went."""
        self.purged += events
        self.size += size
        self.streams[stream] += events


def preview(stores: Stores, choice: Choice, stream: str | None, *, at: int) -> Collected:
    """
    Say what `collect` would do now; nothing changes.

    Raises:
        UnknownTargetError: A target that was named is not registered.
        StoreUnreadableError: Which entries are the last ones cannot be told.
    """
    found = Collected(targets_of(stores, choice))
    for head in heads_of(stores.journal, stream):
        for chosen in _chosen(stores, choice, head, found, at=at):
            found.owed += owed(stores, head, chosen)
            found.add(head.stream, len(chosen), sum(kept.size for kept in chosen))
    return found


def collect(
    stores: Stores,
    choice: Choice,
    stream: str | None,
    deed: Deed,
    clock: Clock,
    *,
    progress: Callable[[int], None] | None = None,
) -> Collected:
    """
    Let the payloads go that *choice* means in *stream*, or with None in all, and say how many.

    Only what every target has, and at least one: without targets nothing goes, and nothing that
    is in flight by *clock*; requests of senders that are gone are closed as drains do. They go in
    units of at most 500 events and 8 MiB, in smaller ones on a disk that is nearly full; what is
    begun again goes on where it stopped.

    Raises:
        UnknownTargetError: A target that was named is not registered; nothing changed.
        StoreError: The store cannot be used; what went before stays on record.
    """
    done = Collected(targets_of(stores, choice))
    for head in heads_of(stores.journal, stream):
        for chosen in _chosen(stores, choice, head, done, at=clock()):
            for piece in pieces(chosen):
                purge(stores, choice, head, [kept.position for kept in piece], deed, clock, done)
                if progress is not None:
                    progress(done.purged)
    return done


def purge(
    stores: Stores,
    choice: Choice,
    head: Head,
    positions: Sequence[int],
    deed: Deed,
    clock: Clock,
    done: Collected,
    *,
    include: bool = False,
) -> list[Kept]:
    """
    Let those of *positions*, which rise, go that still may; return them.

    In one unit of work, or where the disk has no room for that in ever smaller ones.
    """
    try:
        return _purge_at_once(stores, choice, head, positions, deed, clock, done, include=include)
    except StoreFullError:
        if len(positions) == 1 or stores.is_in_unit:
            raise
    half = len(positions) // 2
    parts = (positions[:half], positions[half:])
    return [
        kept
        for part in parts
        for kept in purge(stores, choice, head, part, deed, clock, done, include=include)
    ]


def _purge_at_once(
    stores: Stores,
    choice: Choice,
    head: Head,
    positions: Sequence[int],
    deed: Deed,
    clock: Clock,
    done: Collected,
    *,
    include: bool,
) -> list[Kept]:
    wanted = set(positions)
    with stores.atomic():
        # They may have been opened again since they were looked at, or there is a new target.
        found = Collected(targets_of(stores, choice))
        # Nobody may note later that a sender was gone who carried what goes now.
        at = clock()
        stores.leases.give_up(head.stream, at=at)
        in_flight = stores.leases.in_flight(head.stream, at=at)
        now = stores.payloads.kept(head.stream, after=positions[0] - 1, upto=positions[-1])
        still = [kept for kept in now if kept.position in wanted]
        chosen = list(going(still, choice, head, found, in_flight, include=include))
        lost = owed(stores, head, chosen)
        went = stores.payloads.purge(head.stream, [kept.position for kept in chosen], deed)
    done.targets = found.targets
    done.stayed += found.stayed
    done.owed += lost
    done.add(head.stream, *went)
    return chosen


def _chosen(
    stores: Stores, choice: Choice, head: Head, found: Collected, *, at: int
) -> Iterator[list[Kept]]:
    """Yield what may go of a stream, page by page; what stays is counted."""
    check_last(stores, choice, head)
    in_flight = stores.leases.in_flight(head.stream, at=at)
    for page in pages(stores, head.stream, head.position):
        chosen = list(going(page, choice, head, found, in_flight))
        if chosen:
            yield chosen


def check_last(stores: Stores, choice: Choice, head: Head) -> None:
    """
    Check that the last entries of a stream can be told, where they are not meant.

    Raises:
        StoreUnreadableError: The head is not the position of the last entry.
    """
    if choice.keep and is_astray(stores.journal, head):
        message = f"the head of stream {head.stream} is not the position of its last entry"
        raise StoreUnreadableError(f"the database is damaged: {message}")


def going(
    page: Iterable[Kept],
    choice: Choice,
    head: Head,
    found: Collected,
    in_flight: Collection[int],
    *,
    include: bool = False,
) -> Iterator[Kept]:
    """Yield what may go of *page*, with *include* what is undelivered too; count what stays."""
    for kept in page:
        why = why_stays(kept, choice, found.targets, head=head.position, in_flight=in_flight)
        if why is None or (include and why is Stay.UNDELIVERED):
            yield kept
        else:
            found.stayed[why] += 1


def owed(stores: Stores, head: Head, chosen: Sequence[Kept]) -> Counter[str]:
    """Return how many of *chosen*, which are there, may still be sent to each target."""
    found = Counter[str]()
    for target in stores.targets.targets():
        name = target.target_id
        lacking = [kept.position for kept in chosen if name not in kept.delivered_to]
        if lacking:
            found[name] = len(stores.backlog.deliverable(name, head.stream, lacking))
    return +found


def pages(stores: Stores, stream: str, last: int) -> Iterator[list[Kept]]:
    """Yield the entries of a stream whose payload is there, up to the *last*, page by page."""
    for after, upto in windows(stores.journal, stream, upto=last, size=_POSITIONS_AT_ONCE):
        yield stores.payloads.kept(stream, after=after, upto=upto)


def pieces(page: Sequence[Kept]) -> Iterator[list[Kept]]:
    """Cut *page* so that each piece holds at most 8 MiB of text, but at least one entry."""
    piece: list[Kept] = []
    size = 0
    for kept in page:
        if piece and size + kept.size > _BYTES_AT_ONCE:
            yield piece
            piece, size = [], 0
        piece.append(kept)
        size += kept.size
    if piece:
        yield piece
