"""The same work through eventsync's public entry points."""

import random
import sqlite3
from collections.abc import Sequence
from pathlib import Path

from eventsync_adapters import machine
from eventsync_adapters.alongside import alongside
from eventsync_adapters.http import ExternalReceiver, Transport
from eventsync_adapters.sqlite import SqliteStores, open_stores
from eventsync_core.capture import capture, capture_many
from eventsync_core.dispatch import Budget, Drain, Report, drain
from eventsync_core.receivers import Batch, Effect, Gate, Next, Outcome, Verdict
from eventsync_core.targets import Kind, Limits, Target, make_target


def open_home(path: Path, journal_mode: str) -> SqliteStores:
    """Open a store in that journal mode; WAL is set beforehand with plain sqlite3."""
    open_stores(path).close()
    if journal_mode == "wal":
        connection = sqlite3.connect(path)
        connection.execute("PRAGMA journal_mode = wal")
        connection.close()
    return open_stores(path)


def append(stores: SqliteStores, texts: Sequence[str], *, each: bool) -> None:
    """Capture one by one, or 1,000 in a unit of work."""
    if each:
        for text in texts:
            capture(stores, text, at=machine.now())
        return
    for start in range(0, len(texts), 1_000):
        capture_many(stores, texts[start : start + 1_000], at=machine.now())


def granted(stores: SqliteStores, url: str) -> Target:
    """Register *url* and grant it the default stream from the start."""
    target = stores.targets.register(make_target(Kind.EXTERNAL, url), at=machine.now())
    stores.grants.grant(
        target.target_id,
        "default",
        from_position=0,
        actor="benchmark",
        reason="",
        at=machine.now(),
    )
    return target


def deliver(
    stores: SqliteStores,
    target: Target,
    receiver: "ExternalReceiver | Instant",
    *,
    ahead: bool = False,
    **budget: int,
) -> Report:
    """Drain the default stream to *target*; *ahead*: pack one batch while one is on its way."""
    task = Drain(
        stores=stores,
        target=target,
        receiver=receiver,
        clock=machine.now,
        holder=machine.this_process(),
        budget=Budget(**budget),
        chance=random.random,
        alongside=alongside if ahead else None,
    )
    return drain(task, ["default"])


def over_http(target: Target, transport: Transport) -> ExternalReceiver:
    """Return the receiver that a CLI user has."""
    return ExternalReceiver(target, transport)


class Instant:
    """A receiver that accepts at once, to fill a ledger without a network."""

    def __init__(self, target: Target) -> None:
        self.target_id = target.target_id

    def closed_gates(self) -> Sequence[Gate]:
        """None."""
        return ()

    def limits(self) -> Limits:
        """As many as possible."""
        return Limits(max_bytes=100_000_000)

    def pack(self, batch: Batch) -> Batch:
        """See `DeliveryReceiver.pack`."""
        return batch

    def deliver(self, batch: Batch) -> Verdict:
        """Say success to each."""
        outcomes = (Outcome.SUCCESS,) * len(batch.event_ids)
        return Verdict(outcomes=outcomes, next=Next.GO_ON, effect=Effect.ANSWERED, status=200)

    def health(self) -> None:
        """See `DeliveryReceiver.health`: it says nothing."""
