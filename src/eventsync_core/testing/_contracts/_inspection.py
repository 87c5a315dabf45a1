import attrs
import pytest

from eventsync_core.bodies import Standing, UploadState
from eventsync_core.inspection import Dangling, Link, Mended, Place
from eventsync_core.ledger import Act as LedgerAct
from eventsync_core.ledger import LedgerEntry
from eventsync_core.payloads import Act, Deed
from eventsync_core.receivers import Outcome
from eventsync_core.stores import Stores
from eventsync_core.testing._builders import make_body, make_event, make_events
from eventsync_core.testing._contracts._steps import (
    NOW,
    STREAM,
    TARGET_ID,
    answered,
    classes,
    granted,
    leased,
)

PROJECT = make_body().key.project_uuid


class InspectionContract:
    """Subclass, provide a `stores` fixture, and every promise of `Inspection` is checked."""

    @pytest.fixture
    def used(self, stores: Stores) -> Stores:
        """A store in which a little of everything has happened."""
        granted(stores, make_events(6))
        stores.journal.append("other", [make_event("x1")], at=NOW)
        lease = leased(stores)
        answers = {1: Outcome.SUCCESS, 2: Outcome.REJECTED, 3: Outcome.TRANSIENT}
        answered(stores, lease, answers)
        stores.holds.hold(STREAM, [4, 5], reason="", actor="me", at=NOW)
        stores.holds.release(STREAM, [4], actor="me", at=NOW)
        stores.ledger.let_wait(lease, {4: NOW})
        stores.ledger.pass_over(lease, 6)
        stores.leases.release(lease)
        for act, positions in ((Act.GC, [1, 2]), (Act.ARCHIVE, [3, 6])):
            deed = Deed(act=act, actor="me", at=NOW)
            stores.payloads.purge(STREAM, positions, deed)
        stores.payloads.restore(make_events(1), attrs.evolve(deed, act=Act.IMPORT))
        later = [make_event(f"k{number}") for number in range(3)]
        stores.journal.append(STREAM, later, at=NOW)
        lease = leased(stores)
        answered(stores, lease, {7: Outcome.TRANSIENT})
        stores.leases.release(lease)
        for position in (7, 8, 9):
            stores.superseding.supersede(STREAM, {position: "key"}, at=NOW)
        stores.payloads.purge(STREAM, [7, 8], deed)
        self._bodies(stores)
        return stores

    def _bodies(self, stores: Stores) -> None:
        for stream in (PROJECT, STREAM):
            stores.bodies.add(stream, make_body(stream), at=NOW)
            stores.bodies.owe(TARGET_ID, stream)
        stores.bodies.note(TARGET_ID, 2, Standing(state=UploadState.FAILED, settled_at=NOW))
        stores.bodies.reopen(TARGET_ID, 2, LedgerAct.RETRIED, actor="me", at=NOW)
        deed = Deed(act=Act.PURGE, actor="me", at=NOW, detail=PROJECT)
        stores.erasing.erase(PROJECT, [], deed)

    def test_an_entry_has_a_place(self, used: Stores) -> None:
        """Each in its own stream; an unknown one has none."""
        assert used.inspection.place("e3") == Place(STREAM, 3)
        assert used.inspection.place("x1") == Place("other", 1)
        assert used.inspection.place("e99") is None

    @pytest.mark.parametrize("limit", [1, 2, 1_000])
    def test_what_was_stored_leads_somewhere(self, used: Stores, limit: int) -> None:
        """Whatever has happened, by every link; a walk in pages ends."""
        for link in Link:
            after: tuple[int | str, ...] | None = ()
            found: list[Dangling] = []
            steps = 0
            while after is not None and steps < 100:
                looked = used.inspection.dangling(link, after=after, limit=limit)
                found += looked.found
                assert looked.count <= limit
                after, steps = looked.last, steps + 1

            assert (link, found, after) == (link, [], None)

    @pytest.mark.parametrize("outcome", [Outcome.SUCCESS, Outcome.DUPLICATE])
    def test_what_another_home_told_leads_somewhere(self, stores: Stores, outcome: Outcome) -> None:
        """Also where the target had no words: that it was taken over is in the history."""
        granted(stores, make_events(1))
        row = LedgerEntry(outcome=outcome, request_id=9, attempts=1)

        assert stores.desk.adopt(TARGET_ID, STREAM, 1, row, [], at=NOW)

        for link in Link:
            assert (link, list(stores.inspection.dangling(link).found)) == (link, [])
        (item,) = stores.ledger.history(STREAM, 1)
        assert (item.target_id, item.request_id, item.at) == (TARGET_ID, 0, NOW)
        assert (item.outcome, item.reason) == (outcome, "told by another home")

    def test_what_a_target_said_is_looked_at(self, used: Stores) -> None:
        """A page begins behind the one before; all of them are all there is."""
        whole = used.inspection.dangling(Link.LEDGER).count
        first = used.inspection.dangling(Link.LEDGER, limit=2)
        assert first.last is not None
        second = used.inspection.dangling(Link.LEDGER, after=first.last, limit=1_000)

        assert first.count + second.count == whole >= 4

    def test_counters_agree(self, used: Stores) -> None:
        """However an entry came to stand where it does."""
        assert used.inspection.miscounts() == []

    def test_nothing_is_mended_that_holds(self, used: Stores) -> None:
        """Neither a counter nor what is owed changes; it can be done twice."""
        before = classes(used)

        assert used.inspection.mend(at=NOW) == used.inspection.mend(at=NOW) == Mended()
        assert classes(used) == before

    def test_a_sound_store_has_no_flaws(self, used: Stores) -> None:
        """However much is looked at; a check that has no time says so or needs none."""
        assert list(used.inspection.check().flaws) == []
        assert used.inspection.check(thorough=True).is_finished
        assert list(used.inspection.check(seconds=60).flaws) == []
