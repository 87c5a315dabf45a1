"""The few steps from which the contracts build their situations."""

from collections.abc import Sequence

from eventsync_core.census import Class
from eventsync_core.events import Event
from eventsync_core.ledger import Lane, Lease, Opening
from eventsync_core.receivers import Detail, Effect, Next, Outcome, Verdict
from eventsync_core.stores import Stores
from eventsync_core.testing._builders import EPOCH, HOLDER, make_stub_target

STREAM = "default"
TARGET_ID = make_stub_target().target_id
NOW = EPOCH
NOWHERE = (-1, 0)
PLENTY = 1_000_000


def granted(
    stores: Stores, events: Sequence[Event] = (), *, from_position: int = 0, from_body: int = 0
) -> None:
    """Store *events*, register the target and grant it the stream."""
    stores.journal.append(STREAM, events, at=NOW)
    stores.targets.register(make_stub_target(), at=NOW)
    grant(stores, from_position=from_position, from_body=from_body)


def grant(stores: Stores, *, from_position: int = 0, from_body: int = 0) -> None:
    """Grant the stream to the target above *from_position*, and its bodies above *from_body*."""
    stores.grants.grant(
        TARGET_ID,
        STREAM,
        from_position=from_position,
        actor="me",
        reason="test",
        at=NOW,
        from_body=from_body,
    )


def leased(stores: Stores, *, at: int = NOW) -> Lease:
    """Return the lease of the stream to the target."""
    lease = stores.leases.acquire(TARGET_ID, STREAM, HOLDER, at=at)
    assert isinstance(lease, Lease)
    return lease


def opening(*positions: int) -> Opening:
    """Return a request about to leave with the entries at *positions*."""
    return Opening(positions=positions, body_bytes=10, digest=b"d" * 32)


def opened(stores: Stores, lease: Lease, *positions: int, at: int = NOW) -> int:
    """Open a request for the entries at *positions* and return its id."""
    request_id = stores.ledger.open_request(lease, opening(*positions), at=at)
    assert request_id is not None
    return request_id


def verdict(
    *outcomes: Outcome, effect: Effect = Effect.UNKNOWN, reasons: dict[int, str] | None = None
) -> Verdict:
    """Return a verdict with these *outcomes* and, by index, *reasons*."""
    details = {index: Detail(reason, "word") for index, reason in (reasons or {}).items()}
    return Verdict(outcomes=outcomes, next=Next.GO_ON, effect=effect, status=200, details=details)


def answered(stores: Stores, lease: Lease, answers: dict[int, Outcome], *, at: int = NOW) -> int:
    """Let one request carry the entries and be answered so; return its id."""
    request_id = opened(stores, lease, *answers, at=at)
    assert stores.ledger.close_request(lease, request_id, verdict(*answers.values()), at=at)
    return request_id


def due_positions(stores: Stores, *, now: int = NOW, lane: Lane = Lane.FIRST) -> list[int]:
    """Return the positions due in *lane*, in order."""
    found = stores.backlog.due(
        TARGET_ID, STREAM, lane, now=now, after=NOWHERE, max_events=1_000, max_bytes=PLENTY
    )
    return [candidate.position for candidate in found]


def tail_positions(stores: Stores) -> list[int]:
    """Return the positions deliverable above the cursor, in order."""
    found, _ = stores.backlog.tail(TARGET_ID, STREAM, max_events=1_000, max_bytes=PLENTY)
    return [candidate.position for candidate in found]


def classes(stores: Stores, *, at: int = NOW) -> dict[Class, int]:
    """Return the classes that hold anything, with how much."""
    tally = stores.backlog.tally(TARGET_ID, STREAM, at=at)
    assert tally.is_coherent
    return {name: count for name, count in tally.classes().items() if count}
