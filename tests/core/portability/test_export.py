"""What `export` hands out, from any journal."""

from itertools import pairwise

import attrs

from eventsync_core.events import Event, Hold, read_event
from eventsync_core.journal import Entry, MemoryJournal
from eventsync_core.portability import Exported, export
from eventsync_core.testing import make_event


def _journal(**streams: list[Event]) -> MemoryJournal:
    journal = MemoryJournal()
    for stream, events in streams.items():
        journal.append(stream, events, at=1)
    return journal


def _exported(journal: MemoryJournal, stream: str | None = None) -> tuple[Exported, list[str]]:
    written: list[str] = []
    found = export(journal, written.append, stream=stream)
    return found, "".join(written).splitlines()


def test_one_stream() -> None:
    """Its events in order, and how many streams were left."""
    journal = _journal(b=[make_event("b1"), make_event("b2")], a=[make_event("a1")])
    journal.next_lamport("empty")

    found, lines = _exported(journal, "b")

    assert found == Exported(events=2, streams=1, other_streams=1)
    assert lines == [make_event("b1").text, make_event("b2").text]


def test_all_streams() -> None:
    """In order of their names; one that holds no event is none."""
    journal = _journal(b=[make_event("b1")], a=[make_event("a1"), make_event("a2")])
    journal.next_lamport("empty")

    found, lines = _exported(journal)

    assert found == Exported(events=3, streams=2)
    assert lines == [make_event(name).text for name in ("a1", "a2", "b1")]


def test_an_unknown_stream() -> None:
    """Nothing of it, all others are left."""
    assert _exported(_journal(a=[make_event("a1")]), "x") == (Exported(other_streams=1), [])


def test_held_events_go_out_too() -> None:
    """Whatever holds them."""
    twice = read_event('{"event_id":"e2","x":1,"x":2}')
    assert twice.hold is Hold.INVALID
    journal = _journal(s=[make_event("e1"), twice])
    journal.mark("s", 1, Hold.OPERATOR, "wait")

    assert _exported(journal, "s")[1] == [make_event("e1").text, twice.text]


def test_no_more_than_a_mebibyte_at_a_time() -> None:
    """However many events there are; one larger event goes by itself."""
    small = [make_event(f"s{n}", x="." * 300_000) for n in range(7)]
    journal = _journal(s=[*small, make_event("big", x="." * 3_000_000), make_event("last")])
    written: list[str] = []
    reached: list[int] = []

    export(journal, written.append, stream="s", progress=reached.append)

    assert [len(page.splitlines()) for page in written] == [3, 3, 1, 1, 1]
    assert reached == [3, 6, 7, 8, 9]
    assert "".join(written).splitlines() == [e.event.text for e in journal.entries("s")]


def test_thousands_of_small_events() -> None:
    """In pages too."""
    journal = _journal(s=[make_event(f"e{n}") for n in range(2_500)])
    reached: list[int] = []

    export(journal, lambda _: None, progress=reached.append)

    assert reached[-1] == 2_500
    assert all(after - before <= 1_000 for before, after in pairwise([0, *reached]))


def test_what_comes_meanwhile_is_left_out() -> None:
    """An export has an end, even where capture has none."""
    journal = _journal(a=[make_event("a1")], b=[make_event("b1")])
    written: list[str] = []

    def write(lines: str) -> None:
        written.append(lines)
        number = len(written)
        journal.append("a", [make_event(f"a-new{number}")], at=2)
        journal.append("b", [make_event(f"b-new{number}")], at=2)
        journal.append("c", [make_event(f"c-new{number}")], at=2)

    assert export(journal, write) == Exported(events=2, streams=2)
    assert "".join(written).splitlines() == [make_event("a1").text, make_event("b1").text]


def test_a_text_that_was_changed_never_goes_out() -> None:
    """It is named, and all others go out."""
    journal = _journal(s=[make_event("e1"), make_event("e2", n=1)])
    entry = journal._streams["s"][1]
    other = attrs.evolve(entry.event, text=make_event("e2", n=2).text)
    journal._streams["s"][1] = attrs.evolve(entry, event=other)

    found, lines = _exported(journal, "s")

    assert lines == [make_event("e1").text]
    ((stream, damaged),) = found.damaged.first
    assert (stream, damaged.position, damaged.event_id) == ("s", 2, "e2")


class _WithGaps(MemoryJournal):
    """As a journal is once texts are not there any more."""

    def entries(
        self, stream: str, *, after: int = 0, limit: int = 1000, max_bytes: int | None = None
    ) -> list[Entry]:
        found = [each for each in super().entries(stream) if each.position in (2, 3, 5)]
        return [each for each in found if each.position > after][:limit]


def test_events_without_text_are_counted() -> None:
    """At the start, between others and at the end; the others go out."""
    journal = _WithGaps()
    journal.append("s", [make_event(f"e{n}") for n in range(1, 7)], at=1)

    found, lines = _exported(journal, "s")

    assert (found.events, found.streams, found.damaged.count) == (3, 1, 3)
    assert [each.position for _, each in found.damaged.first] == [1, 4, 6]
    assert lines == [make_event(name).text for name in ("e2", "e3", "e5")]
