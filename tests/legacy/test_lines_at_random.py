"""Any number of migrations, while another program appends to the file at any moment."""

import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest import mock

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from eventsync_adapters.legacy_queues import find_sources
from eventsync_adapters.legacy_queues._lines import LineFile, LinesEmptying
from eventsync_core.migration import Migration, MigrationRules, migrate
from eventsync_core.stores import MemoryStores, Stores
from eventsync_core.testing import ManualClock
from tests.effort import examples
from tests.legacy.old import envelope

_LINE = st.one_of(
    st.builds(lambda n, m: envelope(f"e{n}", n=m), st.integers(1, 4), st.integers(0, 1)),
    st.sampled_from(["nonsense", "{}", '{"event_id": ', "  ", ""]),
)
_PIECE = st.builds(lambda line, end: line + end, _LINE, st.sampled_from(["\n", "\n", "\r\n", ""]))
_MOMENTS = {
    "read": (LineFile, "read"),
    "remove": (LinesEmptying, "remove"),
    "settle": (LinesEmptying, "settle"),
}
_STEP = st.tuples(
    _PIECE,
    st.sampled_from(["", *_MOMENTS]),
    st.booleans(),
    st.builds(
        MigrationRules,
        keep_sources=st.booleans(),
        take_quarantined=st.booleans(),
        resolve_all=st.sampled_from([None, "keep-journal", "keep-source"]),
    ),
)


@contextmanager
def _at(moment: str, act: Callable[[], None], *, is_after: bool) -> Iterator[None]:
    """Let *act* happen once, when the method of that moment is called, or as it returns."""
    if not moment:
        act()
        yield
        return
    owner, name = _MOMENTS[moment]
    called = getattr(owner, name)
    done: list[str] = []

    def watched(*arguments: Any) -> Any:
        if not is_after and not done:
            done.append(name)
            act()
        result = called(*arguments)
        if not done:
            done.append(name)
            act()
        return result

    with mock.patch.object(owner, name, watched):
        yield


class Durable(MemoryStores):
    """What is in memory counts as safe here, so that the file is emptied."""

    @property
    def is_durable(self) -> bool:
        return True


def _held(stores: Stores) -> str:
    texts = [
        entry.event.text
        for head in stores.journal.heads()
        for entry in stores.journal.entries(head.stream)
    ]
    raw = [stores.legacy.bytes_of(row.number) or b"" for row in stores.legacy.aside()]
    return "\n".join([*texts, *(each.decode() for each in raw)])


@settings(max_examples=examples(25), deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(_STEP, min_size=1, max_size=5))
def test_no_line_is_lost_or_hidden(steps: list[Any]) -> None:
    """Each is stored, set aside or still in the file; and in the end the file is empty."""
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        file = home / "overflow-1.jsonl"
        file.touch()
        stores, clock = Durable(), ManualClock()
        written: list[str] = []

        def bring(rules: MigrationRules) -> Migration:
            return migrate(stores, find_sources(home).sources, rules, clock=clock)

        for piece, moment, is_after, rules in steps:

            def append(piece: str = piece) -> None:
                written.append(piece)
                with file.open("a", newline="") as opened:
                    opened.write(piece)

            with _at(moment, append, is_after=is_after):
                bring(rules)
            size = len(file.read_bytes())
            assert size == len("".join(written).encode())
        with file.open("a") as opened:
            opened.write("\n")
        done = MigrationRules(take_quarantined=True, resolve_all="keep-journal")
        bring(done)
        last = bring(done)

        assert last.is_clean
        assert file.read_text().split() == []
        kept = _held(stores)
        assert [word for piece in written for word in piece.split() if word not in kept] == []
