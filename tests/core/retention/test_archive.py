"""An archive that is interrupted anywhere: each payload is here, or in a sealed file, or both."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from hashlib import sha256

import attrs
import pytest

from eventsync_core.errors import StoreUnreadableError
from eventsync_core.ledger import Act as DeskAct
from eventsync_core.ledger import Lease, Opening
from eventsync_core.lines import Carried, read_line
from eventsync_core.payloads import Act, Deed
from eventsync_core.receivers import Effect, Next, Outcome, Verdict
from eventsync_core.retention import ArchiveFile, Choice, archive, collect, plan_archive
from eventsync_core.stores import MemoryStores, Stores
from eventsync_core.testing import (
    HOLDER,
    CrashingStores,
    make_event,
    make_stub_target,
    run_until_crash,
)

TARGET = make_stub_target()
DEED = Deed(act=Act.ARCHIVE, actor="me", at=1, detail="a.gz")
COUNT = 1_200


@attrs.define
class Shelf:
    """Files in memory; one that was not finished has no name."""

    files: list[str] = attrs.field(factory=list)
    is_lossy: bool = False

    @contextmanager
    def opened(self) -> Iterator[Callable[[str], object]]:
        """Give what collects text, and put it on the shelf at the end."""
        parts: list[str] = []
        yield parts.append
        self.files.append("".join(parts[1:] if self.is_lossy else parts))

    def texts(self) -> set[str]:
        """Return the digests of all events on the shelf."""
        lines = [read_line(line) for file in self.files for line in file.splitlines()]
        return {
            sha256(each.text.encode()).hexdigest() for each in lines if isinstance(each, Carried)
        }

    @property
    def file(self) -> ArchiveFile:
        """Return where the next archive goes."""
        return ArchiveFile(opened=self.opened, read_back=lambda: self.files[-1].splitlines())


def leased(stores: Stores) -> Lease:
    lease = stores.leases.acquire(TARGET.target_id, "default", HOLDER, at=1)
    assert isinstance(lease, Lease)
    return lease


def filled() -> tuple[MemoryStores, Lease]:
    """Return a store in which all was delivered."""
    stores = MemoryStores()
    events = [make_event(f"e{number}") for number in range(1, COUNT + 1)]
    stores.journal.append("default", events, at=1)
    stores.targets.register(TARGET, at=1)
    lease = leased(stores)
    answer(stores, lease, range(1, COUNT + 1), Outcome.SUCCESS)
    return stores, lease


def answer(stores: Stores, lease: Lease, positions: range, outcome: Outcome) -> None:
    opening = Opening(positions=tuple(positions), body_bytes=1, digest=b"")
    request_id = stores.ledger.open_request(lease, opening, at=1)
    assert request_id is not None
    said = Verdict(
        outcomes=(outcome,) * len(positions),
        next=Next.GO_ON,
        effect=Effect.ANSWERED,
        status=200,
        details={},
    )
    stores.ledger.close_request(lease, request_id, said, at=1)


def here(stores: Stores) -> set[str]:
    """Return the digests of all payloads that are in the store."""
    entries = stores.journal.entries("default", limit=COUNT)
    return {entry.event.digest.hex() for entry in entries if entry.has_text}


@pytest.mark.parametrize("nth", [1, 2, 3, 4])
@pytest.mark.parametrize("when", ["before", "after"])
def test_killed_at_any_commit_nothing_is_lost(nth: int, when: str) -> None:
    """What is not here is on the shelf; the next archive takes the rest."""
    stores, _ = filled()
    everything, shelf = here(stores), Shelf()
    dying = CrashingStores(stores, nth, "before" if when == "before" else "after")

    run_until_crash(
        lambda: archive(
            dying, Choice(), None, DEED, lambda: 1, shelf.file, include_undelivered=False
        )
    )

    assert here(stores) | shelf.texts() == everything
    archive(stores, Choice(), None, DEED, lambda: 1, shelf.file, include_undelivered=False)
    assert (here(stores), shelf.texts()) == (set(), everything)


@pytest.mark.parametrize("nth", [1, 2, 3])
@pytest.mark.parametrize("when", ["before", "after"])
def test_collecting_goes_on_where_it_was_killed(nth: int, when: str) -> None:
    """Each payload is here or on record as gone."""
    stores, _ = filled()
    deed = attrs.evolve(DEED, act=Act.GC)
    dying = CrashingStores(stores, nth, "before" if when == "before" else "after")

    run_until_crash(lambda: collect(dying, Choice(), None, deed, lambda: 1))

    assert len(here(stores)) + stores.payloads.counts().events == COUNT
    collect(stores, Choice(), None, deed, lambda: 1)
    assert (here(stores), stores.payloads.counts().events) == (set(), COUNT)


def test_a_file_that_lost_something_lets_nothing_go() -> None:
    """It is read back as a whole before anything goes."""
    stores, _ = filled()
    before = here(stores)

    with pytest.raises(StoreUnreadableError, match="nothing is gone"):
        archive(
            stores,
            Choice(),
            None,
            DEED,
            lambda: 1,
            Shelf(is_lossy=True).file,
            include_undelivered=False,
        )

    assert here(stores) == before


def test_what_is_opened_again_meanwhile_stays() -> None:
    """It is in the file, and here to be sent."""
    stores, lease = filled()
    shelf = Shelf()

    def read_back() -> list[str]:
        stores.desk.reopen(lease, {7}, DeskAct.DELIVERED_BEFORE, actor="me", at=2)
        return shelf.files[-1].splitlines()

    file = ArchiveFile(opened=shelf.opened, read_back=read_back)
    done = archive(stores, Choice(), None, DEED, lambda: 1, file, include_undelivered=False)

    assert (done.collected.purged, done.written) == (COUNT - 1, COUNT)
    assert [entry.position for entry in stores.journal.entries("default") if entry.has_text] == [7]
    assert len(shelf.texts()) == COUNT


def test_the_plan_counts_what_lacks_delivery() -> None:
    """And nothing changes by it."""
    stores, lease = filled()
    answer(stores, lease, range(1, 4), Outcome.SUCCESS)
    stores.desk.reopen(lease, {1, 2}, DeskAct.DELIVERED_BEFORE, actor="me", at=2)

    plan = plan_archive(stores, Choice(keep=COUNT - 3), None, at=1)

    assert (plan.collected.purged, plan.undelivered) == (3, 2)
    assert len(here(stores)) == COUNT


def test_a_target_that_comes_meanwhile_has_to_have_them_too() -> None:
    """What goes after it was registered is what it has: nothing yet."""
    stores, _ = filled()
    late = make_stub_target("late")

    def joins(_purged: int) -> None:
        stores.targets.register(late, at=2)

    done = collect(stores, Choice(), None, DEED, lambda: 1, progress=joins)

    assert done.purged == 500
    assert done.targets == frozenset({TARGET.target_id, late.target_id})
    assert len(here(stores)) == COUNT - 500
