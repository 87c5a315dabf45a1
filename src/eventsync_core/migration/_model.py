from collections import Counter
from collections.abc import Callable, Mapping, Sequence

import attrs

from eventsync_core.codec import MOST_ITEMS, read_document, write_document
from eventsync_core.errors import SourceError
from eventsync_core.events import FAMILIES, Families
from eventsync_core.legacy import Became, Brought, Noted, Resolution, RowKey, SetAside, Source
from eventsync_core.migration._body_rows import BODIES

OnRow = Callable[[Source, RowKey, str, Became | Brought], None]
"""
Is told of each row its stable key and what became of it, once that is stored.

Not of one that this is on record of from an earlier migration.
"""


def _understood(words: Mapping[str, str]) -> Mapping[str, Resolution]:
    return {event_id: Resolution(word) for event_id, word in words.items()}


@attrs.frozen(kw_only=True)
class MigrationRules:
    """
    What an operator wants of a migration.

    Events that name no project go to the stream of *project*, else to `unassigned`. With
    `keep_sources` nothing is deleted from old files. `resolve_all` and, winning over it,
    `resolve` by event id settle conflicts. With `take_quarantined` rows that hold no event leave
    their source too: the store has their bytes. `actor` is who decides.

    Raises:
        ValueError: A word is no resolution.
    """

    families: Families = FAMILIES
    project: str | None = None
    keep_sources: bool = False
    take_quarantined: bool = False
    resolve_all: Resolution | None = attrs.field(
        default=None, converter=attrs.converters.optional(Resolution)
    )
    resolve: Mapping[str, Resolution] = attrs.field(factory=dict, converter=_understood)
    actor: str = "operator"

    def resolution(self, name: str, part: str = "") -> Resolution | None:
        """
        Return what is to be decided of a conflict over an event, or a row of *part*; or None.

        A body is not decided with `keep-source`: one key has one content, for it holds its hash.
        """
        found = self.resolve.get(name, self.resolve_all)
        return None if part == BODIES and found is Resolution.KEEP_SOURCE else found


@attrs.define(kw_only=True)
class SourceReport:
    """
    What came of one source.

    `counts` has every row of events that was read once, `bodies` and `failures` those of the
    body queue and of its failure log, `targets` and `deliveries` those of old records. `removed`
    rows left the source, or would; `rows_left` are in it then, None where that was not seen.
    `error` is why it could not be read whole, or not be cleaned up; `kept_because` why no row may
    leave it, if any were to. `unfinished` is the row that holds no event yet: it stays whatever
    the rules say. `is_unchanged`: nothing was done since it last held nothing new.
    `was_read`: to its end.
    """

    source: Source
    counts: Counter[Became] = attrs.field(factory=Counter)
    bodies: Counter[Became] = attrs.field(factory=Counter)
    failures: Counter[Became] = attrs.field(factory=Counter)
    targets: Counter[Brought] = attrs.field(factory=Counter)
    deliveries: Counter[Brought] = attrs.field(factory=Counter)
    held: int = 0
    removed: int = 0
    rows_left: int | None = None
    is_blocked: bool = False
    is_unchanged: bool = False
    was_read: bool = False
    error: SourceError | None = None
    kept_because: str = ""
    other: Mapping[str, int] = attrs.field(factory=dict)
    fingerprint: str = ""
    ranges: dict[str, tuple[int, int]] = attrs.field(factory=dict)
    resolved: list[RowKey] = attrs.field(factory=list)
    quarantined: list[RowKey] = attrs.field(factory=list)
    unfinished: RowKey | None = None

    def unchanged_since(self, noted: Noted) -> None:
        """Note that nothing was read, because everything is as it was noted."""
        self.is_unchanged = True
        self.rows_left = noted.rows_left
        found = read_document(noted.became) if noted.became else {}
        for name, counts in self._by_name().items():
            counts.update({Became(word): count for word, count in found.get(name, {}).items()})

    def left(self, *kinds: Became) -> str:
        """Return as JSON how many rows of *kinds* there are, for a later `unchanged_since`."""
        found: dict[str, Counter[str]] = {}
        for name, counts in self._by_name().items():
            found[name] = Counter()
            for became in kinds:
                # What is imported now is known then.
                word = Became.DEDUPLICATED if became is Became.IMPORTED else became
                found[name][word.value] += counts[became]
        return write_document({name: dict(+counts) for name, counts in found.items() if +counts})

    def _by_name(self) -> Mapping[str, Counter[Became]]:
        return {"events": self.counts, "bodies": self.bodies, "body_failures": self.failures}

    def forget(self) -> None:
        """Note that nothing came of any row so far."""
        for counts in (self.counts, self.bodies, self.failures, self.ranges):
            counts.clear()
        self.resolved.clear()
        self.quarantined.clear()
        self.unfinished = None
        self.held = 0

    @property
    def rows(self) -> int:
        """How many rows were read."""
        records = self.targets.total() + self.deliveries.total()
        return records + sum(self.of_all(became) for became in Became)

    def of_all(self, became: Became) -> int:
        """Return of how many rows of any part that became."""
        return self.counts[became] + self.bodies[became] + self.failures[became]

    def note(self, key: RowKey, became: Became) -> None:
        """Note which rows were read, and which of them were set aside."""
        first, last = self.ranges.get(key.part, (key.row, key.row))
        self.ranges[key.part] = min(first, key.row), max(last, key.row)
        if became is Became.QUARANTINED:
            self.quarantined.append(key)
        elif became is Became.RESOLVED:
            self.resolved.append(key)


@attrs.define(kw_only=True)
class Migration:
    """
    What a migration did, or with `is_preview` would do.

    `conflicts` are those that nobody has resolved, on record before or not; `quarantined` are
    rows read now that hold no event, of which `quarantined_left` stay in their source.
    `refused_targets` are old ids of targets, each with why it can be none; `unknown_statuses`
    words of old ledgers that say nothing. `not_in_conflict` are events that were to be decided
    about, and are in no conflict. Lists have at most 1,000 items, the counts are exact.
    """

    is_preview: bool
    sources: list[SourceReport] = attrs.field(factory=list)
    conflicts: list[SetAside] = attrs.field(factory=list)
    conflict_count: int = 0
    quarantined: list[SetAside] = attrs.field(factory=list)
    quarantined_count: int = 0
    quarantined_left: int = 0
    refused_targets: list[tuple[str, str]] = attrs.field(factory=list)
    refused_target_count: int = 0
    unknown_statuses: set[str] = attrs.field(factory=set)
    not_in_conflict: set[str] = attrs.field(factory=set)

    def count(self, became: Became) -> int:
        """Return of how many rows of events that became."""
        return sum(each.counts[became] for each in self.sources)

    @property
    def removed(self) -> int:
        """How many rows left their source."""
        return sum(each.removed for each in self.sources)

    @property
    def failed_sources(self) -> Sequence[SourceReport]:
        """The sources that could not be read whole, or not be cleaned up."""
        return [each for each in self.sources if each.error is not None]

    @property
    def unfinished(self) -> int:
        """How many rows wait for their end, in files that rows may leave."""
        return sum(
            each.unfinished is not None and not each.source.kind.is_kept for each in self.sources
        )

    @property
    def is_clean(self) -> bool:
        """Every row was imported, now or before, and nothing stands in the way of anything."""
        return not (self.conflict_count or self.quarantined_left or self.failed_sources)

    def quarantine(self, row: SetAside) -> None:
        """Note a row that holds no event."""
        self.quarantined_count += 1
        if len(self.quarantined) < MOST_ITEMS:
            self.quarantined.append(row)

    def refuse_target(self, alias: str, why: str) -> None:
        """Note that what an old program called *alias* can be no target."""
        self.refused_target_count += 1
        if len(self.refused_targets) < MOST_ITEMS:
            self.refused_targets.append((alias, why))
