from typing import Any

import attrs
import click

from eventsync_cli.acting import acting
from eventsync_cli.choosing import target_document
from eventsync_cli.commands.journal_list import entry_document
from eventsync_cli.compose import App
from eventsync_cli.render import Result, listing
from eventsync_cli.succession import succession_document, succession_lines, succession_of
from eventsync_core.clock import iso_time
from eventsync_core.codec import MOST_ITEMS
from eventsync_core.errors import UnknownEventError
from eventsync_core.journal import Entry
from eventsync_core.ledger import HistoryItem, LedgerEntry
from eventsync_core.stores import Stores
from eventsync_core.targets import Target


@attrs.frozen
class _Standing:
    """How the entry stands with one target, and what that target said of it."""

    target: Target
    entry: LedgerEntry | None
    history: list[HistoryItem]


@acting("show")
@click.argument("event_id")
def command(app: App, event_id: str) -> Result:
    """Show the event EVENT_ID: its exact text, and what each target said of it."""
    with app.reading() as stores:
        entry = None if stores is None else stores.journal.find(event_id)
        if stores is None or entry is None:
            raise UnknownEventError(event_id)
        standings = _standings(stores, entry)
        succession = succession_of(stores, entry)
    return Result(
        document={
            **entry_document(entry),
            "digest": entry.event.digest.hex(),
            "canonical_digest": entry.event.canonical_digest.hex(),
            "chain": entry.chain.hex(),
            "text": entry.event.text,
            **succession_document(succession),
            "targets": [_document(each) for each in standings[:MOST_ITEMS]],
            "targets_count": len(standings),
        },
        lines=[
            *_lines(entry),
            *succession_lines(succession),
            *(line for each in standings for line in _said(each)),
        ],
        talk=app.concerns(),
    )


def _standings(stores: Stores, entry: Entry) -> list[_Standing]:
    history = stores.ledger.history(entry.stream, entry.position)
    return [
        _Standing(
            target,
            stores.ledger.entry(target.target_id, entry.stream, entry.position),
            [item for item in history if item.target_id == target.target_id],
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
    }


def _item(item: HistoryItem) -> dict[str, Any]:
    return {
        "at": iso_time(item.at),
        "outcome": item.outcome.value,
        "reason": item.reason,
        "category": item.category,
        "request_id": item.request_id,
    }


def _lines(entry: Entry) -> list[str]:
    event = entry.event
    pairs = [
        ("Event", event.event_id),
        ("Stream", f"{entry.stream}:{entry.position}"),
        ("Captured at", iso_time(entry.captured_at)),
        ("Digest", event.digest.hex()),
    ]
    if event.hold is not None:
        pairs.append(("Held", f"{event.hold}: {event.hold_reason or ''}"))
    return [*listing(pairs), event.text]


def _said(standing: _Standing) -> list[str]:
    row = standing.entry
    outcome = "never offered" if row is None or row.outcome is None else row.outcome.value
    attempts = 0 if row is None else row.attempts
    return [
        f"  {standing.target.url}  {outcome}  attempts {attempts}",
        *(
            f"      {iso_time(item.at)}  {item.outcome}  {item.reason}".rstrip()
            for item in standing.history
        ),
    ]
