"""What holds in a store that stands where another stood: nothing is sent by surprise."""

from collections.abc import Iterator

import attrs

from eventsync_core.egress import Grant
from eventsync_core.journal import Journal
from eventsync_core.stores import Stores

__all__ = ["RESTORED", "Settled", "left_behind", "settle", "would_settle"]

_PAGE = 1_000
RESTORED = "restored from a backup"
"""Why a grant rests that came with a backup: only an operator who names it ends that."""


@attrs.frozen(kw_only=True)
class Settled:
    """How many grants rest from now on, and how many are over."""

    resting: int = 0
    revoked: int = 0


def would_settle(restored: Stores, before: Stores | None) -> Settled:
    """Return what `settle` would do; nothing is changed."""
    ends = [end for _, end in _live(restored, before)]
    revoked = sum(end is not None for end in ends)
    return Settled(resting=len(ends) - revoked, revoked=revoked)


def settle(restored: Stores, before: Stores | None, *, actor: str, at: int) -> Settled:
    """
    Let every live grant of *restored* rest until an operator resumes it; return what was done.

    A grant that was ended in *before*, the store that stood there, is ended in *restored* too,
    unless *restored* knows it to be given anew since. One that rests already keeps its reason.
    """
    with restored.atomic():
        found = would_settle(restored, before)
        for grant, end in list(_live(restored, before)):
            if end is None:
                restored.grants.pause(
                    grant.target_id, grant.stream, grant.paused or RESTORED, actor=actor, at=at
                )
                continue
            restored.grants.revoke(
                grant.target_id,
                grant.stream,
                actor=end.revoked_by,
                reason=end.revoked_reason,
                at=end.revoked_at or at,
            )
    return found


def left_behind(restored: Journal, before: Journal) -> int:
    """Return how many events *before* holds that *restored* does not know."""
    known = {head.stream: head.position for head in restored.heads()}
    return sum(
        restored.find(event_id) is None
        for head in before.heads()
        for event_id in _ids(before, head.stream, _shared(restored, before, head.stream, known))
    )


def _live(restored: Stores, before: Stores | None) -> Iterator[tuple[Grant, Grant | None]]:
    """Yield each live grant, with the one that ends it if there is one."""
    for target in restored.targets.targets():
        for grant in restored.grants.grants(target.target_id):
            if grant.is_live:
                yield grant, _end(grant, before)


def _end(grant: Grant, before: Stores | None) -> Grant | None:
    later = None if before is None else before.grants.get(grant.target_id, grant.stream)
    if later is None or later.revoked_at is None or later.revoked_at < grant.granted_at:
        return None
    return later


def _shared(restored: Journal, before: Journal, stream: str, known: dict[str, int]) -> int:
    """Return up to which position both hold the same; the chain proves all before it."""
    position = known.get(stream, 0)
    if not position:
        return 0
    pair = [each.entries(stream, after=position - 1, limit=1) for each in (restored, before)]
    if all(pair) and pair[0][0].chain == pair[1][0].chain:
        return position
    return 0


def _ids(journal: Journal, stream: str, after: int) -> Iterator[str]:
    while page := journal.entries(stream, after=after, limit=_PAGE):
        yield from (entry.event.event_id for entry in page)
        after = page[-1].position
