"""Letting bodies go to a target again, by looking at every body."""

from collections import Counter
from collections.abc import Iterator, Sequence

import attrs

from eventsync_core.bodies import Listed, UploadState, covers, reopened
from eventsync_core.egress import Grant
from eventsync_core.ledger import Act
from eventsync_core.stores import Stores

_PAGE = 1_000
_ANY = frozenset(UploadState)


@attrs.frozen(kw_only=True)
class BodyOrder:
    """
    What `actor` asks of a target's bodies: those of which all that is said here holds.

    `act` decides which it is for; `states` are those that are meant; `numbers` (empty: any) name
    bodies; `reason` stands in the words of the last answer, whatever the case of letters; added
    not before `added_from` and before `added_until`.
    """

    act: Act
    target_id: str
    actor: str
    states: frozenset[UploadState] = _ANY
    numbers: frozenset[int] = frozenset()
    reason: str = ""
    added_from: int | None = None
    added_until: int | None = None


@attrs.define
class BodyAccount:
    """
    What came of an order, or would come of it.

    `changed` counts bodies by the state that stood before. The others that were meant are left
    as they are: `not_granted`, `already_due`, or `already_there` at the target; `unmatched` are
    numbers of no body.
    """

    changed: Counter[UploadState] = attrs.field(factory=Counter)
    not_granted: int = 0
    already_due: int = 0
    already_there: int = 0
    unmatched: tuple[int, ...] = ()


def each_body(stores: Stores, target_id: str, stream: str) -> Iterator[Listed]:
    """Yield every body of *stream*, or of all, with its standing at the target."""
    after = 0
    while True:
        page = stores.bodies.page(target_id, stream, after=after, limit=_PAGE)
        yield from page
        if len(page) < _PAGE:
            return
        after = page[-1].body.number


def reopen_bodies(
    stores: Stores, order: BodyOrder, streams: Sequence[str] = (), *, at: int, dry_run: bool = False
) -> BodyAccount:
    """
    Do what *order* asks with the bodies of *streams*, by default of all, and say what came of it.

    They are due at once, and how they stood until then stays on record; so does the failure log.
    All of it is one unit of work; with *dry_run* it is counted only.

    Raises:
        UnknownTargetError: The target was never registered.
    """
    if dry_run:
        return _choose(stores, order, streams, at)[0]
    with stores.atomic():
        account, chosen = _choose(stores, order, streams, at)
        for name in sorted({listed.body.stream for listed in chosen}):
            stores.bodies.owe(order.target_id, name)
        for listed in chosen:
            stores.bodies.reopen(
                order.target_id, listed.body.number, order.act, actor=order.actor, at=at
            )
    return account


def _choose(
    stores: Stores, order: BodyOrder, streams: Sequence[str], at: int
) -> tuple[BodyAccount, list[Listed]]:
    stores.targets.get(order.target_id)
    grants = {grant.stream: grant for grant in stores.grants.grants(order.target_id)}
    account, chosen, left = BodyAccount(), list[Listed](), set(order.numbers)
    for stream in streams or ("",):
        for listed in each_body(stores, order.target_id, stream):
            if not _is_meant(order, listed):
                continue
            left.discard(listed.body.number)
            if _sift(account, order, listed, grants.get(listed.body.stream), at):
                chosen.append(listed)
    account.unmatched = tuple(sorted(left))
    return account, chosen


def _is_meant(order: BodyOrder, listed: Listed) -> bool:
    body, standing = listed.body, listed.standing
    return (
        (not order.numbers or body.number in order.numbers)
        and standing.state in order.states
        and order.reason.casefold() in standing.last_error.casefold()
        and (order.added_from is None or body.added_at >= order.added_from)
        and (order.added_until is None or body.added_at < order.added_until)
    )


def _sift(
    account: BodyAccount, order: BodyOrder, listed: Listed, grant: Grant | None, at: int
) -> bool:
    """Say whether the body goes again, and count it either way."""
    if reopened(listed.standing, order.act, at=at) is None:
        account.already_there += listed.standing.state.is_there
        account.already_due += listed.standing.state is UploadState.QUEUED
        return False
    if grant is None or not grant.is_live or not covers(grant, listed.body):
        account.not_granted += 1
        return False
    account.changed[listed.standing.state] += 1
    return True
