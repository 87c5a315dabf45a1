"""Rows of the body queue become bodies of the store, and refusals part of its failure log."""

from collections.abc import Sequence

import attrs

from eventsync_core.bodies import Added, Bodies, BodyUpload, UploadFailure, reconcile
from eventsync_core.ids import stream_key
from eventsync_core.legacy import UNASSIGNED, Became, Noted, Provenance, SetAside, Source, Why
from eventsync_core.migration._body_rows import JudgedBody, name_of
from eventsync_core.migration._model import MigrationRules
from eventsync_core.stores import Stores

_DIVERGENT = "other content under the key of a stored body"


@attrs.define
class BodyMerging:
    """Decides over bodies and failures as `Merging` does over events."""

    stores: Stores | None
    rules: MigrationRules
    is_preview: bool
    _seen: dict[str, BodyUpload] = attrs.field(factory=dict)

    def merge(self, source: Source, rows: Sequence[JudgedBody], *, at: int) -> list[Became]:
        """Return what became of *rows*; all of that is stored, or none of it."""
        if self.is_preview or self.stores is None:
            return [self._merge_one(source, each, at) for each in rows]
        with self.stores.atomic():
            self.stores.legacy.note(Noted(source=source), at=at)
            return [self._merge_one(source, each, at) for each in rows]

    def _merge_one(self, source: Source, each: JudgedBody, at: int) -> Became:
        if each.upload is not None:
            became = self._upload(source, each, each.upload, at)
        elif each.failure is not None:
            became = self._fail(source, each, each.failure)
        else:
            became = Became.QUARANTINED
        if not self.is_preview and self.stores is not None:
            if became in (Became.IMPORTED, Became.DEDUPLICATED):
                self.stores.legacy.take([_provenance(source, each, at)])
            else:
                self.stores.legacy.set_aside([self.aside(source, each, at)])
        return became

    def _upload(self, source: Source, each: JudgedBody, upload: BodyUpload, at: int) -> Became:
        name = name_of(upload.key)
        stored = self._seen.get(name) or self._bodies_get(upload)
        added = Added.STORED if stored is None else reconcile(stored, upload)[0]
        if added is Added.CONFLICT:
            return self._conflict(source, each)
        if self.is_preview or self.stores is None:
            self._seen[name] = stored or upload
        else:
            project = (self.rules.project or "").strip() or UNASSIGNED
            self.stores.bodies.add(stream_key(upload.key.project_uuid, project), upload, at=at)
        return Became.IMPORTED if added is Added.STORED else Became.DEDUPLICATED

    def _bodies_get(self, upload: BodyUpload) -> BodyUpload | None:
        return None if self.stores is None else self.stores.bodies.get(upload.key)

    def _conflict(self, source: Source, each: JudgedBody) -> Became:
        if self.rules.resolution(each.name) is not None:
            return Became.RESOLVED
        if self.stores is not None:
            aside = self.stores.legacy.aside_of(source.path, [each.key]).get(each.key)
            if aside is not None and aside.resolution:
                return Became.RESOLVED
        return Became.CONFLICT

    def _fail(self, source: Source, each: JudgedBody, failure: UploadFailure) -> Became:
        """Add what the log of the source counts beyond what was taken of that row before."""
        before = self._taken_before(source, each)
        more = failure.count - before
        if more <= 0:
            return Became.DEDUPLICATED
        if not self.is_preview and self.stores is not None:
            _log(self.stores.bodies, failure, more)
        return Became.IMPORTED

    def _taken_before(self, source: Source, each: JudgedBody) -> int:
        if self.stores is None:
            return 0
        row = each.key.row
        taken = self.stores.legacy.taken(source.path, each.key.part, after=row - 1, upto=row)
        return max((one.retry_count or 0 for one in taken if one.event_id == each.name), default=0)

    def aside(self, source: Source, each: JudgedBody, at: int) -> SetAside:
        """Return the row as it is set aside, with its bytes."""
        raw = each.row.raw
        return SetAside(
            path=source.path,
            key=each.key,
            event_id=each.name,
            why=each.why or Why.CONFLICT,
            detail=each.detail or _DIVERGENT,
            size=len(raw),
            at=at,
            raw=raw,
        )


def _log(bodies: Bodies, failure: UploadFailure, more: int) -> None:
    bodies.log(attrs.evolve(failure, count=more))


def _provenance(source: Source, each: JudgedBody, at: int) -> Provenance:
    count = each.failure.count if each.failure is not None else None
    return Provenance(
        path=source.path,
        key=each.key,
        event_id=each.name,
        queued_at=each.upload.created_at if each.upload is not None else None,
        retry_count=each.upload.retry_count if each.upload is not None else count,
        taken_at=at,
    )
