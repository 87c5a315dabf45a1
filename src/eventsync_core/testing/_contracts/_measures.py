import attrs
import pytest

from eventsync_core.clock import SECOND
from eventsync_core.events import Event, read_event
from eventsync_core.measures import Retained
from eventsync_core.payloads import Act, Deed
from eventsync_core.receivers import Outcome
from eventsync_core.stores import Stores
from eventsync_core.testing._builders import make_event, make_events
from eventsync_core.testing._contracts._steps import (
    NOW,
    STREAM,
    TARGET_ID,
    answered,
    granted,
    leased,
)


def _apart(stores: Stores, count: int) -> list[Event]:
    """Capture *count* events, a second between each and the next."""
    granted(stores)
    events = make_events(count)
    for seconds, event in enumerate(events):
        stores.journal.append(STREAM, [event], at=NOW + seconds * SECOND)
    return events


def _since(stores: Stores) -> int | None:
    """Return for how many seconds after the first capture nothing is owed; None: nothing is."""
    at = stores.measures.oldest_owed_at(TARGET_ID, STREAM)
    return None if at is None else (at - NOW) // SECOND


def _undone(stores: Stores, count: int) -> None:
    with stores.atomic():
        stores.journal.append(STREAM, make_events(count), at=NOW)
        raise InterruptedError


def _hold(stores: Stores, position: int) -> None:
    stores.holds.hold(STREAM, [position], reason="", actor="me", at=NOW)


class MeasuresContract:
    """Subclass, provide a `stores` fixture, and every promise of `Measures` is checked."""

    def test_an_empty_store_keeps_nothing(self, stores: Stores) -> None:
        """And nothing is owed to anybody; a clock handed out is no entry."""
        stores.journal.next_lamport(STREAM)

        assert stores.measures.retained() == []
        assert stores.measures.oldest_kept_at() is None
        assert stores.measures.oldest_owed_at(TARGET_ID, STREAM) is None

    def test_what_is_kept_is_counted_by_stream(self, stores: Stores) -> None:
        """Bytes are those of the text in UTF-8; a duplicate is not counted again."""
        event = read_event('{"event_id":"ü"}')
        stores.journal.append("b", [event, make_event()], at=NOW)
        stores.journal.append("a", [event, make_event("e2")], at=NOW)

        kept = [
            Retained("a", 1, make_event("e2").size),
            Retained("b", 2, 17 + make_event().size),
        ]
        assert kept == stores.measures.retained()

    def test_what_was_undone_is_not_counted(self, stores: Stores) -> None:
        """A unit of work that fails leaves the counts as they were."""
        stores.journal.append(STREAM, make_events(1), at=NOW)
        before = stores.measures.retained()
        with pytest.raises(InterruptedError):
            _undone(stores, 5)

        assert before == stores.measures.retained()

    def test_what_was_purged_is_not_kept(self, stores: Stores) -> None:
        """Nor is it the oldest, nor owed; when it comes back, it is all of this again."""
        _apart(stores, 3)
        lease = leased(stores)
        answered(stores, lease, {1: Outcome.TRANSIENT})
        stores.ledger.pass_over(lease, 1)
        events = [entry.event for entry in stores.journal.entries(STREAM)]
        before = stores.measures.retained()
        deed = Deed(act=Act.ARCHIVE, actor="me", at=NOW)

        stores.payloads.purge(STREAM, [1, 2], deed)
        assert stores.measures.retained() == [Retained(STREAM, 1, events[2].size)]
        assert (stores.measures.oldest_kept_at(), _since(stores)) == (NOW + 2 * SECOND, 2)
        stores.payloads.purge(STREAM, [3], deed)
        assert stores.measures.retained() == [Retained(STREAM, 0, 0)]
        assert (stores.measures.oldest_kept_at(), _since(stores)) == (None, None)

        stores.payloads.restore(events, attrs.evolve(deed, act=Act.IMPORT))
        assert stores.measures.retained() == before
        assert (stores.measures.oldest_kept_at(), _since(stores)) == (NOW, 0)

    def test_the_oldest_is_the_first_one_captured(self, stores: Stores) -> None:
        """Of whatever stream."""
        stores.journal.append("z", [make_event("e1")], at=NOW)
        stores.journal.append("a", [make_event("e2")], at=NOW + SECOND)

        assert stores.measures.oldest_kept_at() == NOW

    def test_what_was_never_offered_is_owed(self, stores: Stores) -> None:
        """From the first entry on that the grant reaches."""
        _apart(stores, 3)
        assert _since(stores) == 0

        answered(stores, leased(stores), {1: Outcome.SUCCESS})
        assert _since(stores) == 1

    def test_the_first_that_was_refused_or_failed_is_owed(self, stores: Stores) -> None:
        """Whatever comes due first."""
        _apart(stores, 5)
        lease = leased(stores)
        answered(stores, lease, {4: Outcome.TRANSIENT, 5: Outcome.UNKNOWN_EFFECT})
        answered(stores, lease, {1: Outcome.SUCCESS, 2: Outcome.PENDING, 3: Outcome.REJECTED})
        stores.ledger.pass_over(lease, 5)
        assert _since(stores) == 2

        answered(stores, lease, {3: Outcome.DUPLICATE})
        assert _since(stores) == 3

    def test_what_is_settled_or_pending_is_not_owed(self, stores: Stores) -> None:
        """Pending is the target's to decide, and terminal_failed is not offered again."""
        _apart(stores, 3)
        lease = leased(stores)
        outcomes = (Outcome.SUCCESS, Outcome.PENDING, Outcome.TERMINAL_FAILED)
        answered(stores, lease, dict(enumerate(outcomes, 1)))
        stores.ledger.pass_over(lease, 3)

        assert _since(stores) is None

    def test_what_is_held_is_not_owed(self, stores: Stores) -> None:
        """By an operator, after it was refused, or from its capture on."""
        _apart(stores, 2)
        lease = leased(stores)
        answered(stores, lease, {1: Outcome.REJECTED})
        stores.ledger.pass_over(lease, 1)
        _hold(stores, 1)
        assert _since(stores) == 1

        _hold(stores, 2)
        assert _since(stores) is None

    def test_nothing_is_owed_without_a_grant(self, stores: Stores) -> None:
        """What ended counts as none."""
        _apart(stores, 3)
        stores.grants.revoke(TARGET_ID, STREAM, actor="me", reason="", at=NOW)
        assert _since(stores) is None

    def test_what_lies_below_the_grant_is_not_owed(self, stores: Stores) -> None:
        """The first above it is."""
        granted(stores, make_events(2), from_position=2)
        stores.journal.append(STREAM, [make_event("e3")], at=NOW + SECOND)

        assert _since(stores) == 1

    def test_event_ids_are_found_by_position(self, stores: Stores) -> None:
        """Those that are there."""
        stores.journal.append(STREAM, make_events(4), at=NOW)

        assert stores.measures.event_ids(STREAM, [4, 2, 3, 9]) == {2: "e2", 3: "e3", 4: "e4"}
        assert stores.measures.event_ids("other", [1]) == {}

    def test_only_what_lies_on_disk_says_how(self, stores: Stores) -> None:
        """A store that ends with its process lies nowhere."""
        found = stores.measures.storage()

        assert (found is not None) == stores.is_durable
        assert found is None or found.file_bytes > 0
