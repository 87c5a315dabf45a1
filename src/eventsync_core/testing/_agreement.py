"""What two stores must agree on, in words that compare."""

from typing import NamedTuple

from eventsync_core.census import Class
from eventsync_core.egress import Grant
from eventsync_core.journal import Entry, Head, chain_next, chain_start
from eventsync_core.ledger import HistoryItem, LedgerEntry, Link, Request
from eventsync_core.stores import Stores
from eventsync_core.targets import Deployment, Target


class TargetView(NamedTuple):
    """All that one store says of one target and stream."""

    classes: dict[Class, int]
    is_coherent: bool
    captured: int
    rows: list[LedgerEntry | None]
    requests: list[Request]
    grant: Grant | None
    last_delivery_at: int | None


def view_of(stores: Stores, target_id: str, stream: str, *, at: int) -> TargetView:
    """Return all that *stores* says of that target and stream at that time."""
    tally = stores.backlog.tally(target_id, stream, at=at)
    entries = stores.journal.entries(stream)
    return TargetView(
        tally.classes(),
        tally.is_coherent,
        tally.captured,
        [stores.ledger.entry(target_id, stream, entry.position) for entry in entries],
        stores.ledger.requests(target_id, stream),
        stores.grants.get(target_id, stream),
        stores.ledger.last_delivery_at(target_id),
    )


class StreamView(NamedTuple):
    """All that one store says of one stream, whatever the target."""

    entries: list[Entry]
    history: list[list[HistoryItem]]
    links: list[list[Link]]


def stream_of(stores: Stores, stream: str) -> StreamView:
    """Return all that *stores* says of that stream."""
    entries = stores.journal.entries(stream)
    positions = [entry.position for entry in entries]
    return StreamView(
        entries,
        [stores.ledger.history(stream, position) for position in positions],
        [list(stores.superseding.supersedes(stream, position)) for position in positions],
    )


def targets_of(stores: Stores) -> list[tuple[Target, Deployment | None, str]]:
    """Return the targets with what their comparison leaves out."""
    return [(target, target.deployment, target.paused) for target in stores.targets.targets()]


def verified_head(stream: str, entries: list[Entry], *, lamport: int) -> Head:
    """Return the head that *entries* must have; their positions and chain are checked."""
    chain = chain_start(stream)
    for position, entry in enumerate(entries, start=1):
        chain = chain_next(chain, position, entry.event.event_id, entry.event.digest)
        assert (stream, position, chain) == (entry.stream, entry.position, entry.chain)
    return Head(stream, len(entries), chain, lamport)
