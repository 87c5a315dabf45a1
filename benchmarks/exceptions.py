"""What `sync status` costs in homes where much is held, pending, or below a renewed grant."""

import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from benchmarks import ours
from benchmarks.corpus import made_events
from benchmarks.figures import Figure, timed
from benchmarks.status import look
from eventsync_adapters import machine
from eventsync_adapters.sqlite import SqliteStores
from eventsync_core.receivers import Batch, Effect, Next, Outcome, Verdict
from eventsync_core.targets import Target

_AT_ONCE = 10_000


class _Pending(ours.Instant):
    """A receiver that says pending to each."""

    def deliver(self, batch: Batch) -> Verdict:
        outcomes = (Outcome.PENDING,) * len(batch.event_ids)
        return Verdict(outcomes=outcomes, next=Next.GO_ON, effect=Effect.ANSWERED, status=200)


def exceptions(folder: Path, scale: int, _: Path | None) -> list[Figure]:
    """
    Status at 1M entries against 10,000, where half of them are no plain ones.

    The whole of it in this process, and the command in one of its own.
    """
    figures: list[Figure] = []
    large = 1_000_000 // scale
    for name, prepare in _HOMES.items():
        homes = [folder / name.replace(" ", "-") / str(size) for size in (10_000, large)]
        small, found = (
            _look_at(home, size, prepare) for home, size in zip(homes, (10_000, large), strict=True)
        )
        at = f"{name}, at {large:,} against at 10,000"
        figures.append(Figure(f"whole status, {at}", found * 1e3, small * 1e3, "ms", 2))
        few, many = (_command(home) * 1e3 for home in homes)
        figures.append(Figure(f"eventsync sync status, {at}", many, few, "ms", 2))
    return figures


def _command(home: Path) -> float:
    words = [sys.executable, "-m", "eventsync_cli", "--home", str(home), "sync", "status"]
    return min(
        timed(lambda: subprocess.run(words, check=True, capture_output=True)) for _ in range(5)
    )


def _look_at(home: Path, size: int, prepare: Callable[[SqliteStores, Target, int], None]) -> float:
    with ours.open_home(home / "eventsync" / "eventsync.db", "wal") as stores:
        for start in range(0, size, _AT_ONCE):
            ours.append(stores, made_events(_AT_ONCE, start=start), each=False)
        target = ours.granted(stores, "http://localhost/a")
        prepare(stores, target, size)
        return min(timed(lambda: look(stores, target)) for _ in range(5))


def _held(stores: SqliteStores, _: Target, size: int) -> None:
    """The first half is held; nothing was ever offered."""
    for first in range(1, size // 2, _AT_ONCE):
        positions: Sequence[int] = range(first, min(first + _AT_ONCE, size // 2 + 1))
        with stores.atomic():
            stores.holds.hold("default", positions, reason="", actor="", at=machine.now())


def _pending(stores: SqliteStores, target: Target, size: int) -> None:
    """The first half is pending, the other half was never offered."""
    ours.deliver(stores, target, _Pending(target), events=size // 2)


def _renewed(stores: SqliteStores, target: Target, size: int) -> None:
    """All but a thousand are delivered, below a grant that was renewed for what comes later."""
    ours.deliver(stores, target, ours.Instant(target), events=size - 1_000)
    at = machine.now()
    stores.grants.revoke(target.target_id, "default", actor="", reason="", at=at)
    stores.grants.grant(
        target.target_id, "default", from_position=size - 500, actor="", reason="", at=at
    )


_HOMES = {
    "half held": _held,
    "half pending": _pending,
    "below a renewed grant": _renewed,
}
