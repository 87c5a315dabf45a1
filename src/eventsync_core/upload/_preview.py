"""What an upload would do, by looking at every body."""

from collections.abc import Sequence

import attrs

from eventsync_core.bodies import LONGEST_WAIT, Listed, UploadState, covers, flaw_of
from eventsync_core.egress import Refusal
from eventsync_core.receivers import Gate
from eventsync_core.stores import Stores
from eventsync_core.upload._reopen import each_body
from eventsync_core.upload._standing import refusal_of


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
        for listed in each_body(stores, target_id, stream):
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
