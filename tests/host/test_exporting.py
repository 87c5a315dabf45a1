"""A host takes its events out with a function of its own."""

from pathlib import Path

import pytest

from eventsync import Exported, Store, open_store
from eventsync_adapters.files.whole import whole_file
from eventsync_core.errors import NothingOpenError


@pytest.fixture(params=["memory", "home"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    """Return an empty store, in memory and in a home."""
    return open_store(None if request.param == "memory" else tmp_path / "home", project="p")


def test_a_store_without_events_hands_out_nothing(store: Store, tmp_path: Path) -> None:
    """And makes nothing."""
    written: list[str] = []

    assert store.export(written.append) == Exported()
    assert (written, list(tmp_path.iterdir())) == ([], [])


def test_one_project_or_all(store: Store, capfd: pytest.CaptureFixture[str]) -> None:
    """The store's own, a named one, or each; nothing is printed."""
    store.capture('{"event_id" : "p1"}')
    store.capture('{"event_id":"q1"}', project="q")
    written: list[str] = []

    assert store.export(written.append) == Exported(events=1, streams=1, other_streams=1)
    assert store.export(written.append, project="Q").events == 1
    assert store.export(written.append, all_projects=True) == Exported(events=2, streams=2)

    assert "".join(written).splitlines() == ['{"event_id" : "p1"}', '{"event_id":"q1"}'] * 2
    assert capfd.readouterr() == ("", "")


def test_it_may_capture_meanwhile(store: Store) -> None:
    """What comes is left out."""
    store.capture('{"event_id":"e1"}')

    def write(_: str) -> None:
        store.capture('{"event_id":"e2"}')

    assert store.export(write).events == 1
    assert store.export(lambda _: None).events == 2


def test_it_may_be_another_process_that_captured(tmp_path: Path) -> None:
    """A store that captures nothing itself opens nothing for writing."""
    with open_store(tmp_path / "home") as first:
        first.capture('{"event_id":"e1"}')
    with open_store(tmp_path / "home") as second, whole_file(tmp_path / "out.jsonl") as file:
        assert second.export(file.write).events == 1

    assert (tmp_path / "out.jsonl").read_text() == '{"event_id":"e1"}\n'


def test_a_closed_store_exports_nothing(store: Store) -> None:
    """It says so."""
    store.close()

    with pytest.raises(NothingOpenError):
        store.export(lambda _: None)
