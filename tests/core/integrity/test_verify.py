from collections.abc import Callable

import attrs
import pytest

from eventsync_core.events import read_event
from eventsync_core.integrity import Verified, verify
from eventsync_core.journal import Entry, Flaw, MemoryJournal


def _journal(count: int = 5) -> MemoryJournal:
    journal = MemoryJournal()
    journal.append("s", [read_event(f'{{"event_id":"e{n}"}}') for n in range(count)], at=1)
    return journal


def _damage(journal: MemoryJournal, place: int, change: Callable[[Entry], Entry]) -> None:
    entries = journal._streams["s"]
    entries[place] = change(entries[place])


def _other_text(entry: Entry) -> Entry:
    return attrs.evolve(entry, event=attrs.evolve(entry.event, text='{"event_id":"x"}'))


def _other_canonical(entry: Entry) -> Entry:
    return attrs.evolve(entry, event=attrs.evolve(entry.event, canonical_digest=b"x"))


def test_a_sound_stream_holds() -> None:
    """Every entry is read, in pages, and the head agrees."""
    reached: list[int] = []

    found = verify(_journal(), "s", page=2, progress=reached.append)

    assert (found.is_intact, found.good, found.head, found.bad) == (True, 5, 5, 0)
    assert reached == [2, 4, 5]


def test_an_unknown_stream_is_empty_and_intact() -> None:
    """There is nothing that could be wrong."""
    assert verify(MemoryJournal(), "none").is_intact


@pytest.mark.parametrize(
    ("change", "flaw"),
    [
        (_other_text, Flaw.DIGEST),
        (_other_canonical, Flaw.CANONICAL_DIGEST),
        (lambda entry: attrs.evolve(entry, chain=b"x" * 32), Flaw.CHAIN),
        (lambda entry: attrs.evolve(entry, position=9), Flaw.POSITION),
    ],
)
def test_the_first_flaw_is_named(change: Callable[[Entry], Entry], flaw: Flaw) -> None:
    """The position, its reason, and how many others are good."""
    journal = _journal()
    _damage(journal, 2, change)

    found = verify(journal, "s")

    assert (found.first_bad, found.flaw, found.is_intact) == (3, flaw, False)
    assert found.good >= 2
    assert found.reason


def test_a_head_that_disagrees_is_a_flaw() -> None:
    """The last chain must be the head's."""
    journal = _journal()
    heads = [attrs.evolve(head, chain=b"x") for head in journal.heads()]

    class _Lying(MemoryJournal):
        def heads(self):
            return heads

    lying = _Lying(journal._streams, journal._ids)

    assert verify(lying, "s").flaw is Flaw.HEAD


def test_a_walk_that_begins_at_an_altered_chain_goes_on_behind_it() -> None:
    """What follows from the entries before it is good, as in a walk over all."""
    journal = _journal()
    _damage(journal, 2, lambda entry: attrs.evolve(entry, chain=b"x" * 32))

    found = verify(journal, "s", since=Verified(3, b"x" * 32))

    assert (found.is_intact, found.good, found.skipped) == (True, 2, 3)
