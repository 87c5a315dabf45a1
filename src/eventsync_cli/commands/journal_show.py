from typing import Any

import attrs
import click

from eventsync_cli.acting import acting
from eventsync_cli.choosing import target_document
from eventsync_cli.commands.journal_list import entry_document
from eventsync_cli.compose import App
from eventsync_cli.noted import past_document
from eventsync_cli.purging import purge_document, purge_words
from eventsync_cli.render import Result, listing
from eventsync_cli.succession import succession_document, succession_lines, succession_of
from eventsync_core.clock import iso_time
from eventsync_core.codec import MOST_ITEMS, read_document
from eventsync_core.errors import UnknownEventError
from eventsync_core.ids import printable
from eventsync_core.journal import Entry, judge_text
from eventsync_core.ledger import HistoryItem, Holding, LedgerEntry, Request
from eventsync_core.legacy import Provenance
from eventsync_core.payloads import Purge
from eventsync_core.stores import Stores
from eventsync_core.targets import Target


@attrs.frozen
class _Standing:
    """How the entry stands with one target, what carried it there, and what was said of it."""

    target: Target
    entry: LedgerEntry | None
    history: list[HistoryItem]
    requests: list[Request]
    requests_count: int


@acting("show")
@click.argument("event_id")
def command(app: App, event_id: str) -> Result:
    """Show the event EVENT_ID: its exact text, and what each target said of it."""
    with app.reading() as stores:
        entry = None if stores is None else stores.journal.find(event_id)
        if stores is None or entry is None:
            raise UnknownEventError(event_id)
        standings = _standings(stores, entry)
        holdings = stores.holds.holdings(entry.stream, entry.position)
        succession = succession_of(stores, entry)
        tombstone = stores.payloads.tombstone(entry.stream, entry.position)
        origins = stores.legacy.provenance(event_id)
        before = stores.past.of(entry.stream, entry.position)
        trace = stores.traces.of(entry.stream, entry.position)
    return Result(
        document={
            **entry_document(entry),
            "digest": entry.event.digest.hex(),
            "canonical_digest": entry.event.canonical_digest.hex(),
            "chain": entry.chain.hex(),
            "text": entry.event.text if entry.has_text else None,
            "purged": None if tombstone is None else purge_document(tombstone),
            "traceparent": trace,
            **succession_document(succession),
            "came_from": [_origin(each) for each in origins[:MOST_ITEMS]],
            "came_from_count": len(origins),
            "noted_before": [past_document(each) for each in before[:MOST_ITEMS]],
            "noted_before_count": len(before),
            "holds": [_holding(each) for each in holdings[-MOST_ITEMS:]],
            "holds_count": len(holdings),
            "targets": [_document(each) for each in standings[:MOST_ITEMS]],
            "targets_count": len(standings),
        },
        lines=[
            *_lines(entry, holdings, tombstone),
            *succession_lines(succession),
            *([f"traceparent {trace}"] if trace else []),
            *(
                f"came from {printable(each.path)} {each.key.part} {each.key.row}"
                for each in origins
            ),
            *(line for each in standings for line in _said(each)),
        ],
        talk=app.concerns(),
    )


def _origin(row: Provenance) -> dict[str, Any]:
    return {
        "source": row.path,
        "part": row.key.part,
        "row": row.key.row,
        "queued_at": None if row.queued_at is None else iso_time(row.queued_at),
        "retry_count": row.retry_count,
        "beside": read_document(row.beside) if row.beside else None,
        "taken_at": iso_time(row.taken_at),
    }


def _standings(stores: Stores, entry: Entry) -> list[_Standing]:
    history = stores.ledger.history(entry.stream, entry.position)
    place = (entry.stream, entry.position)
    return [
        _Standing(
            target,
            stores.ledger.entry(target.target_id, *place),
            [item for item in history if item.target_id == target.target_id],
            *stores.desk.requests_with(target.target_id, *place, limit=MOST_ITEMS),
        )
        for target in stores.targets.targets()
    ]


def _document(standing: _Standing) -> dict[str, Any]:
    row = standing.entry
    state: dict[str, Any] = {
        "outcome": None,
        "attempts": 0,
        "rejections": 0,
        "round": 1,
        "may_have_been_seen": False,
    }
    due_at: int | None = None
    if row is not None:
        state = {
            "outcome": None if row.outcome is None else row.outcome.value,
            "attempts": row.attempts,
            "rejections": row.rejections,
            "round": row.round,
            "may_have_been_seen": row.seen,
        }
        due_at = row.due_at
    return {
        **target_document(standing.target),
        **state,
        "due_at": None if due_at is None else iso_time(due_at),
        "history": [_item(item) for item in standing.history[-MOST_ITEMS:]],
        "history_count": len(standing.history),
        "requests": [_request(request) for request in standing.requests],
        "requests_count": standing.requests_count,
    }


def _item(item: HistoryItem) -> dict[str, Any]:
    return {
        "at": iso_time(item.at),
        "outcome": item.outcome.value,
        "reason": item.reason,
        "category": item.category,
        "request_id": item.request_id,
        "act": None if item.act is None else item.act.value,
        "actor": item.actor,
    }


def _request(request: Request) -> dict[str, Any]:
    return {
        "request_id": request.request_id,
        "opened_at": iso_time(request.opened_at),
        "closed_at": None if request.closed_at is None else iso_time(request.closed_at),
        "status": request.status,
        "answer": request.answer,
        "guidance": request.guidance,
        "event_count": request.event_count,
        "body_bytes": request.body_bytes,
    }


def _holding(holding: Holding) -> dict[str, Any]:
    ended = holding.released_at
    return {
        "hold": holding.hold.value,
        "reason": holding.reason,
        "actor": holding.actor,
        "held_at": iso_time(holding.held_at),
        "released_by": holding.released_by,
        "released_at": None if ended is None else iso_time(ended),
    }


def _lines(entry: Entry, holdings: list[Holding], tombstone: Purge | None) -> list[str]:
    event = entry.event
    pairs = [
        ("Event", event.event_id),
        ("Stream", f"{entry.stream}:{entry.position}"),
        ("Captured at", iso_time(entry.captured_at)),
        ("Digest", event.digest.hex()),
    ]
    if entry.producer is not None:
        pairs.extend(
            (f"Produced by {part}", said)
            for part, said in attrs.asdict(entry.producer).items()
            if said
        )
    for holding in holdings[-MOST_ITEMS:]:
        since = f"{holding.hold}: {holding.reason}".rstrip(": ")
        pairs.append(("Held", f"{since}  since {iso_time(holding.held_at)}{_by(holding.actor)}"))
        if holding.released_at is not None:
            pairs.append(("Released", f"{iso_time(holding.released_at)}{_by(holding.released_by)}"))
    if tombstone is not None:
        return [*listing([*pairs, ("Purged", purge_words(tombstone))])]
    flaw = judge_text(entry)
    if flaw is not None:
        pairs.append(("Damaged", flaw[1]))
    return [*listing(pairs), *([event.text] if entry.has_text else [])]


def _by(actor: str) -> str:
    return f" by {actor}" if actor else ""


def _said(standing: _Standing) -> list[str]:
    row = standing.entry
    outcome = "never offered"
    if row is not None:
        outcome = "owed" if row.outcome is None else row.outcome.value
    attempts = 0 if row is None else row.attempts
    again = f"  round {row.round}" if row is not None and row.round > 1 else ""
    story = [
        *((request.opened_at, _request_line(request)) for request in standing.requests),
        *((item.at, _item_line(item)) for item in standing.history),
    ]
    story.sort(key=lambda told: told[0])
    return [
        f"  {standing.target.url}  {outcome}  attempts {attempts}{again}",
        *(f"      {iso_time(at)}  {line}".rstrip() for at, line in story),
    ]


def _request_line(request: Request) -> str:
    said = request.answer or "not answered yet"
    status = "" if request.status is None else f"{request.status} "
    size = f"events {request.event_count}  bytes {request.body_bytes}"
    return f"request {request.request_id}  {size}  {status}{said}  {request.guidance}"


def _item_line(item: HistoryItem) -> str:
    if item.act is None:
        return f"{item.outcome}  {item.reason}"
    return f"{item.act}{_by(item.actor)}, {item.outcome} until then"
