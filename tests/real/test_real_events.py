"""The main job on real input: 14,123 real lines captured, delivered, delivered again."""

import gzip
import io
import json
from contextlib import ExitStack, redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any

import pytest

from eventsync_adapters import machine
from eventsync_adapters.server import Serving, serve
from eventsync_cli.__main__ import main
from eventsync_core.ingest import Inbox

LINES = Path(__file__).parents[3] / "shared" / "real-events" / "mission-events.jsonl.gz"
PROJECT = "8a4a7da6-a97c-4bb4-893a-b31664abfee4"
DIVERGENT = "01KXJ13YSNKD67KM0KPF19W4HG"

pytestmark = pytest.mark.skipif(not LINES.exists(), reason="../shared with real events is absent")


def run(home: Path, *words: str, code: int = 0) -> dict[str, Any]:
    """Run a command with --json and return its one object."""
    out, err = io.StringIO(), io.StringIO()
    with redirect_stdout(out), redirect_stderr(err):
        ended = main(["--home", str(home), "--json", *words])
    assert ended == code, out.getvalue() + err.getvalue()
    (line,) = out.getvalue().splitlines()
    document: dict[str, Any] = json.loads(line)
    return document


def some_lines(place: Path) -> Path:
    """Write the first 500 lines to *place*, each an event of its own, and return it."""
    lines = gzip.decompress(LINES.read_bytes()).splitlines(keepends=True)
    place.write_bytes(b"".join(lines[:500]))
    return place


def texts_of(inbox: Inbox) -> dict[str, str]:
    """Return everything an inbox holds."""
    found, after = {}, 0
    while page := inbox.received(after=after):
        found.update({event_id: text for _, event_id, text in page})
        after = page[-1].seq
    return found


def captured_lines() -> dict[str, str]:
    """Return the first usable line of each id."""
    found: dict[str, str] = {}
    for line in gzip.decompress(LINES.read_bytes()).decode().splitlines():
        try:
            event_id = json.loads(line)["event_id"]
        except (ValueError, KeyError):
            continue
        found.setdefault(event_id, line)
    return found


def choose(home: Path, serving: Serving) -> None:
    """Make *serving* the current target and grant both streams."""
    endpoint = ("sync", "mode", "EXTERNAL_RECEIVER", "--endpoint", f"{serving.url}/events")
    assert run(home, *endpoint)["will_send"] == 14_042
    assert run(home, *endpoint, "--project", PROJECT)["will_send"] == 14_115


@pytest.mark.requirement("FR-005")
def test_two_receivers_hold_the_very_bytes(tmp_path: Path) -> None:
    """Capture counts are exact; A and B get all 14,115 envelopes; a third pass sends nothing."""
    home = tmp_path / "home"
    captured = run(home, "capture", str(LINES), code=3)
    assert captured["stored"] == 14_115
    assert captured["duplicates"] == 4
    assert captured["held"] == 0
    assert [(item["line"], item["event_id"]) for item in captured["conflicts"]] == [
        (8340, DIVERGENT)
    ]
    assert [(item["line"], item["code"]) for item in captured["refused"]] == [
        (14117, "not_json"),
        (14118, "no_event_id"),
        (14121, "not_json"),
    ]

    with ExitStack() as stack:
        receivers = [
            stack.enter_context(serve(tmp_path / f"{name}.db", clock=machine.now))
            for name in ("a", "b")
        ]
        for serving in receivers:
            serving.start()
            choose(home, serving)
            report = run(home, "sync", "now")
            assert report["counts"]["delivered"] == 14_115
            assert (report["stopped_because"], report["remaining_owed"]) == ("caught_up", 0)
        assert run(home, "sync", "now")["requests"] == 0

        lines = captured_lines()
        assert [texts_of(serving.inbox) for serving in receivers] == [lines, lines]

    verified = run(home, "journal", "verify")
    assert verified["ok"] is True
    status = run(home, "sync", "status")
    assert status["delivery_ledger"]["delivered_current_target"] == 14_115
    assert status["delivery_ledger"]["delivered_previous_target"] == 14_115
    for target in status["targets"]:
        assert all(stream["coherent"] for stream in target["streams"])


def test_the_largest_event_travels_alone(tmp_path: Path) -> None:
    """One line of 438 KB is above the packing budget and within the hard limit."""
    home = tmp_path / "home"
    largest = max(captured_lines().values(), key=len)
    others = [line for line in captured_lines().values() if line != largest][:50]
    source = tmp_path / "some.jsonl"
    source.write_text("\n".join([*others[:25], largest, *others[25:]]))
    run(home, "capture", str(source))
    with serve(None, clock=machine.now) as serving:
        serving.start()
        run(home, "sync", "mode", "EXTERNAL_RECEIVER", "--endpoint", f"{serving.url}/events")
        report = run(home, "sync", "now")
        assert (report["requests"], report["counts"]["delivered"]) == (3, 51)
        assert largest in texts_of(serving.inbox).values()
