from collections.abc import Callable, Iterator

import attrs

from eventsync_core.erasure import Erased
from eventsync_core.journal import heads_of, reach
from eventsync_core.ledger import Busy
from eventsync_core.legacy import row_belongs
from eventsync_core.payloads import Deed, Kept, erased_at
from eventsync_core.retention._collect import pages, pieces
from eventsync_core.stores import Stores
from eventsync_core.targets import Target

ERASED = "the reason was erased with a project"
_PAGE = 500


def plan_erasure(stores: Stores, stream: str) -> Erased:
    """Say what `erase` would do now; nothing changes."""
    payloads = sum(len(page) for page in _pages(stores, stream))
    aside = sum(1 for _ in _aside(stores, stream))
    found = stores.erasing.there(stream)
    words = found.words + sum(_words(target) for target in _granted(stores, stream))
    return attrs.evolve(found, payloads=payloads, set_aside=aside, words=words)


def is_known(stores: Stores, stream: str) -> bool:
    """Say whether the stream ever held an event, was granted to a target, or was erased."""
    heads = stores.journal.heads()
    is_held = any(head.stream == stream for head in heads) or bool(_granted(stores, stream))
    return is_held or stream in erased_at(stores.payloads)


def sender_of(stores: Stores, stream: str, *, at: int) -> Busy | None:
    """Return who is sending the stream to any target just now, or None."""
    for target in stores.targets.targets():
        busy = stores.desk.busy(target.target_id, stream, at=at)
        if busy is not None:
            return busy
    return None


def erase(
    stores: Stores,
    stream: str,
    deed: Deed,
    clock: Callable[[], int],
    *,
    progress: Callable[[int], None] | None = None,
) -> tuple[Erased, Busy | None]:
    """
    Erase all content of *stream*: payloads, provenance, rows set aside, bodies, words of targets.

    What is not a payload goes first, in one unit of work, then payloads page by page, then what
    came meanwhile. Ids, types, digests, chain and outcomes stay, and the deed is on record.
    Why a target that it was ever granted to rests or waits is erased too; that it does, stays.
    The second value is who is sending the stream just now, by *clock*: then nothing more goes.

    Raises:
        StoreError: The store cannot be used; what went before stays gone.
    """
    found, busy = _rest(stores, stream, deed, clock)
    if busy is not None:
        return found, busy
    payloads = 0
    for page in _pages(stores, stream):
        for piece in pieces(page):
            with stores.atomic():
                busy = _only_us(stores, stream, clock())
                if busy is not None:
                    return attrs.evolve(found, payloads=payloads), busy
                positions = [kept.position for kept in piece]
                payloads += stores.payloads.purge(stream, positions, deed)[0]
            if progress is not None:
                progress(payloads)
    # Somebody may have sent some of it between two pages, and was answered.
    more, busy = _rest(stores, stream, deed, clock)
    aggregates = stores.erasing.erase_aggregates(stream)
    counts = zip(attrs.fields(Erased), attrs.astuple(found), attrs.astuple(more), strict=True)
    both = Erased(**{field.name: first + second for field, first, second in counts})
    return attrs.evolve(both, payloads=payloads, aggregates=aggregates), busy


def _pages(stores: Stores, stream: str) -> Iterator[list[Kept]]:
    for head in heads_of(stores.journal, stream):
        yield from pages(stores, stream, reach(stores.journal, head))


def _rest(
    stores: Stores, stream: str, deed: Deed, clock: Callable[[], int]
) -> tuple[Erased, Busy | None]:
    """Erase what is no payload, unless somebody sends the stream."""
    aside = list(_aside(stores, stream))
    with stores.atomic():
        # To send begins with a write, so nobody does between this look and the commit.
        busy = _only_us(stores, stream, clock())
        if busy is not None:
            return Erased(), busy
        found = stores.erasing.erase(stream, aside, deed)
        words = found.words + _silence(stores, stream)
    return attrs.evolve(found, words=words, aggregates=0), None


def _only_us(stores: Stores, stream: str, at: int) -> Busy | None:
    """Return who is sending the stream; where nobody is, no request of it stays open."""
    stores.leases.give_up(stream, at=at)
    return sender_of(stores, stream, at=at)


def _silence(stores: Stores, stream: str) -> int:
    """Erase why targets of the stream rest or wait; return how many words went."""
    count = 0
    for target in _granted(stores, stream):
        count += _words(target)
        if _is_told(target.paused):
            stores.targets.pause(target.target_id, ERASED)
        for faults, keep in (
            (target.back_off, stores.targets.set_back_off),
            (target.body_back_off, stores.targets.set_body_back_off),
        ):
            if faults.reason:
                keep(target.target_id, attrs.evolve(faults, reason=""))
    return count


def _granted(stores: Stores, stream: str) -> list[Target]:
    return [
        target
        for target in stores.targets.targets()
        if stores.grants.get(target.target_id, stream) is not None
    ]


def _words(target: Target) -> int:
    reasons = (target.back_off.reason, target.body_back_off.reason)
    return _is_told(target.paused) + sum(bool(reason) for reason in reasons)


def _is_told(paused: str) -> bool:
    return paused not in ("", ERASED)


def _aside(stores: Stores, stream: str) -> Iterator[int]:
    """Yield the numbers of rows that were set aside and belong to the stream."""
    after, streams = 0, {head.stream for head in stores.journal.heads()}
    while page := stores.legacy.aside(after=after, limit=_PAGE):
        after = page[-1].number
        stored = stores.legacy.stored([row.event_id for row in page if row.event_id])
        for row in page:
            known = stored.get(row.event_id)
            raw = stores.legacy.bytes_of(row.number) or b""
            where = None if known is None else known.stream
            if row_belongs(row, raw, where, stream, streams):
                yield row.number
