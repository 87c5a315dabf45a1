"""What goes out comes back byte for byte, whatever it is."""

from hypothesis import given
from hypothesis import strategies as st

from eventsync_core.capture import capture_many
from eventsync_core.lines import Carried, line_of, read_line
from eventsync_core.payloads import Act, Deed
from eventsync_core.portability import Taking, TakingRules, export
from eventsync_core.stores import MemoryStores
from eventsync_core.testing import envelopes

_NAMES = [f"e{number}" for number in range(6)]
_ODD = st.sampled_from(
    (
        '{"event_id":"o1",\r\n"n":1.50}',
        '{"event_id":"o2","eventsync_text":"{}"}',
        '{"event_id":"o3","eventsync_manifest":{"version":1}}',
        '{"event_id":"o4","eventsync_history":[]}',
        ' {"event_id":"o5", "x":1, "x":2} ',
        '{"event_id":"o6","\\u0065ventsync_text":1}',
    )
)
_TEXTS = st.lists(envelopes(_NAMES) | _ODD, max_size=12)
DEED = Deed(act=Act.IMPORT, actor="me", at=2)


def lines_of(stores: MemoryStores) -> list[str]:
    """Return the lines of an export of everything."""
    written: list[str] = []
    export(stores.journal, written.append)
    return "".join(written).split("\n")[:-1]


@given(texts=_TEXTS)
def test_a_new_home_has_the_same(texts: list[str]) -> None:
    """Taken in again, all goes out again as it did."""
    first, second = MemoryStores(), MemoryStores()
    capture_many(first, texts, at=1)
    lines = lines_of(first)

    taking = Taking(second, TakingRules(deed=DEED), is_preview=False)
    taken = taking.take(list(enumerate(lines, start=1)), at=1)

    assert {each.state for each in taken} <= {"stored", "held"}
    assert lines_of(second) == lines
    for stream in {head.stream for head in first.journal.heads()}:
        assert second.journal.entries(stream) == first.journal.entries(stream)


@given(texts=_TEXTS, picks=st.sets(st.integers(1, 12)))
def test_what_went_comes_back(texts: list[str], picks: set[int]) -> None:
    """The preview says the same as the act."""
    stores = MemoryStores()
    capture_many(stores, texts, at=1)
    lines = list(enumerate(lines_of(stores), start=1))
    before = {head: stores.journal.entries(head.stream) for head in stores.journal.heads()}
    for head in before:
        stores.payloads.purge(head.stream, sorted(picks), Deed(act=Act.GC, actor="me", at=1))

    rules = TakingRules(deed=DEED)
    preview = Taking(stores, rules, is_preview=True).take(lines, at=1)
    taken = Taking(stores, rules, is_preview=False).take(lines, at=1)

    assert [each.state for each in preview] == [each.state for each in taken]
    assert {head: stores.journal.entries(head.stream) for head in before} == before


@given(text=envelopes(_NAMES) | _ODD)
def test_a_line_tells_what_it_is(text: str) -> None:
    """Whatever its text looks like."""
    line = line_of("x", text)

    assert line.count("\n") == 1
    assert read_line(line[:-1]) == Carried(text)
