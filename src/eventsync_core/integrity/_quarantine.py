from collections.abc import Callable, Sequence

import attrs

from eventsync_core.errors import StoreUnreadableError, UnknownEventError
from eventsync_core.events import Hold
from eventsync_core.inspection import Place
from eventsync_core.integrity._model import Verification
from eventsync_core.integrity._verify import flaw_of, verify
from eventsync_core.journal import FAR, BadPosition, Flaw, Head
from eventsync_core.stores import Stores

_ALL = 1 << 40
_AT_ONCE = 500


@attrs.frozen(kw_only=True)
class Damage:
    """
    Damaged entries as they may be set aside.

    `found` are those by stream, `held` of them are held already and stay so. `intact` are the
    ids that were named and are not damaged.
    """

    found: tuple[tuple[str, BadPosition], ...] = ()
    held: int = 0
    intact: tuple[str, ...] = ()

    @property
    def free(self) -> int:
        """How many are not held yet."""
        return len(self.found) - self.held


def named_damage(stores: Stores, event_ids: Sequence[str]) -> Damage:
    """
    Look at the entries of *event_ids*, each once.

    Raises:
        UnknownEventError: Some are not stored; it names them.
    """
    names = list(dict.fromkeys(event_ids))
    places = {event_id: stores.inspection.place(event_id) for event_id in names}
    unknown = [event_id for event_id, place in places.items() if place is None]
    if unknown:
        raise UnknownEventError(*unknown)
    found, intact = [], []
    for event_id, place in places.items():
        finding = None if place is None else _damage_at(stores, place, event_id)
        if place is None or finding is None:
            intact.append(event_id)
        else:
            found.append((place.stream, finding))
    held = sum(_is_held(stores, stream, each.position) for stream, each in found)
    return Damage(found=tuple(found), held=held, intact=tuple(intact))


def damage_in(
    stores: Stores, heads: Sequence[Head], *, progress: Callable[[int], None] | None = None
) -> Damage:
    """Walk the streams of *heads* and return every entry in them that is damaged."""
    found = [
        (head.stream, finding)
        for head in heads
        for finding in damaged(
            verify(stores.journal, head.stream, most=_ALL, head=head, progress=progress)
        )
    ]
    held = sum(_is_held(stores, stream, each.position) for stream, each in found)
    return Damage(found=tuple(found), held=held)


def damaged(found: Verification) -> list[BadPosition]:
    """Return the findings that are damaged entries: those that can be set aside."""
    return [each for each in found.findings if each.flaw.is_of_entry]


def loose(stores: Stores, found: Verification) -> int:
    """Return how many damaged entries of the walk are not held: those `quarantine` sets aside."""
    return sum(not _is_held(stores, found.stream, each.position) for each in damaged(found))


def quarantine(stores: Stores, damage: Damage, *, actor: str, at: int) -> int:
    """
    Set the damaged entries aside, so that they are offered to nobody; return how many were free.

    What is held already stays held for its reason. Each few hundred are one unit of work.
    """
    changed = 0
    for start in range(0, len(damage.found), _AT_ONCE):
        with stores.atomic():
            for stream, finding in damage.found[start : start + _AT_ONCE]:
                changed += stores.holds.hold(
                    stream,
                    [finding.position],
                    reason=finding.reason,
                    actor=actor,
                    at=at,
                    why=Hold.QUARANTINED,
                )
    return changed


def _damage_at(stores: Stores, place: Place, event_id: str) -> BadPosition | None:
    try:
        found = stores.journal.entries(place.stream, after=place.position - 1, limit=1)
    except StoreUnreadableError as error:
        return BadPosition(place.position, Flaw.UNREADABLE, error.message, event_id)
    if not found or found[0].position != place.position:
        return BadPosition(place.position, Flaw.UNREADABLE, "its text is not there", event_id)
    chains = stores.journal.chains_before(place.stream, place.position, reach=FAR)
    flaw = flaw_of(found[0], chains)
    return flaw if flaw is not None and flaw.flaw.is_of_entry else None


def _is_held(stores: Stores, stream: str, position: int) -> bool:
    try:
        held = stores.holds.holdings(stream, position)
    except StoreUnreadableError:
        # What is said of it stays as it is, whatever it was.
        return True
    return bool(held) and held[-1].released_at is None
