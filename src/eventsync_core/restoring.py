"""What holds in a store that stands where another stood: nothing is sent by surprise."""

from collections.abc import Iterator
from contextlib import suppress

import attrs

from eventsync_core.egress import Grant, GrantAct, GrantVerb
from eventsync_core.errors import OF_ODD_VALUES, StoreUnreadableError
from eventsync_core.journal import Journal
from eventsync_core.ledger import Busy
from eventsync_core.stores import Stores

__all__ = [
    "RESTORED",
    "Settled",
    "holds_something",
    "left_behind",
    "settle",
    "who_sends",
    "would_settle",
]

_PAGE = 1_000
_UNKNOWN = (StoreUnreadableError, *OF_ODD_VALUES)
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
    also where it was given anew since; what *restored* itself knows to have ended, and to be
    given anew, is not meant. One that rests already keeps its reason.
    What cannot be read of *before*, or is odd there, is not known: the grant rests.
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
                actor=_text(end.actor),
                reason=_text(end.reason),
                at=min(end.at, at),
            )
    return found


def left_behind(restored: Journal, before: Journal) -> int | None:
    """Return how many events *before* holds that *restored* does not know; None: not known."""
    with suppress(*_UNKNOWN):
        known = {head.stream: head.position for head in restored.heads()}
        return sum(
            restored.find(event_id) is None
            for head in before.heads()
            for event_id in _ids(before, head.stream, _shared(restored, before, head.stream, known))
        )
    return None


def holds_something(stores: Stores) -> bool:
    """Say whether anything is in *stores*, or cannot be read."""
    with suppress(*_UNKNOWN):
        return any(
            (
                stores.journal.heads(),
                stores.bodies.head(),
                stores.bodies.failures(limit=1),
                stores.targets.targets(),
                stores.legacy.sources(),
                stores.audit.rows(limit=1),
                stores.payloads.purges(limit=1),
            )
        )
    return True


def who_sends(stores: Stores, *, at: int) -> tuple[str, Busy] | None:
    """Return a stream that is sent just now, and by whom; what cannot be read is left out."""
    with suppress(*_UNKNOWN):
        targets = list(stores.targets.targets())
        for head in stores.journal.heads():
            for target in targets:
                with suppress(*_UNKNOWN):
                    busy = stores.desk.busy(target.target_id, head.stream, at=at)
                    if busy is not None:
                        return head.stream, busy
    return None


def _live(restored: Stores, before: Stores | None) -> Iterator[tuple[Grant, GrantAct | None]]:
    """Yield each live grant, with what ended it in *before* if anything did."""
    for target in restored.targets.targets():
        known = {_deed(act) for act in _ends(restored, target.target_id)}
        ends = [] if before is None else _ends(before, target.target_id)
        for grant in restored.grants.grants(target.target_id):
            if grant.is_live:
                yield grant, next((end for end in ends if _is_over(grant, end, known)), None)


def _is_over(grant: Grant, end: GrantAct, known: set[tuple[object, ...]]) -> bool:
    # A clock may be set back, so that times do not say what came first. Two stores that went
    # their own ways count generations of their own.
    is_unknown = end.generation >= grant.generation or _deed(end) not in known
    return end.stream == grant.stream and is_unknown


def _ends(stores: Stores, target_id: str) -> list[GrantAct]:
    """Return each end of a grant to the target that its acts or its row tell, newest first."""
    found: list[GrantAct] = []
    with suppress(*_UNKNOWN):
        acts = stores.grants.acts(target_id, limit=stores.grants.act_count(target_id))
        found += [act for act in acts if act.act is GrantVerb.REVOKED]
    with suppress(*_UNKNOWN):
        grants = stores.grants.grants(target_id)
        found += [_as_act(each, each.revoked_at) for each in grants if each.revoked_at is not None]
    return [end for end in found if {type(end.at), type(end.generation)} == {int}]


def _as_act(grant: Grant, at: int) -> GrantAct:
    return GrantAct(
        number=0,
        stream=grant.stream,
        act=GrantVerb.REVOKED,
        at=at,
        actor=grant.revoked_by,
        reason=grant.revoked_reason,
        from_position=grant.from_position,
        generation=grant.generation,
    )


def _deed(act: GrantAct) -> tuple[object, ...]:
    return act.stream, act.at, act.actor, act.reason


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


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
