"""Who sends a project while it is purged is told, and leaves nothing behind."""

from eventsync_core.ledger import Lease
from eventsync_core.payloads import Act, Deed
from eventsync_core.retention import erase
from eventsync_core.stores import MemoryStores
from eventsync_core.testing import HOLDER, make_event, make_stub_target

TARGET = make_stub_target()
DEED = Deed(act=Act.PURGE, actor="me", at=1, detail="default")
COUNT = 1_200


def filled() -> MemoryStores:
    """Return a store with so many events that they go in more than one unit."""
    stores = MemoryStores()
    stores.targets.register(TARGET, at=1)
    stores.journal.append("default", [make_event(f"e{n}") for n in range(COUNT)], at=1)
    return stores


def leased(stores: MemoryStores) -> Lease:
    lease = stores.leases.acquire(TARGET.target_id, "default", HOLDER, at=1)
    assert isinstance(lease, Lease)
    return lease


def test_who_began_since_it_was_looked() -> None:
    """Nothing goes."""
    stores = filled()
    leased(stores)

    erased, busy = erase(stores, "default", DEED, lambda: 1)

    assert busy is not None
    assert busy.holder == HOLDER
    assert erased.payloads == 0
    assert stores.payloads.counts().events == 0


def test_who_begins_between_two_pages() -> None:
    """The rest stays, and goes with the next purge."""
    stores = filled()
    leases: list[Lease] = []

    erased, busy = erase(
        stores,
        "default",
        DEED,
        lambda: 1,
        progress=lambda _: None if leases else leases.append(leased(stores)),
    )

    assert busy is not None
    assert 0 < erased.payloads == stores.payloads.counts().events < COUNT
    stores.leases.release(leases[0])
    again, busy = erase(stores, "default", DEED, lambda: 1)
    assert busy is None
    assert again.payloads + erased.payloads == COUNT


def test_who_sent_between_two_pages() -> None:
    """What a hold said meanwhile goes too."""
    stores = filled()

    def hold(done: int) -> None:
        if done < COUNT:
            stores.holds.hold("default", [COUNT], reason="secret", actor="me", at=1)

    erased, busy = erase(stores, "default", DEED, lambda: 1, progress=hold)

    assert (erased.payloads, erased.reasons, busy) == (COUNT, 1, None)
    assert stores.holds.holdings("default", COUNT)[0].reason == ""
