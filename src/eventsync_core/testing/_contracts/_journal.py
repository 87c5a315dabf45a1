import pytest

from eventsync_core.events import Producer, read_event
from eventsync_core.journal import Appended, Head, MemoryJournal, chain_start
from eventsync_core.payloads import Act, Deed
from eventsync_core.stores import Stores
from eventsync_core.testing._agreement import verified_head
from eventsync_core.testing._builders import make_envelope, make_event, make_events
from eventsync_core.testing._contracts._steps import NOW, STREAM


class JournalContract:
    """Subclass, provide a `stores` fixture, and every promise of `Journal` is checked."""

    def test_an_empty_journal_has_nothing(self, stores: Stores) -> None:
        """Nothing stored means no heads, no entries and no event found."""
        assert stores.journal.heads() == []
        assert stores.journal.entries(STREAM) == []
        assert stores.journal.find("e1") is None

    def test_append_says_what_became_of_each(self, stores: Stores) -> None:
        """One result per event, in the order handed in."""
        appended = stores.journal.append(STREAM, make_events(3), at=NOW)

        assert [Appended(f"e{n}", STREAM, n, "stored") for n in (1, 2, 3)] == appended

    def test_appending_nothing_stores_nothing(self, stores: Stores) -> None:
        """No event gives no result and no stream."""
        assert stores.journal.append(STREAM, [], at=NOW) == []
        assert stores.journal.heads() == []

    def test_positions_have_no_gaps(self, stores: Stores) -> None:
        """Known events between new ones take no position."""
        stores.journal.append(STREAM, [make_event("e1")], at=NOW)
        events = [make_event("e2"), make_event("e1"), make_event("e1", x=1), make_event("e3")]

        appended = stores.journal.append(STREAM, events, at=NOW)

        assert [item.state for item in appended] == ["stored", "duplicate", "conflict", "stored"]
        assert [entry.position for entry in stores.journal.entries(STREAM)] == [1, 2, 3]

    def test_every_stream_counts_from_one(self, stores: Stores) -> None:
        """The first entry of each stream stands at position 1."""
        for stream in ("a", "b"):
            (appended,) = stores.journal.append(stream, [make_event(stream)], at=NOW)

            assert Appended(stream, stream, 1, "stored") == appended

    def test_the_stored_text_is_the_text_handed_in(self, stores: Stores) -> None:
        """Spaces, escapes, numbers and local-only keys come back byte for byte."""
        text = ' {"n":1.50, "event_id":"e1","ü":"\\u00fc","drain_blocked_reason":null}\n'
        stores.journal.append(STREAM, [read_event(text)], at=NOW)

        (entry,) = stores.journal.entries(STREAM)

        assert text == entry.event.text
        assert read_event(text) == entry.event

    def test_all_facts_of_an_event_come_back(self, stores: Stores) -> None:
        """Type, aggregate, project and digests are those of the event handed in."""
        event = make_event(
            "e1", event_type="T", aggregate_id="a", aggregate_type="wp", project_uuid="P1"
        )
        stores.journal.append("p1", [event], at=NOW)

        (entry,) = stores.journal.entries("p1")

        assert event == entry.event
        assert entry.captured_at == NOW

    def test_each_entry_keeps_its_producer(self, stores: Stores) -> None:
        """Of many producers, of one that says little, and of none."""
        ann = Producer(user="ann", team="one", installation="a")
        said = [ann, Producer(installation="ü 2"), None, Producer(), ann]

        for event, producer in zip(make_events(5), said, strict=True):
            stores.journal.append(STREAM, [event], at=NOW, producer=producer)

        assert [entry.producer for entry in stores.journal.entries(STREAM)] == said
        found = [stores.journal.find(f"e{number}") for number in range(1, 6)]
        assert [entry.producer for entry in found if entry] == said

    def test_producers_that_share_a_part_are_not_mixed_up(self, stores: Stores) -> None:
        """Also across streams, and where the same name stands in another part."""
        said = [
            Producer(user=user, team=team, installation=installation)
            for user in ("", "x", "X")
            for team in ("", "x")
            for installation in ("", "x")
        ]

        for number, producer in enumerate(said):
            event = make_event(f"e{number}")
            stores.journal.append(f"s{number % 2}", [event], at=NOW, producer=producer)

        found = [stores.journal.find(f"e{number}") for number in range(len(said))]
        assert [entry.producer for entry in found if entry] == said

    def test_a_producer_is_kept_with_the_new_ones_only(self, stores: Stores) -> None:
        """A duplicate or a conflict by somebody else changes nothing."""
        one, other = Producer(user="one"), Producer(user="other")
        stores.journal.append(STREAM, [make_event("e1"), make_event("e2")], at=NOW, producer=one)
        events = [make_event("e1"), make_event("e2", x=1), make_event("e3")]

        appended = stores.journal.append(STREAM, events, at=NOW, producer=other)
        stores.journal.append(STREAM, [make_event("e3")], at=NOW)

        assert [item.state for item in appended] == ["duplicate", "conflict", "stored"]
        assert [entry.producer for entry in stores.journal.entries(STREAM)] == [one, one, other]

    def test_what_an_entry_follows_from(self, stores: Stores) -> None:
        """The stream's own start, or what is noted of the entry before and computed of it."""
        stores.journal.append(STREAM, make_events(3), at=NOW)
        chains = [entry.chain for entry in stores.journal.entries(STREAM)]

        found = [stores.journal.chains_before(STREAM, position) for position in range(1, 6)]

        start = (chain_start(STREAM),)
        assert found == [start, *[(chain,) for chain in chains], ()]
        assert stores.journal.chains_before(STREAM, 4, reach=9) == (chains[-1],)

    def test_a_producer_is_no_part_of_the_chain(self, stores: Stores) -> None:
        """The head is the one that the same events have without."""
        stores.journal.append(STREAM, make_events(3), at=NOW, producer=Producer(user="one"))

        head = verified_head(STREAM, stores.journal.entries(STREAM), lamport=0)

        assert [head] == stores.journal.heads()
        without = MemoryJournal()
        without.append(STREAM, make_events(3), at=NOW)
        assert without.heads() == [head]

    def test_an_invalid_event_is_held(self, stores: Stores) -> None:
        """It is stored with its hold and reason, and takes a position."""
        event = read_event('{"event_id":"e1","x":1,"x":2}')

        (appended,) = stores.journal.append(STREAM, [event], at=NOW)

        assert Appended("e1", STREAM, 1, "held") == appended
        assert [event] == [entry.event for entry in stores.journal.entries(STREAM)]

    def test_a_duplicate_changes_nothing(self, stores: Stores) -> None:
        """A canonically equal event is a duplicate, and the first bytes stay."""
        stores.journal.append(STREAM, [make_event("e1", x=1)], at=NOW)
        respelt = read_event('{ "x":1, "event_id":"e1"}')

        (appended,) = stores.journal.append(STREAM, [respelt], at=NOW + 1)

        assert Appended("e1", STREAM, 1, "duplicate") == appended
        (entry,) = stores.journal.entries(STREAM)
        assert (make_envelope("e1", x=1), NOW) == (entry.event.text, entry.captured_at)

    def test_a_conflict_changes_nothing(self, stores: Stores) -> None:
        """Other content under a known id is refused, and the first survives."""
        stores.journal.append(STREAM, [make_event("e1")], at=NOW)
        before = (stores.journal.entries(STREAM), stores.journal.heads())

        (appended,) = stores.journal.append(STREAM, [make_event("e1", x=1)], at=NOW)

        assert Appended("e1", STREAM, 1, "conflict") == appended
        assert before == (stores.journal.entries(STREAM), stores.journal.heads())

    def test_an_id_is_known_in_every_stream(self, stores: Stores) -> None:
        """For another stream the result names the one that holds it."""
        stores.journal.append("a", [make_event("e0"), make_event("e1")], at=NOW)

        appended = stores.journal.append("b", [make_event("e1"), make_event("e1", x=1)], at=NOW)

        assert [Appended("e1", "a", 2, "duplicate"), Appended("e1", "a", 2, "conflict")] == appended
        assert stores.journal.entries("b") == []

    def test_the_first_of_two_in_one_call_is_stored(self, stores: Stores) -> None:
        """An id that comes twice in one call is judged as if it came in two."""
        events = [make_event("e1"), make_event("e1"), make_event("e1", x=1)]

        appended = stores.journal.append(STREAM, events, at=NOW)

        assert [item.state for item in appended] == ["stored", "duplicate", "conflict"]
        assert events[:1] == [entry.event for entry in stores.journal.entries(STREAM)]

    def test_a_call_with_only_known_events_makes_no_stream(self, stores: Stores) -> None:
        """A stream begins with its first entry."""
        stores.journal.append("a", [make_event("e1")], at=NOW)
        stores.journal.append("b", [make_event("e1")], at=NOW)

        assert [
            (head.stream, head.position) for head in stores.journal.heads() if head.position
        ] == [("a", 1)]

    def test_find_returns_the_entry(self, stores: Stores) -> None:
        """It is the same as in its stream; ids differ by case."""
        stores.journal.append(STREAM, [make_event("e1"), make_event("E1")], at=NOW)

        assert stores.journal.entries(STREAM)[0] == stores.journal.find("e1")
        assert stores.journal.entries(STREAM)[1] == stores.journal.find("E1")
        assert stores.journal.find("e2") is None

    def test_entries_are_paged_in_order(self, stores: Stores) -> None:
        """A page begins above `after` and holds at most `limit`."""
        stores.journal.append(STREAM, make_events(5), at=NOW)

        pages = [stores.journal.entries(STREAM, after=after, limit=2) for after in (0, 2, 4, 5)]

        assert [[entry.position for entry in page] for page in pages] == [[1, 2], [3, 4], [5], []]

    def test_positions_are_those_of_the_entries(self, stores: Stores) -> None:
        """They are paged like the entries, and those without payload are among them."""
        stores.journal.append(STREAM, make_events(5), at=NOW)
        stores.journal.append("other", [make_event("o1")], at=NOW)
        stores.payloads.purge(STREAM, [3], Deed(act=Act.GC, actor="me", at=NOW))

        pages = [stores.journal.positions(STREAM, after=after, limit=2) for after in (0, 2, 4, 5)]

        assert pages == [[1, 2], [3, 4], [5], []]
        assert stores.journal.positions(STREAM) == [1, 2, 3, 4, 5]
        assert stores.journal.positions("unknown") == []

    @pytest.mark.parametrize(("max_bytes", "count"), [(0, 1), (59, 1), (60, 2), (89, 2), (90, 3)])
    def test_a_page_holds_no_more_text_than_fits(
        self, stores: Stores, max_bytes: int, count: int
    ) -> None:
        """Bytes are counted, not characters; one entry comes however large it is."""
        texts = [f'{{"event_id":"e{n}","x":"üüü"}}' for n in range(1, 5)]
        assert {len(text.encode()) for text in texts} == {30}
        stores.journal.append(STREAM, [read_event(text) for text in texts], at=NOW)

        page = stores.journal.entries(STREAM, limit=3, max_bytes=max_bytes)

        assert [entry.event.text for entry in page] == texts[:count]
        assert stores.journal.entries(STREAM, after=4, max_bytes=max_bytes) == []

    def test_entries_belong_to_one_stream(self, stores: Stores) -> None:
        """Other streams do not show, however alike their names."""
        stores.journal.append("a", [make_event("e1")], at=NOW)
        stores.journal.append("a%", [make_event("e2")], at=NOW)

        assert [entry.event.event_id for entry in stores.journal.entries("a%")] == ["e2"]

    def test_heads_come_in_order_of_names(self, stores: Stores) -> None:
        """Names are compared by code point."""
        for stream in ("b", "ü", "a", "a-b"):
            stores.journal.append(stream, [make_event(stream)], at=NOW)

        assert [head.stream for head in stores.journal.heads()] == ["a", "a-b", "b", "ü"]

    def test_the_chain_verifies(self, stores: Stores) -> None:
        """Positions and running hashes are those of the rules; the head is the last of them."""
        stores.journal.append(STREAM, make_events(3), at=NOW)
        stores.journal.append(STREAM, [make_event("Ünï")], at=NOW)

        head = verified_head(STREAM, stores.journal.entries(STREAM), lamport=0)

        assert [head] == stores.journal.heads()

    def test_clocks_grow(self, stores: Stores) -> None:
        """Each is above all handed out before."""
        clocks = [stores.journal.next_lamport(STREAM) for _ in range(3)]

        assert clocks == [1, 2, 3]

    def test_a_clock_is_above_what_was_seen(self, stores: Stores) -> None:
        """A larger one seen elsewhere moves it; a smaller one does not move it back."""
        clocks = [stores.journal.next_lamport(STREAM, seen=seen) for seen in (7, 3, 8)]

        assert clocks == [8, 9, 10]

    def test_each_stream_has_its_own_clock(self, stores: Stores) -> None:
        """Clocks of another stream do not count; the head shows the largest handed out."""
        stores.journal.append("a", [make_event("e1")], at=NOW)
        stores.journal.next_lamport("a", seen=4)
        stores.journal.next_lamport("b")

        assert [(head.stream, head.lamport) for head in stores.journal.heads()] == [
            ("a", 5),
            ("b", 1),
        ]

    def test_a_clock_before_the_first_entry_changes_no_position(self, stores: Stores) -> None:
        """The stream's head stands at 0 with the chain's start, and its first entry at 1."""
        stores.journal.next_lamport(STREAM)

        assert [Head(STREAM, 0, chain_start(STREAM), 1)] == stores.journal.heads()
        (appended,) = stores.journal.append(STREAM, [make_event()], at=NOW)
        assert appended.position == 1

    def test_a_large_page_is_stored_whole(self, stores: Stores) -> None:
        """A thousand events in one call stand at a thousand consecutive positions."""
        appended = stores.journal.append(STREAM, make_events(1_000), at=NOW)

        assert list(range(1, 1_001)) == [item.position for item in appended]
        assert len(stores.journal.entries(STREAM)) == 1_000
