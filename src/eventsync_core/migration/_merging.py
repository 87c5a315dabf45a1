"""Rows become events of the journal, in one unit of work, or would."""

from collections.abc import Callable, Mapping, Sequence

import attrs

from eventsync_core.legacy import (
    Became,
    Decision,
    Judged,
    Kind,
    Noted,
    Provenance,
    RowKey,
    SetAside,
    Source,
    Why,
    decide,
)
from eventsync_core.migration._model import MigrationRules
from eventsync_core.stores import Stores

_DIVERGENT = "divergent canonical payload for an existing event_id"


@attrs.define
class Merging:
    """
    Decides over rows, and with `is_preview` no more than that.

    `stores` is None where there is no store yet. `on_import` is told the ids of events in the unit
    of work that stores them. What a preview would import is remembered, so
    that it decides over later rows as the act does.
    """

    stores: Stores | None
    rules: MigrationRules
    is_preview: bool
    on_import: Callable[[Sequence[str]], None] = lambda _: None
    _seen: dict[str, bytes] = attrs.field(factory=dict)
    _new: list[str] = attrs.field(factory=list)

    def forget(self) -> None:
        """Let a preview know nothing of what it would import since `remember`."""
        for event_id in self._new:
            del self._seen[event_id]
        self._new.clear()

    def remember(self) -> None:
        """Keep what a preview would import, whatever comes of later rows."""
        self._new.clear()

    @property
    def seen(self) -> Mapping[str, bytes]:
        """The canonical digests of what a preview would have imported, by id."""
        return self._seen

    def merge(self, source: Source, rows: Sequence[Judged], *, at: int) -> list[Decision]:
        """Return what became of *rows*; all of that is stored, or none of it."""
        if self.is_preview or self.stores is None:
            decisions = self._decide(source, rows)
            for each in decisions:
                if each.became is Became.IMPORTED and each.judged.event is not None:
                    event = each.judged.event
                    self._seen[event.event_id] = event.canonical_digest
                    self._new.append(event.event_id)
            return decisions
        with self.stores.atomic():
            decisions = self._decide(source, rows)
            self._store(self.stores, source, decisions, at)
        return decisions

    def _decide(self, source: Source, rows: Sequence[Judged]) -> list[Decision]:
        ids = list({each.event.event_id for each in rows if each.event is not None})
        known = {event_id: self._seen[event_id] for event_id in ids if event_id in self._seen}
        if self.stores is not None:
            for event_id, stored in self.stores.legacy.stored(ids).items():
                known[event_id] = stored.canonical_digest
        decisions = decide(rows, known)
        open_ones = [each.judged for each in decisions if each.became is Became.CONFLICT]
        if not open_ones:
            return decisions
        decisions = decide(rows, known, settled=self._settled(source, open_ones))
        return [self._resolved(each) for each in decisions]

    def _settled(self, source: Source, conflicts: Sequence[Judged]) -> set[RowKey]:
        if self.stores is None:
            return set()
        aside = self.stores.legacy.aside_of(source.path, [each.key for each in conflicts])
        settled = {key for key, row in aside.items() if row.resolution}
        if source.kind is Kind.EVENT_LOG:
            # Its lines move whenever somebody adds one above.
            settled |= {each.key for each in conflicts if self._was_settled(source, each)}
        return settled

    def _was_settled(self, source: Source, each: Judged) -> str:
        """Return what was decided of the same content on another line; empty: nothing."""
        if self.stores is None or each.event is None:
            return ""
        found = (
            row.resolution
            for row in self.stores.legacy.aside_under(each.event.event_id)
            if row.path == source.path and row.incoming == each.event.canonical_digest
        )
        return next(filter(None, found), "")

    def _settle_again(
        self, stores: Stores, source: Source, decisions: Sequence[Decision], at: int
    ) -> None:
        """Put what was decided of a content on record of the line where it stands now."""
        for each in decisions:
            if each.became is Became.RESOLVED and source.kind is Kind.EVENT_LOG:
                word = self._was_settled(source, each.judged)
                rows = stores.legacy.aside_of(source.path, [each.judged.key]).values()
                if word:
                    stores.legacy.resolve([row.number for row in rows], word, at=at)

    def _resolved(self, each: Decision) -> Decision:
        event = each.judged.event
        if each.became is not Became.CONFLICT or event is None:
            return each
        if self.rules.resolution(event.event_id) is None:
            return each
        return attrs.evolve(each, became=Became.RESOLVED)

    def _store(
        self, stores: Stores, source: Source, decisions: Sequence[Decision], at: int
    ) -> None:
        by_stream: dict[str, list[Judged]] = {}
        for each in decisions:
            if each.became is Became.IMPORTED:
                by_stream.setdefault(each.judged.stream, []).append(each.judged)
        for stream, judged in by_stream.items():
            stores.journal.append(
                stream, [each.event for each in judged if each.event is not None], at=at
            )
        stores.legacy.note(Noted(source=source), at=at)
        stores.legacy.take(
            [
                provenance_of(source, each.judged, at)
                for each in decisions
                if each.became in (Became.IMPORTED, Became.DEDUPLICATED)
            ]
        )
        stores.legacy.set_aside(
            [
                aside_of(source, each, at)
                for each in decisions
                if each.became not in (Became.IMPORTED, Became.DEDUPLICATED)
            ]
        )
        self._settle_again(stores, source, decisions, at)
        new = [
            each.judged.event.event_id
            for each in decisions
            if each.became is Became.IMPORTED and each.judged.event is not None
        ]
        if new:
            self.on_import(new)


def provenance_of(source: Source, judged: Judged, at: int) -> Provenance:
    """Return where the event in a row came from."""
    return Provenance(
        path=source.path,
        key=judged.key,
        event_id=judged.event.event_id if judged.event is not None else "",
        queued_at=judged.row.queued_at,
        retry_count=judged.row.retry_count,
        taken_at=at,
        beside=judged.row.beside,
    )


def aside_of(source: Source, decision: Decision, at: int) -> SetAside:
    """Return the row as it is set aside, with its bytes."""
    judged = decision.judged
    event = judged.event
    return SetAside(
        path=source.path,
        key=judged.key,
        event_id=(judged.row.event_id or "") if event is None else event.event_id,
        why=judged.why or Why.CONFLICT,
        detail=judged.detail or _DIVERGENT,
        size=len(judged.row.raw),
        at=at,
        existing=decision.existing,
        incoming=b"" if event is None else event.canonical_digest,
        queued_at=judged.row.queued_at,
        retry_count=judged.row.retry_count,
        beside=judged.row.beside,
        raw=judged.row.raw,
    )
