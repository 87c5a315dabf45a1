from collections.abc import Iterator, Sequence
from typing import NamedTuple

from eventsync_core.clock import Clock
from eventsync_core.desk._model import PAGE, Account, Order, Selection, matches, skipped
from eventsync_core.errors import NotGrantedError
from eventsync_core.journal import windows
from eventsync_core.ledger import Act, Busy, Holder, Lease, Standing, is_for
from eventsync_core.receivers import Outcome
from eventsync_core.stores import Stores

_DELIVERED = frozenset({Outcome.SUCCESS, Outcome.DUPLICATE})


class _Reach(NamedTuple):
    """The position above which a stream is granted, and its head at the beginning."""

    above: int
    head: int


def reopen(
    stores: Stores, order: Order, streams: Sequence[str], *, clock: Clock, holder: Holder
) -> Account:
    """
    Do what *order* asks with the entries of *streams*, and say what came of it.

    The lease of each stream is taken meanwhile, so that no drain runs; where somebody else has
    it, nothing of the stream changes. A replay of everything settles what was noted as a reset
    of the target. Entries change in pages, each a unit of work: an act
    that is interrupted has changed whole pages only, and can be begun again.

    Raises:
        NotGrantedError: One of *streams* is not granted to the target; nothing changed.
        UnknownTargetError: The target was never registered.
        StoreError: The store cannot be used; the pages that were changed stay so.
    """
    reaches = _reaches(stores, order.target_id, streams)
    account = Account()
    for stream, reach in reaches.items():
        with stores.atomic():
            lease = stores.leases.acquire(order.target_id, stream, holder, at=clock())
        if isinstance(lease, Busy):
            account.busy[stream] = lease
            continue
        try:
            _reopen_stream(stores, order, lease, reach, clock, account)
        finally:
            with stores.atomic():
                stores.leases.release(lease)
    if _settles(stores, order, streams, account):
        account.settled = settle(stores, order.target_id)
    return account


def settle(stores: Stores, target_id: str) -> bool:
    """
    Forget that the target was reset, for an operator has dealt with it; say whether it was.

    Raises:
        UnknownTargetError: The target was never registered.
    """
    was_reset = stores.targets.get(target_id).reset is not None
    if was_reset:
        stores.targets.settle_reset(target_id)
    return was_reset


def _settles(stores: Stores, order: Order, streams: Sequence[str], account: Account) -> bool:
    """Say whether all that was delivered to the target was asked for again, and is owed."""
    chosen = order.selection
    whole = chosen == Selection(outcomes=chosen.outcomes) and chosen.outcomes >= _DELIVERED
    granted = {each.stream for each in stores.grants.grants(order.target_id) if each.is_live}
    return (
        order.act is Act.DELIVERED_BEFORE and whole and granted <= set(streams) and not account.busy
    )


def preview(stores: Stores, order: Order, streams: Sequence[str], *, clock: Clock) -> Account:
    """
    Say what `reopen` would do now; nothing changes.

    Raises:
        NotGrantedError: One of *streams* is not granted to the target.
        UnknownTargetError: The target was never registered.
    """
    reaches = _reaches(stores, order.target_id, streams)
    account = Account()
    for stream, reach in reaches.items():
        busy = stores.desk.busy(order.target_id, stream, at=clock())
        if busy is not None:
            account.busy[stream] = busy
            continue
        for page in _pages(stores, order, stream, reach.head, clock):
            account.changed.update(
                standing.row.outcome
                for standing in _sift(page, order, (stream, reach.above), account)
                if standing.row.outcome
            )
    if _settles(stores, order, streams, account):
        account.settled = stores.targets.get(order.target_id).reset is not None
    return account


def _reaches(stores: Stores, target_id: str, streams: Sequence[str]) -> dict[str, _Reach]:
    """Return how far each stream is meant."""
    target = stores.targets.get(target_id)
    heads = {head.stream: head.position for head in stores.journal.heads()}
    found = {}
    for stream in streams:
        grant = stores.grants.get(target_id, stream)
        if grant is None or not grant.is_live:
            raise NotGrantedError(stream, target_id, target.url)
        found[stream] = _Reach(grant.from_position, heads.get(stream, 0))
    return found


def _reopen_stream(
    stores: Stores, order: Order, lease: Lease, reach: _Reach, clock: Clock, account: Account
) -> None:
    for page in _pages(stores, order, lease.stream, reach.head, clock):
        chosen = {
            each.position: each for each in _sift(page, order, (lease.stream, reach.above), account)
        }
        if not chosen:
            continue
        with stores.atomic():
            renewed = stores.leases.renew(lease, at=clock())
            if renewed is None:
                busy = stores.desk.busy(lease.target_id, lease.stream, at=clock())
                account.busy[lease.stream] = busy or Busy(lease.holder, lease.expires_at)
                return
            done = stores.desk.reopen(
                renewed, chosen.keys(), order.act, actor=order.actor, at=clock()
            )
        before = (chosen[position].row.outcome for position in done)
        account.changed.update(outcome for outcome in before if outcome)


def _sift(
    page: Sequence[Standing], order: Order, place: tuple[str, int], account: Account
) -> Iterator[Standing]:
    """Yield what can be offered, of a stream and above a position; the rest is counted."""
    stream, reach = place
    for standing in page:
        if order.selection.positions is not None:
            account.found.add((stream, standing.position))
        why = skipped(standing, reach=reach)
        if why is None:
            yield standing
        else:
            account.skip(why)


def _pages(
    stores: Stores, order: Order, stream: str, head: int, clock: Clock
) -> Iterator[list[Standing]]:
    """Yield what is meant of the stream up to *head*, page by page of positions."""
    chosen = order.selection
    for after, upto in _spans(stores, chosen, stream, head):
        found = stores.desk.standings(
            order.target_id, stream, chosen.outcomes, after=after, upto=upto, at=clock()
        )
        yield [
            standing
            for standing in found
            if matches(chosen, stream, standing) and is_for(order.act, standing.row)
        ]


def _spans(stores: Stores, chosen: Selection, stream: str, head: int) -> Iterator[tuple[int, int]]:
    """Yield after and up to which position to look."""
    if chosen.positions is not None:
        for where, position in sorted(chosen.positions):
            if where == stream:
                yield position - 1, position
        return
    yield from windows(stores.journal, stream, upto=head, size=PAGE)
