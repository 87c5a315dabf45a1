"""A due row of which one flipped bit made another time: the ledger's time is the one that holds."""

import json
from pathlib import Path

import pytest

from eventsync_adapters.server import Serving
from tests.cli.conftest import Run
from tests.cli.listeners import listening
from tests.damage.damaging import unguarded
from tests.damage.flipping import answer, make_home, ran

_ROW_HEADER = b"\x08\x09\x09\x1d\x06"  # eight bytes; target and stream are 1, lane, due_at


@pytest.mark.parametrize("bit", [0, 1])
def test_it_is_offered_to_nobody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, bit: int) -> None:
    """Once it is due again beside that row, the event is sent once, and the drain ends."""
    monkeypatch.setenv("SPEC_KITTY_HOME", "")
    with listening(answer) as listener:
        home = make_home(tmp_path, listener.url)
        home.fresh()
        content = (home.place / "eventsync" / "eventsync.db").read_bytes()
        assert content.count(_ROW_HEADER) == 1
        home.flip("eventsync/eventsync.db", content.index(_ROW_HEADER) + 4, bit)

        codes = [ran("sync", word)[0] for word in ("now", "retry", "now")]

        sent = [
            event["event_id"]
            for each in listener.heard
            if each.body
            for event in json.loads(each.body)["events"]
        ]
    assert codes == [3, 0, 3]
    assert sent.count("e2") == 2  # when it was made, and after the retry


def test_nothing_waits_behind_it(run: Run, home: Path, events: Path, receiver: Serving) -> None:
    """What comes later of the same aggregate goes."""
    event = '{"event_id": "%s", "aggregate_id": "a", "project_uuid": "p"}\n'
    run("sync", "mode", "EXTERNAL_RECEIVER", "--endpoint", receiver.url)
    run("target", "grant", "--project", "p")
    events.write_text("".join(event % name for name in ("e1", "e2")))
    run("capture", str(events))
    assert run("sync", "now", "--json").document["counts"]["delivered"] == 2
    row = (
        "INSERT INTO due SELECT l.target_no, l.stream_id, 'first', 1, e.position, e.aggregate, 1 "
        "FROM ledger l JOIN entries e ON e.stream_id = l.stream_id AND e.position = l.position "
        "WHERE e.position = 1"
    )
    unguarded(home / "eventsync" / "eventsync.db", (row, ()))
    events.write_text(event % "e3")
    run("capture", str(events))

    assert run("sync", "now", "--json").document["counts"]["delivered"] == 1
