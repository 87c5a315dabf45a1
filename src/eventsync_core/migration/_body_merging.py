"""Rows of the body queue become bodies of the store, and refusals part of its failure log."""

from collections.abc import Mapping, Sequence
from contextlib import nullcontext

import attrs

from eventsync_core.bodies import Added, BodyUpload, UploadFailure, reconcile
from eventsync_core.ids import stream_key
from eventsync_core.legacy import UNASSIGNED, Became, Noted, Provenance, SetAside, Source, Why
from eventsync_core.migration._body_rows import JudgedBody
from eventsync_core.migration._columns import digest_of, pieces_of
from eventsync_core.migration._counting import uncounted
from eventsync_core.migration._model import MigrationRules
from eventsync_core.migration._of_project import is_nameless
from eventsync_core.payloads import erased_at
from eventsync_core.stores import Stores

_DIVERGENT = "other content under the key of a stored body"


@attrs.define
class BodyMerging:
    """Decides over bodies and failures as `Merging` does over events."""

    stores: Stores | None
    rules: MigrationRules
    is_preview: bool
    _seen: dict[str, BodyUpload] = attrs.field(factory=dict)
    _counted: dict[str, list[Provenance]] = attrs.field(factory=dict)
    _new: list[tuple[str, BodyUpload | None]] = attrs.field(factory=list)
    _erased_at: Mapping[str, int] = attrs.field(factory=dict)

    def forget(self) -> None:
        """Let a preview know nothing of what it would import since `remember`."""
        for name, before in reversed(self._new):
            if name in self._counted:
                self._counted[name].pop()
            elif before is None:
                del self._seen[name]
            else:
                self._seen[name] = before
        self._new.clear()

    def remember(self) -> None:
        """Keep what a preview would import, whatever comes of later rows."""
        self._new.clear()

    def merge(self, source: Source, rows: Sequence[JudgedBody], *, at: int) -> list[Became]:
        """Return what became of *rows*; all of that is stored, or none of it."""
        if self.stores is None:
            return [self._merge_one(source, each, at) for each in rows]
        with nullcontext() if self.is_preview else self.stores.atomic():
            self._erased_at = erased_at(self.stores.payloads)
            if not self.is_preview:
                self.stores.legacy.note(Noted(source=source), at=at)
            return [self._merge_one(source, each, at) for each in rows]

    def _merge_one(self, source: Source, each: JudgedBody, at: int) -> Became:
        is_erased = self._is_erased(source, each)
        if is_erased:
            became = Became.DEDUPLICATED
        elif each.upload is not None:
            became = self._upload(source, each, each.upload, at)
        elif each.failure is not None:
            became = self._fail(source, each, each.failure, at)
        else:
            became = Became.QUARANTINED
        if not self.is_preview and self.stores is not None:
            if became in (Became.IMPORTED, Became.DEDUPLICATED):
                origin = _provenance(source, each, at)
                self.stores.legacy.take([origin.nameless() if is_erased else origin])
            else:
                self.stores.legacy.set_aside([self.aside(source, each, at)])
        return became

    def _is_erased(self, source: Source, each: JudgedBody) -> bool:
        """Say whether a purge erased it, or its project since, and it is not here again."""
        if each.failure is not None:
            erased = self._erased_at.get(each.failure.key.project_uuid)
            return erased is not None and each.failure.last_failed_at <= erased
        if each.upload is None or each.upload.key.name in self._seen:
            return False
        erased = self._erased_at.get(self._stream_of(each.upload))
        is_old = erased is not None and each.upload.created_at <= erased
        is_gone = is_old or is_nameless(self.stores, source.path, each)
        return is_gone and self._bodies_get(each.upload) is None

    def _stream_of(self, upload: BodyUpload) -> str:
        project = (self.rules.project or "").strip() or UNASSIGNED
        return stream_key(upload.key.project_uuid, project)

    def _upload(self, source: Source, each: JudgedBody, upload: BodyUpload, at: int) -> Became:
        name = upload.key.name
        seen = self._seen.get(name)
        stored = self._bodies_get(upload) if seen is None else None
        if seen is not None:
            added = reconcile(seen, _without_content(upload))[0]
        else:
            added = Added.STORED if stored is None else reconcile(stored, upload)[0]
        if added is Added.CONFLICT:
            return self._conflict(source, each)
        if self.is_preview or self.stores is None:
            self._new.append((name, seen))
            self._seen[name] = seen or _without_content(stored or upload)
        else:
            self.stores.bodies.add(self._stream_of(upload), upload, at=at)
        return Became.IMPORTED if added is Added.STORED else Became.DEDUPLICATED

    def _bodies_get(self, upload: BodyUpload) -> BodyUpload | None:
        return None if self.stores is None else self.stores.bodies.get(upload.key)

    def _conflict(self, source: Source, each: JudgedBody) -> Became:
        if self.rules.resolution(each.name, each.key.part) is not None:
            return Became.RESOLVED
        if self.stores is not None:
            aside = self.stores.legacy.aside_of(source.path, [each.key]).get(each.key)
            if aside is not None and aside.resolution:
                return Became.RESOLVED
        return Became.CONFLICT

    def _fail(self, source: Source, each: JudgedBody, failure: UploadFailure, at: int) -> Became:
        """Add what the log of the source counts beyond what was taken of that row before."""
        known = [] if self.stores is None else self.stores.legacy.provenance(each.name)
        more = uncounted(failure, [*known, *self._counted.get(each.name, ())])
        if self.is_preview or self.stores is None:
            self._counted.setdefault(each.name, []).append(_provenance(source, each, at))
            self._new.append((each.name, None))
        elif more:
            self.stores.bodies.log(attrs.evolve(failure, count=more))
        return Became.IMPORTED if more else Became.DEDUPLICATED

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


def _without_content(upload: BodyUpload) -> BodyUpload:
    """Return what tells *upload* from another; a preview keeps no contents."""
    return attrs.evolve(upload, content=digest_of(pieces_of(upload.content)).hex())


def _provenance(source: Source, each: JudgedBody, at: int) -> Provenance:
    failure, upload = each.failure, each.upload
    first = None if failure is None else failure.first_failed_at
    count = None if failure is None else failure.count
    return Provenance(
        path=source.path,
        key=each.key,
        event_id=each.name,
        queued_at=first if upload is None else upload.created_at,
        retry_count=count if upload is None else upload.retry_count,
        taken_at=at,
        beside=each.beside,
    )
