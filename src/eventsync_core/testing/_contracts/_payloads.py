from contextlib import suppress

import attrs
import pytest

from eventsync_core.census import Class
from eventsync_core.codec import write_document
from eventsync_core.events import Event, Hold, read_event
from eventsync_core.ledger import Act as DeskAct
from eventsync_core.payloads import Act, Deed, Kept, PurgedCounts
from eventsync_core.receivers import Outcome
from eventsync_core.stores import Stores
from eventsync_core.targets import Kind, make_target
from eventsync_core.testing._agreement import verified_head
from eventsync_core.testing._builders import make_envelope, make_event, make_events
from eventsync_core.testing._contracts._steps import (
    NOW,
    PLENTY,
    STREAM,
    TARGET_ID,
    answered,
    classes,
    due_positions,
    grant,
    granted,
    leased,
    opened,
    tail_positions,
)

GC = Deed(act=Act.GC, actor="me", at=NOW + 1)
BACK = Deed(act=Act.IMPORT, actor="me", at=NOW + 2)


def damaged(event: Event) -> Event:
    """Return *event* as it stands once its stored text was changed behind the store's back."""
    return attrs.evolve(event, text=event.text.replace("1", "9"))


class PayloadsContract:
    """Subclass, provide a `stores` fixture, and every promise of `Payloads` is checked."""

    def test_everything_but_the_text_stays(self, stores: Stores) -> None:
        """Digests, chain, position and capture facts are those of before; so are the heads."""
        events = [make_event("e1", event_type="T", aggregate_id="a"), make_event("e2")]
        stores.journal.append(STREAM, events, at=NOW)
        before, heads = stores.journal.entries(STREAM), stores.journal.heads()

        assert stores.payloads.purge(STREAM, [1], GC) == (1, events[0].size)

        after = stores.journal.entries(STREAM)
        assert [entry.has_text for entry in after] == [False, True]
        assert [entry.is_purged for entry in after] == [True, False]
        assert after[0].event.text == ""
        restored = attrs.evolve(after[0].event, text=events[0].text)
        assert [attrs.evolve(after[0], event=restored, is_purged=False), after[1]] == before
        assert stores.journal.find("e1") == after[0]
        assert stores.journal.heads() == heads == [verified_head(STREAM, after, lamport=0)]

    def test_a_purged_id_is_known_for_ever(self, stores: Stores) -> None:
        """Canonically equal is a duplicate, anything else a conflict; the text stays away."""
        stores.journal.append(STREAM, [make_event("e1", x=1)], at=NOW)
        stores.payloads.purge(STREAM, [1], GC)
        again = [read_event('{ "x":1, "event_id":"e1"}'), make_event("e1", x=2)]

        appended = stores.journal.append("other", again, at=NOW)

        assert [(item.state, item.stream, item.position) for item in appended] == [
            ("duplicate", STREAM, 1),
            ("conflict", STREAM, 1),
        ]
        assert [item.payload_gone for item in appended] == [True, False]
        assert [entry.has_text for entry in stores.journal.entries(STREAM)] == [False]

    def test_what_is_kept_tells_what_decides(self, stores: Stores) -> None:
        """Type, time, size, and who has it."""
        events = [make_event(f"e{n}", event_type="T") for n in (1, 2, 3)]
        granted(stores, events)
        lease = leased(stores)
        answered(stores, lease, {1: Outcome.DUPLICATE, 2: Outcome.REJECTED})

        kept = stores.payloads.kept(STREAM, after=0, upto=9)

        assert kept == [
            Kept(
                position=number,
                event_id=f"e{number}",
                event_type="T",
                captured_at=NOW,
                size=events[0].size,
                delivered_to=frozenset({TARGET_ID} if number == 1 else ()),
            )
            for number in (1, 2, 3)
        ]
        stores.payloads.purge(STREAM, [2], GC)
        assert [each.position for each in stores.payloads.kept(STREAM, after=0, upto=3)] == [1, 3]
        assert [each.position for each in stores.payloads.kept(STREAM, after=1, upto=2)] == []
        assert stores.payloads.kept("unknown", after=0, upto=9) == []

    def test_a_replayed_event_is_not_delivered_in_this_round(self, stores: Stores) -> None:
        """It is owed again, so its payload is wanted."""
        granted(stores, [make_event()])
        lease = leased(stores)
        answered(stores, lease, {1: Outcome.SUCCESS})
        stores.desk.reopen(lease, [1], DeskAct.DELIVERED_BEFORE, actor="me", at=NOW)

        (kept,) = stores.payloads.kept(STREAM, after=0, upto=1)

        assert kept.delivered_to == frozenset()

    def test_what_is_not_there_is_not_counted(self, stores: Stores) -> None:
        """Gone already, above the head, of no stream: nothing, and nothing on record."""
        stores.journal.append(STREAM, make_events(2), at=NOW)
        stores.payloads.purge(STREAM, [1], GC)

        later = attrs.evolve(GC, at=NOW + 5)
        assert stores.payloads.purge(STREAM, [1, 7], later) == (0, 0)
        assert stores.payloads.purge("unknown", [1], later) == (0, 0)
        assert len(stores.payloads.purges()) == 1

    def test_each_act_is_on_record(self, stores: Stores) -> None:
        """Equal deeds are one act; each entry names the one by which its payload went."""
        stores.journal.append(STREAM, make_events(4), at=NOW)
        archive = Deed(act=Act.ARCHIVE, actor="you", at=NOW, detail="a.jsonl.gz")
        size = make_event("e1").size

        stores.payloads.purge(STREAM, [1], GC)
        stores.payloads.purge(STREAM, [3], archive)
        stores.payloads.purge(STREAM, [2], GC)

        first, second = stores.payloads.purges()
        assert (first.deed, first.events, first.size) == (GC, 2, 2 * size)
        assert (second.deed, second.events, second.size) == (archive, 1, size)
        found = [stores.payloads.tombstone(STREAM, position) for position in (1, 2, 3, 4)]
        assert found == [first, first, second, None]
        assert first.number < second.number
        assert stores.payloads.purges(after=first.number) == [second]
        assert stores.payloads.purges(limit=1) == [first]

    def test_a_damaged_text_is_mended(self, stores: Stores) -> None:
        """The captured text stands there again, and nothing else has changed."""
        events = [make_event(f"e{n}", n=n) for n in (1, 2)]
        stores.journal.append(STREAM, [damaged(events[0]), events[1]], at=NOW)
        stores.holds.hold(STREAM, [1], reason="r", actor="me", at=NOW)
        before = stores.journal.heads(), stores.measures.retained(), stores.payloads.counts()

        assert stores.payloads.restore(events, BACK) == ["e1"]

        assert [entry.event.text for entry in stores.journal.entries(STREAM)] == [
            event.text for event in events
        ]
        assert stores.holds.held(STREAM, Hold.OPERATOR) == [1]
        assert before == (
            stores.journal.heads(),
            stores.measures.retained(),
            stores.payloads.counts(),
        )
        assert stores.payloads.restore(events, BACK) == []
        assert [(each.deed, each.events) for each in stores.payloads.purges()] == [(BACK, 1)]

    def test_no_text_is_mended_with_another(self, stores: Stores) -> None:
        """What is canonically equal is not what was captured; nor takes a whole text's place."""
        event = make_event("e1", n=1)
        respelt = read_event(event.text + " ")
        stores.journal.append(STREAM, [event, damaged(make_event("e2", n=1))], at=NOW)

        assert stores.payloads.restore([respelt, make_event("e2", n=2)], BACK) == []

        assert stores.journal.entries(STREAM)[0].event.text == event.text

    def test_counts(self, stores: Stores) -> None:
        """Of one stream and of all; what came back does not count."""
        size = make_event("e1").size
        stores.journal.append("a", make_events(3), at=NOW)
        stores.journal.append("b", [make_event("f1")], at=NOW)
        stores.payloads.purge("a", [1, 2], GC)
        stores.payloads.purge("b", [1], attrs.evolve(GC, act=Act.ARCHIVE))

        assert stores.payloads.counts("a") == PurgedCounts(events=2, size=2 * size)
        assert stores.payloads.counts("b") == PurgedCounts(events=1, size=size, archived=1)
        assert stores.payloads.counts() == PurgedCounts(events=3, size=3 * size, archived=1)
        assert stores.payloads.counts("c") == PurgedCounts()

        stores.payloads.restore([make_event("e1"), make_event("f1")], BACK)

        assert stores.payloads.counts() == PurgedCounts(events=1, size=size)

    def test_only_the_exact_text_comes_back(self, stores: Stores) -> None:
        """Equal in canonical form is not enough; what is there or unknown is left alone."""
        stores.journal.append(STREAM, [make_event("e1", x=1), make_event("e2")], at=NOW)
        before = stores.journal.entries(STREAM)
        stores.payloads.purge(STREAM, [1], GC)
        respelt = read_event('{ "x":1, "event_id":"e1"}')

        others = [respelt, make_event("e2"), make_event("e3")]
        assert stores.payloads.restore(others, BACK) == []
        assert [entry.has_text for entry in stores.journal.entries(STREAM)] == [False, True]

        assert stores.payloads.restore([make_event("e1", x=1)], BACK) == ["e1"]
        assert stores.journal.entries(STREAM) == before
        assert stores.payloads.tombstone(STREAM, 1) is None
        assert stores.payloads.restore([make_event("e1", x=1)], BACK) == []
        assert [(each.deed.act, each.events) for each in stores.payloads.purges()] == [
            (Act.GC, 1),
            (Act.IMPORT, 1),
        ]

    @pytest.mark.parametrize("is_first", [True, False])
    def test_the_exact_text_is_found_among_others(self, stores: Stores, *, is_first: bool) -> None:
        """Wherever it stands among texts of the same event."""
        exact, respelt = make_event("e1", x=1), read_event('{ "x":1, "event_id":"e1"}')
        stores.journal.append(STREAM, [exact], at=NOW)
        before = stores.journal.entries(STREAM)
        stores.payloads.purge(STREAM, [1], GC)

        given = [exact, respelt] if is_first else [respelt, exact]
        assert stores.payloads.restore(given, BACK) == ["e1"]
        assert stores.journal.entries(STREAM) == before
        assert stores.payloads.counts() == PurgedCounts()

    def test_nobody_is_offered_what_is_gone(self, stores: Stores) -> None:
        """Neither above the cursor nor below; what has a ledger row keeps it."""
        granted(stores, make_events(4, aggregate_id="a"))
        lease = leased(stores)
        answered(stores, lease, {1: Outcome.SUCCESS, 2: Outcome.TRANSIENT})
        stores.ledger.pass_over(lease, 2)
        before = stores.ledger.entry(TARGET_ID, STREAM, 2)

        stores.payloads.purge(STREAM, [1, 2, 3], GC)

        assert due_positions(stores, now=NOW + PLENTY) == []
        assert tail_positions(stores) == [4]
        assert stores.backlog.deliverable(TARGET_ID, STREAM, [1, 2, 3, 4]) == {4}
        assert stores.backlog.waiting(TARGET_ID, STREAM, [":a"], most=9) == {}
        assert stores.ledger.entry(TARGET_ID, STREAM, 2) == before

    def test_the_census_names_what_went_undelivered(self, stores: Stores) -> None:
        """Delivered, failed for good and superseded stay what they are."""
        granted(stores, make_events(8))
        lease = leased(stores)
        answers = {1: Outcome.SUCCESS, 2: Outcome.TERMINAL_FAILED, 3: Outcome.REJECTED}
        answered(stores, lease, answers)
        stores.holds.hold(STREAM, [4], reason="", actor="me", at=NOW)
        stores.superseding.supersede(STREAM, {5: "k"}, at=NOW)
        stores.superseding.supersede(STREAM, {8: "k"}, at=NOW)
        opened(stores, lease, 6)

        stores.payloads.purge(STREAM, [1, 2, 3, 4, 5, 6, 7], GC)

        assert classes(stores) == {
            Class.DELIVERED: 1,
            Class.TERMINAL_FAILED: 1,
            Class.IN_FLIGHT: 1,
            Class.SUPERSEDED: 1,
            Class.ARCHIVED_OR_PURGED_UNDELIVERED: 3,
            Class.OWED: 1,
        }
        # One of the three is held: it could not go with its text either.
        assert stores.backlog.tally(TARGET_ID, STREAM, at=NOW).gone == 2

    def test_every_target_counts_by_itself(self, stores: Stores) -> None:
        """One that was named later, or is granted only a part, was never told."""
        granted(stores, make_events(3))
        answered(stores, leased(stores), dict.fromkeys((1, 2), Outcome.SUCCESS))
        stores.payloads.purge(STREAM, [1, 2], GC)
        other = stores.targets.register(make_target(Kind.STUB, "https://late.example"), at=NOW)

        def of_other() -> dict[Class, int]:
            tally = stores.backlog.tally(other.target_id, STREAM, at=NOW)
            assert tally.is_coherent
            return {name: count for name, count in tally.classes().items() if count}

        gone = Class.ARCHIVED_OR_PURGED_UNDELIVERED
        assert classes(stores) == {Class.DELIVERED: 2, Class.OWED: 1}
        assert of_other() == {gone: 2, Class.NOT_GRANTED: 1}
        assert stores.backlog.tally(other.target_id, STREAM, at=NOW).gone == 0
        stores.grants.grant(other.target_id, STREAM, from_position=1, actor="me", reason="", at=NOW)
        assert of_other() == {gone: 2, Class.OWED: 1}
        assert stores.backlog.tally(other.target_id, STREAM, at=NOW).gone == 1

    def test_an_answer_that_comes_late_is_kept(self, stores: Stores) -> None:
        """What was on its way when its payload went is counted as it was answered."""
        granted(stores, make_events(2))
        lease = leased(stores)
        answered(stores, lease, {1: Outcome.TRANSIENT})
        stores.payloads.purge(STREAM, [1, 2], GC)

        answered(stores, lease, {1: Outcome.SUCCESS, 2: Outcome.REJECTED})

        gone = Class.ARCHIVED_OR_PURGED_UNDELIVERED
        assert classes(stores) == {Class.DELIVERED: 1, gone: 1}
        assert due_positions(stores, now=NOW + PLENTY) == []

    def test_what_comes_back_may_be_offered_again(self, stores: Stores) -> None:
        """As it stood: owed where it was passed over, due where it was answered, or settled."""
        granted(stores, make_events(4))
        lease = leased(stores)
        stores.payloads.purge(STREAM, [1], GC)
        answered(stores, lease, {2: Outcome.TRANSIENT, 3: Outcome.SUCCESS})
        stores.payloads.purge(STREAM, [2, 3], GC)
        stores.ledger.pass_over(lease, 3)
        assert stores.ledger.entry(TARGET_ID, STREAM, 1) is None

        stores.payloads.restore(make_events(4), BACK)

        assert sorted(due_positions(stores, now=NOW + PLENTY)) == [1, 2]
        assert classes(stores) == {Class.DELIVERED: 1, Class.IN_BACKOFF: 1, Class.OWED: 2}
        assert stores.ledger.entry(TARGET_ID, STREAM, 1) is not None

    def test_release_and_grant_owe_nothing_that_is_gone(self, stores: Stores) -> None:
        """Once it comes back it is owed like the others."""
        granted(stores, make_events(3), from_position=2)
        stores.holds.hold(STREAM, [2], reason="", actor="me", at=NOW)
        stores.payloads.purge(STREAM, [1, 2], GC)
        stores.ledger.pass_over(leased(stores), 3)

        stores.holds.release(STREAM, [2], actor="me", at=NOW)
        grant(stores)

        assert [stores.ledger.entry(TARGET_ID, STREAM, each) for each in (1, 2)] == [None, None]
        stores.payloads.restore(make_events(3), BACK)
        assert sorted(due_positions(stores, now=NOW + PLENTY)) == [1, 2, 3]

    def test_nothing_that_is_gone_is_opened_again(self, stores: Stores) -> None:
        """An operator is told that its payload is not there."""
        granted(stores, make_events(2))
        answered(stores, leased(stores), dict.fromkeys((1, 2), Outcome.SUCCESS))
        stores.payloads.purge(STREAM, [1], GC)

        found = stores.desk.standings(TARGET_ID, STREAM, {Outcome.SUCCESS}, after=0, upto=2, at=NOW)

        assert [each.has_text for each in found] == [False, True]

    def test_a_page_counts_only_the_text_that_is_there(self, stores: Stores) -> None:
        """What is gone takes no room in it."""
        stores.journal.append(STREAM, make_events(4), at=NOW)
        stores.payloads.purge(STREAM, [1, 2], GC)

        size = len(make_envelope("e1"))
        page = stores.journal.entries(STREAM, max_bytes=size)

        assert [entry.position for entry in page] == [1, 2, 3]

    def test_a_unit_that_fails_lets_nothing_go(self, stores: Stores) -> None:
        """Payload, record and counts are those of before."""
        stores.journal.append(STREAM, make_events(2), at=NOW)
        before = stores.journal.entries(STREAM)

        with suppress(ZeroDivisionError), stores.atomic():
            stores.payloads.purge(STREAM, [1], GC)
            raise ZeroDivisionError

        assert stores.journal.entries(STREAM) == before
        assert (stores.payloads.purges(), stores.payloads.counts()) == ([], PurgedCounts())

    def test_what_old_files_held_stays_known(self, stores: Stores) -> None:
        """Its digests are those of before, its text is gone on record."""
        event = read_event(write_document({"event_id": "e1", "x": 1}))
        stores.journal.append(STREAM, [event], at=NOW)
        stores.payloads.purge(STREAM, [1], GC)

        stored = stores.legacy.stored(["e1"], with_text=True)["e1"]

        assert (stored.digest, stored.text) == (event.digest, None)
