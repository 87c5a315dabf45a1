"""A lease is kept while a request is on its way, however long that takes."""

from pathlib import Path

from eventsync_adapters import machine
from eventsync_adapters.sqlite import open_stores
from eventsync_adapters.sqlite._leases import SqliteLeases
from eventsync_core.ledger import Busy, Lease
from eventsync_core.testing import HOLDER, make_event, make_stub_target


def test_a_lease_is_renewed_during_a_request(tmp_path: Path) -> None:
    """A second drain is refused long after the lease would have run out."""
    target = make_stub_target()
    with open_stores(tmp_path / "eventsync.db") as stores:
        stores.targets.register(target, at=1)
        stores.journal.append("default", [make_event("e1")], at=1)
        leases = SqliteLeases(
            stores._database,
            stores._keys,
            boot=lambda: "boot",
            is_alive=lambda _: None,
            clock=machine.now,
            beat_seconds=0.001,
        )
        long_ago = machine.now() - 3_600_000_000
        lease = leases.acquire(target.target_id, "default", HOLDER, at=long_ago)
        assert isinstance(lease, Lease)

        with leases.kept(lease):
            for _ in range(1_000_000):
                held = leases.held(target.target_id, "default")
                if held is not None and held.expires_at > lease.expires_at:
                    break

        other = leases.acquire(target.target_id, "default", HOLDER, at=machine.now())
        assert isinstance(other, Busy)
