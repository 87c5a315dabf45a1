"""What two stores must agree on, in words that compare."""

from typing import Any, NamedTuple

import attrs

from eventsync_core.census import Class
from eventsync_core.egress import Grant, GrantAct
from eventsync_core.journal import Entry, Head, chain_next, chain_start
from eventsync_core.ledger import Act, HistoryItem, Holding, Lane, LedgerEntry, Link, Request
from eventsync_core.policy import AuditRecord
from eventsync_core.stores import Stores


class TargetView(NamedTuple):
    """All that one store says of one target and stream."""

    classes: dict[Class, int]
    is_coherent: bool
    captured: int
    gone: int
    rows: list[LedgerEntry | None]
    requests: list[Request]
    grant: Grant | None
    acts: list[GrantAct]
    last_delivery_at: int | None
    oldest_owed_at: int | None


def view_of(stores: Stores, target_id: str, stream: str, *, at: int) -> TargetView:
    """Return all that *stores* says of that target and stream at that time."""
    tally = stores.backlog.tally(target_id, stream, at=at)
    entries = stores.journal.entries(stream)
    return TargetView(
        tally.classes(),
        tally.is_coherent,
        tally.captured,
        tally.gone,
        [stores.ledger.entry(target_id, stream, entry.position) for entry in entries],
        stores.ledger.requests(target_id, stream),
        stores.grants.get(target_id, stream),
        stores.grants.acts(target_id),
        stores.ledger.last_delivery_at(target_id),
        stores.measures.oldest_owed_at(target_id, stream),
    )


class StreamView(NamedTuple):
    """All that one store says of one stream, whatever the target."""

    entries: list[Entry]
    history: list[list[HistoryItem]]
    holdings: list[list[Holding]]
    links: list[list[Link]]


def stream_of(stores: Stores, stream: str) -> StreamView:
    """Return all that *stores* says of that stream."""
    entries = stores.journal.entries(stream)
    positions = [entry.position for entry in entries]
    return StreamView(
        entries,
        [stores.ledger.history(stream, position) for position in positions],
        [stores.holds.holdings(stream, position) for position in positions],
        [list(stores.superseding.supersedes(stream, position)) for position in positions],
    )


def audit_of(stores: Stores) -> list[AuditRecord]:
    """Return all that *stores* says was dropped; its count is checked."""
    rows = stores.audit.rows(limit=1 << 40)
    assert len(rows) == stores.audit.count()
    return rows


def lost_of(stores: Stores, target_id: str, stream: str) -> set[int]:
    """Return the deliverable positions that no selection would ever find."""
    backlog, most = stores.backlog, 1 << 40
    positions = [entry.position for entry in stores.journal.entries(stream)]
    found, _ = backlog.tail(target_id, stream, max_events=1_000, max_bytes=most)
    for lane in Lane:
        found += backlog.due(
            target_id, stream, lane, now=1 << 62, after=(-1, 0), max_events=1_000, max_bytes=most
        )
    selected = {candidate.position for candidate in found}
    return backlog.deliverable(target_id, stream, positions) - selected


def forgotten_of(
    view: TargetView, history: list[list[HistoryItem]], target_id: str, delivered: set[int]
) -> set[int]:
    """Return those of *delivered*, positions from 1, of which no delivery is on record."""
    return {
        position
        for position in delivered
        if not _is_delivered(view.rows[position - 1])
        and not any(
            item.act is Act.DELIVERED_BEFORE and item.target_id == target_id
            for item in history[position - 1]
        )
    }


def delivered_of(view: TargetView) -> set[int]:
    """Return the positions, from 1, that are delivered."""
    return {position for position, row in enumerate(view.rows, start=1) if _is_delivered(row)}


def _is_delivered(row: LedgerEntry | None) -> bool:
    return row is not None and row.outcome is not None and row.outcome.is_delivered


def targets_of(stores: Stores) -> list[dict[str, Any]]:
    """Return the targets with what their comparison leaves out."""
    return [attrs.asdict(target) for target in stores.targets.targets()]


def verified_head(stream: str, entries: list[Entry], *, lamport: int) -> Head:
    """Return the head that *entries* must have; their positions and chain are checked."""
    chain = chain_start(stream)
    for position, entry in enumerate(entries, start=1):
        chain = chain_next(chain, position, entry.event.event_id, entry.event.digest)
        assert (stream, position, chain) == (entry.stream, entry.position, entry.chain)
    return Head(stream, len(entries), chain, lamport)
