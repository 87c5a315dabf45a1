"""What old files still hold of a project whose content is erased here."""

from collections.abc import Iterable, Sequence
from itertools import islice

import attrs

from eventsync_core.errors import SourceError
from eventsync_core.events import FAMILIES
from eventsync_core.ids import stream_key
from eventsync_core.legacy import (
    UNASSIGNED,
    Became,
    Decision,
    Judged,
    Kind,
    Noted,
    OldDelivery,
    Source,
    SourceRow,
    belongs,
    judge,
    row_belongs,
)
from eventsync_core.migration._body_rows import JudgedBody, judge_body
from eventsync_core.migration._columns import TableRow
from eventsync_core.migration._guarding import guarding
from eventsync_core.migration._merging import aside_of
from eventsync_core.migration._past_port import OldRecords, OldTable
from eventsync_core.migration._past_rows import read_delivery, read_settled
from eventsync_core.migration._port import OldSource
from eventsync_core.payloads import erased_at
from eventsync_core.stores import Stores

_AT_ONCE = 500


def is_nameless(stores: Stores | None, path: str, each: JudgedBody) -> bool:
    """Say whether the body in a row of the source, which names no project, was erased with one."""
    if stores is None or each.upload is None or each.upload.key.project_uuid.strip():
        return False
    number = each.key.row
    known = stores.legacy.taken(path, each.key.part, after=number - 1, upto=number)
    return any(row.key == each.key and not row.event_id for row in known)


def find_left(
    stores: Stores, sources: Sequence[OldSource], records: Sequence[OldRecords], project: str
) -> list[str]:
    """
    Return the paths of old files that hold content of *project*, a stream's name.

    Rows are its own as `row_belongs` says, or as they would be imported. A file that cannot be
    read whole may hold some, too. Nothing is stored.
    """
    looking = _Looking(
        stores,
        project,
        {head.stream for head in stores.journal.heads()},
        is_erased=project in erased_at(stores.payloads),
    )
    noted = {each.source.path: each for each in stores.legacy.sources()}
    found = [
        old.source
        for old in sources
        if not _is_emptied(old, noted.get(old.source.path)) and looking.is_in_source(old)
    ]
    tables = [table for each in records for table in (each.ledger, each.audit)]
    found += [old.source for old in tables if old is not None and looking.is_in_table(old)]
    return sorted({source.path for source in found})


def _is_emptied(old: OldSource, noted: Noted | None) -> bool:
    """Say whether it is as it was when no row was left in it."""
    if noted is None or noted.rows_left:
        return False
    return bool(noted.fingerprint) and old.fingerprint() == noted.fingerprint


@attrs.frozen
class _Looking:
    stores: Stores
    project: str
    streams: set[str]
    is_erased: bool

    def is_in_source(self, old: OldSource) -> bool:
        try:
            with guarding(old.source), old.reading() as reading:
                is_there = self._is_any(old.source, reading.events())
                found = (self._is_body(old.source, row) for row in reading.bodies())
                return is_there or any(found) or bool(reading.damage)
        except SourceError:
            return True

    def is_in_table(self, old: OldTable) -> bool:
        try:
            with guarding(old.source), old.reading() as reading:
                if old.source.kind is Kind.AUDIT:
                    is_there = self._is_any(old.source, map(read_settled, reading.rows()))
                else:
                    is_there = any(map(self._is_word, map(read_delivery, reading.rows())))
                return is_there or bool(reading.damage)
        except SourceError:
            return True

    def _is_any(self, source: Source, rows: Iterable[SourceRow]) -> bool:
        left = (judge(row, families=FAMILIES, project=None) for row in rows)
        while some := list(islice(left, _AT_ONCE)):
            named = [_id_of(each) for each in some]
            stored = self.stores.legacy.stored([event_id for event_id in named if event_id])
            for each in some:
                known = stored.get(_id_of(each))
                where = (each.stream or None) if known is None else known.stream
                row = aside_of(source, Decision(each, Became.QUARANTINED), at=0)
                if row_belongs(row, row.raw, where, self.project, self.streams):
                    return True
        return False

    def _is_body(self, source: Source, row: TableRow) -> bool:
        each = judge_body(row)
        read = each.upload or each.failure
        if read is None:
            aside = SourceRow(part=row.part, row=row.row, event_id=None, raw=row.raw)
            return self._is_any(Source(path="", kind=Kind.QUEUE), [aside])
        if read.key.project_uuid.strip():
            return stream_key(read.key.project_uuid) == self.project
        # It is of the project that it was imported under.
        if is_nameless(self.stores, source.path, each):
            return self.is_erased
        known = None if each.upload is None else self.stores.bodies.find(read.key)
        return self.project == (UNASSIGNED if known is None else known.body.stream)

    def _is_word(self, old: OldDelivery) -> bool:
        known = self.stores.legacy.stored([old.event_id]) if old.error else {}
        return any(belongs(name, each.stream, self.project) for name, each in known.items())


def _id_of(each: Judged) -> str:
    return (each.row.event_id if each.event is None else each.event.event_id) or ""
