"""What an upload would do, and opening bodies again, by looking at every body."""

from collections.abc import Collection, Iterator, Sequence

import attrs

from eventsync_core.bodies import LONGEST_WAIT, Listed, UploadState, covers, flaw_of, reopened
from eventsync_core.egress import Refusal
from eventsync_core.receivers import Gate
from eventsync_core.stores import Stores
from eventsync_core.upload._standing import refusal_of

_PAGE = 1_000


@attrs.frozen(kw_only=True)
class Preview:
    """
    What an upload would select now, of streams that may go.

    `sendable` hold `content_bytes` and would be sent; `unsendable` would fail without a
    request; `waiting` are not due yet. `refusals` are why nothing of some streams would be.
    """

    sendable: int = 0
    unsendable: int = 0
    waiting: int = 0
    content_bytes: int = 0
    refusals: tuple[Refusal, ...] = ()

    @property
    def selected(self) -> int:
        """How many would be selected."""
        return self.sendable + self.unsendable


@attrs.frozen(kw_only=True)
class RetryAccount:
    """
    How many bodies go again, those that failed for good and those that waited; and the rest.

    `already_due` needed nothing, `already_there` are at the target, `unmatched` are numbers of
    no body meant.
    """

    failed: int = 0
    waiting: int = 0
    already_due: int = 0
    already_there: int = 0
    unmatched: tuple[int, ...] = ()


def _each(stores: Stores, target_id: str, stream: str) -> Iterator[Listed]:
    after = 0
    while True:
        page = stores.bodies.page(target_id, stream, after=after, limit=_PAGE)
        yield from page
        if len(page) < _PAGE:
            return
        after = page[-1].body.number


def preview(
    stores: Stores, target_id: str, streams: Sequence[str], closed: Sequence[Gate], *, at: int
) -> Preview:
    """Return what an upload of *streams* would select, with these gates closed; changes nothing."""
    found = Preview()
    for stream in streams:
        grant = stores.grants.get(target_id, stream)
        if grant is None or not grant.is_live:
            continue
        refusal = refusal_of(stores, target_id, grant, stream, closed, at=at)
        before = found
        for listed in _each(stores, target_id, stream):
            standing = listed.standing
            if standing.state is not UploadState.QUEUED or not covers(grant, listed.body):
                continue
            if at < standing.due_at <= at + LONGEST_WAIT:
                found = attrs.evolve(found, waiting=found.waiting + 1)
            else:
                found = _selected(stores, listed, found)
        if refusal is not None and found.selected > before.selected:
            waiting = found.waiting + found.selected - before.selected
            refusals = (*before.refusals, refusal)
            found = attrs.evolve(before, waiting=waiting, refusals=refusals)
    return found


def _selected(stores: Stores, listed: Listed, found: Preview) -> Preview:
    stored = stores.bodies.get(listed.body.key)
    if stored is None or flaw_of(stored):
        return attrs.evolve(found, unsendable=found.unsendable + 1)
    return attrs.evolve(
        found,
        sendable=found.sendable + 1,
        content_bytes=found.content_bytes + len(stored.content.encode()),
    )


def retry(
    stores: Stores,
    target_id: str,
    stream: str = "",
    *,
    numbers: Collection[int] = (),
    at: int,
    dry_run: bool = False,
) -> RetryAccount:
    """
    Let bodies that failed for good or wait go to the target again at once.

    Of all streams or one; with *numbers* only these. The failure log stays as it is. All of it
    is one unit of work; with *dry_run* it is counted only.

    Raises:
        UnknownTargetError: It was never registered.
    """
    if dry_run:
        return _retry(stores, target_id, stream, numbers, at)[0]
    with stores.atomic():
        account, chosen = _retry(stores, target_id, stream, numbers, at)
        for name in sorted({listed.body.stream for listed in chosen}):
            stores.bodies.owe(target_id, name)
        for listed in chosen:
            stores.bodies.note(target_id, listed.body.number, reopened(listed.standing, at=at))
    return account


def _retry(
    stores: Stores, target_id: str, stream: str, numbers: Collection[int], at: int
) -> tuple[RetryAccount, list[Listed]]:
    chosen: list[Listed] = []
    failed = due = there = 0
    left = set(numbers)
    for listed in _each(stores, target_id, stream):
        if numbers and listed.body.number not in left:
            continue
        left.discard(listed.body.number)
        if listed.standing.state.is_there:
            there += 1
        elif reopened(listed.standing, at=at) == listed.standing:
            due += 1
        else:
            chosen.append(listed)
            failed += listed.standing.state is UploadState.FAILED
    account = RetryAccount(
        failed=failed,
        waiting=len(chosen) - failed,
        already_due=due,
        already_there=there,
        unmatched=tuple(sorted(left)),
    )
    return account, chosen
