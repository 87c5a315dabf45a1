from collections import defaultdict
from collections.abc import Iterable

import attrs

from eventsync_core.codec import MOST_ITEMS
from eventsync_core.journal import Entry, windows
from eventsync_core.receivers import Outcome
from eventsync_core.stores import Stores

_PAGE = 1_000
_DELIVERED = frozenset({Outcome.SUCCESS, Outcome.DUPLICATE})


@attrs.frozen
class Held:
    """An event that a receiver holds: its id, and the digest of its canonical form there."""

    event_id: str
    canonical_digest: bytes


@attrs.frozen(kw_only=True)
class Reconciliation:
    """
    What a target holds, against what the ledger says of it.

    `agreed` are held and noted as delivered. `missing` are noted as delivered and not held,
    `unnoted` held and not noted as delivered, `different` held with other content; `unknown`
    are held and were never captured here. Of each list the first ids are kept, with the counts
    of all.
    """

    agreed: int = 0
    missing: tuple[str, ...] = ()
    missing_count: int = 0
    unnoted: tuple[str, ...] = ()
    unnoted_count: int = 0
    different: tuple[str, ...] = ()
    different_count: int = 0
    unknown: int = 0

    @property
    def is_agreed(self) -> bool:
        """Both say the same of every event that was captured here."""
        return not (self.missing_count or self.unnoted_count or self.different_count)


@attrs.define
class _Names:
    """The first of some ids, and how many there are."""

    first: list[str] = attrs.field(factory=list)
    count: int = 0

    def add(self, event_id: str) -> None:
        self.count += 1
        if len(self.first) < MOST_ITEMS:
            self.first.append(event_id)


@attrs.define
class _Seen:
    """Which positions were seen: a byte for each, in pieces, so that a gap takes no room."""

    pieces: defaultdict[tuple[str, int], bytearray] = attrs.field(
        factory=lambda: defaultdict(lambda: bytearray(_PAGE))
    )

    def add(self, stream: str, position: int) -> None:
        self.pieces[stream, position // _PAGE][position % _PAGE] = 1

    def has(self, stream: str, position: int) -> bool:
        piece = self.pieces.get((stream, position // _PAGE))
        return piece is not None and piece[position % _PAGE] == 1


def reconcile(stores: Stores, target_id: str, held: Iterable[Held], *, at: int) -> Reconciliation:
    """
    Compare what the target holds with what the ledger says of it; nothing is changed.

    Contents are compared by their canonical form, in which local-only keys are left out.
    """
    heads = {head.stream: head.position for head in stores.journal.heads()}
    seen = _Seen()
    agreed = unknown = 0
    missing, unnoted, different = _Names(), _Names(), _Names()
    for each in held:
        entry = _entry(stores, each.event_id)
        if entry is None or entry.position > heads.get(entry.stream, 0):
            unknown += 1
            continue
        if seen.has(entry.stream, entry.position):
            continue
        seen.add(entry.stream, entry.position)
        row = stores.ledger.entry(target_id, entry.stream, entry.position)
        if entry.event.canonical_digest != each.canonical_digest:
            different.add(each.event_id)
        elif row is None or row.outcome not in _DELIVERED:
            unnoted.add(each.event_id)
        else:
            agreed += 1
    for stream, head in heads.items():
        for after, upto in windows(stores.journal, stream, upto=head, size=_PAGE):
            for standing in stores.desk.standings(
                target_id, stream, _DELIVERED, after=after, upto=upto, at=at
            ):
                if not seen.has(stream, standing.position):
                    missing.add(standing.event_id)
    return Reconciliation(
        agreed=agreed,
        missing=tuple(missing.first),
        missing_count=missing.count,
        unnoted=tuple(unnoted.first),
        unnoted_count=unnoted.count,
        different=tuple(different.first),
        different_count=different.count,
        unknown=unknown,
    )


def _entry(stores: Stores, event_id: str) -> Entry | None:
    place = stores.inspection.place(event_id)
    if place is None:
        return None
    found = stores.journal.entries(place.stream, after=place.position - 1, limit=1)
    return found[0] if found else None
