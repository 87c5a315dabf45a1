"""Rules for what old programs left, the same for a preview and for the act."""

from collections.abc import Collection, Iterable
from hashlib import sha256

import attrs

from eventsync_core.codec import has_lone_surrogates
from eventsync_core.errors import MissingEventIdError, NotJsonError
from eventsync_core.events import Families, Hold, as_family_says, decode_text, read_event
from eventsync_core.ids import one_line, stream_key
from eventsync_core.legacy._model import (
    Became,
    Decision,
    Judged,
    RowKey,
    Seen,
    SourceRow,
    Stored,
    Why,
)

UNASSIGNED = "unassigned"
_LONGEST = 200
_UNFINISHED = "; no newline ends it, so more may be written to it"


def judge(row: SourceRow, *, families: Families, project: str | None) -> Judged:
    """
    Read the event in *row*, exactly as it stands there, or say why it holds none.

    Its stream is that of its own project, else of the one that stands beside it, else of
    *project*, else `unassigned`. Lone surrogates, repeated keys and deep nesting make it an event
    with the hold `invalid`.
    """
    judged = _judge(row, families, project)
    if judged.event is None and row.is_unfinished:
        return attrs.evolve(judged, detail=judged.detail + _UNFINISHED)
    return judged


def _judge(row: SourceRow, families: Families, project: str | None) -> Judged:
    if row.damage:
        return Judged(row, row.key, None, why=Why.NOT_UNDERSTOOD, detail=row.damage)
    try:
        text = decode_text(row.raw)
    except NotJsonError as error:
        return Judged(row, row.key, None, why=Why.NOT_UTF8, detail=error.message)
    try:
        event = read_event(text)
    except MissingEventIdError as error:
        return Judged(row, row.key, None, why=Why.NO_EVENT_ID, detail=error.message)
    except NotJsonError as error:
        return Judged(row, row.key, None, why=Why.NOT_JSON, detail=error.message)
    # With nothing beside it the digest of the row is that of the event, which was just computed.
    key = row.key if row.beside else RowKey(row.part, row.row, event.digest)
    if row.event_id is not None and row.event_id != event.event_id:
        beside = one_line(row.event_id, _LONGEST)
        detail = f"the event is {event.event_id}, the row says {beside!r}"
        return Judged(row, key, None, why=Why.OTHER_ID, detail=detail)
    if event.hold is None and has_lone_surrogates(text):
        event = attrs.evolve(event, hold=Hold.INVALID, hold_reason="it holds a lone surrogate")
    named = (row.project or "").strip() or (project or "").strip()
    stream = stream_key(event.project, named or UNASSIGNED)
    return Judged(row, key, as_family_says(event, families), stream)


def decide(
    judged: Iterable[Judged], known: Seen, *, settled: Collection[RowKey] = ()
) -> list[Decision]:
    """
    Say what is to become of each row, in order.

    An id that is not in *known* is imported once. Under a known id, canonically equal content
    is another provenance, anything else a conflict; one whose row is in *settled* was resolved
    before. Nothing in the journal changes.
    """
    here: dict[str, bytes] = {}
    return [_decide(each, known, here, settled) for each in judged]


def _decide(
    each: Judged, known: Seen, here: dict[str, bytes], settled: Collection[RowKey]
) -> Decision:
    event = each.event
    if event is None:
        return Decision(each, Became.QUARANTINED)
    existing = known.get(event.event_id) or here.get(event.event_id)
    if existing is None:
        here[event.event_id] = event.canonical_digest
        return Decision(each, Became.IMPORTED)
    if existing == event.canonical_digest:
        return Decision(each, Became.DEDUPLICATED, existing)
    became = Became.RESOLVED if each.key in settled else Became.CONFLICT
    return Decision(each, became, existing)


def is_safe(stored: Stored | None) -> bool:
    """Say whether the journal holds the event whole, or has purged it on purpose."""
    if stored is None:
        return False
    return stored.text is None or sha256(stored.text.encode()).digest() == stored.digest
