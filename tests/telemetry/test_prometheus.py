"""`sync status --prometheus`: the same truth as `sync status --json`, as metrics."""

import re
from pathlib import Path

import pytest

from eventsync_adapters.server import Serving
from eventsync_core.telemetry import METRICS, Instrument
from eventsync_core.telemetry._metrics import prometheus_name
from tests.cli.bad_input import check_told, fails
from tests.cli.conftest import Run


def _values(text: str) -> dict[str, float]:
    pairs = [line.rsplit(" ", 1) for line in text.splitlines() if not line.startswith("#")]
    return {name: float(value) for name, value in pairs}


def test_it_says_what_the_status_says(run: Run, events: Path, receiver: Serving) -> None:
    """Each class of each stream with each target, and what is owed."""
    run("capture", str(events))
    run("sync", "mode", "EXTERNAL_RECEIVER", "--endpoint", f"{receiver.url}/in")
    run("sync", "now", "--budget-events", "7")

    ran = run("sync", "status", "--prometheus")
    document = run("sync", "status", "--json").document

    assert ran.code == 0
    values = _values(ran.out)
    assert values["eventsync_events_retained"] == 20
    (target,) = document["targets"]
    (stream,) = target["streams"]
    who = f'target_id="{target["target_id"]}",stream="default"'
    for name, count in stream["classes"].items():
        assert values[f'eventsync_target_events{{{who},class="{name}"}}'] == count
    assert values[f"eventsync_target_owed{{{who}}}"] == target["remaining_owed"]
    assert values[f"eventsync_target_granted{{{who}}}"] == 1
    storage = document["storage"]
    assert values["eventsync_database_size_bytes"] == storage["file_bytes"]
    assert values["eventsync_database_unused_bytes"] == storage["free_bytes"]
    assert values["eventsync_database_wal_bytes"] == storage["wal_bytes"]
    assert values["eventsync_events_size_bytes"] == storage["payload_bytes"]
    assert values['eventsync_stream_size_bytes{stream="default"}'] == storage["payload_bytes"]
    for metric, key in (
        ("since_progress", "seconds_since_progress"),
        ("oldest_owed_age", "seconds_since_oldest_owed"),
    ):
        told = values[f'eventsync_target_{metric}_seconds{{target_id="{target["target_id"]}"}}']
        assert 0 <= told <= target[key]


def test_every_gauge_is_told(run: Run, events: Path, receiver: Serving) -> None:
    """And nothing else: what is measured while a host works is not known here."""
    run("capture", str(events))
    run("sync", "mode", "EXTERNAL_RECEIVER", "--endpoint", f"{receiver.url}/in")
    receiver.stop()
    receiver.close()
    run("sync", "now")

    ran = run("sync", "status", "--prometheus")

    told = set(re.findall(r"^# TYPE (\S+) gauge$", ran.out, flags=re.M))
    gauges = {prometheus_name(each) for each in METRICS if each.instrument is Instrument.GAUGE}
    missing = gauges - told
    assert told <= gauges
    # Only where something does not hold together, was delivered before, or is owed for a time.
    assert missing <= {
        "eventsync_reason",
        "eventsync_target_since_delivery_seconds",
        "eventsync_target_oldest_owed_seconds",
        "eventsync_target_oldest_owed_age_seconds",
        "eventsync_target_since_progress_seconds",
    }
    assert 'eventsync_gate_closed{gate="network_unavailable"} 1\n' in ran.out


def test_on_a_fresh_home(run: Run, home: Path) -> None:
    """Nothing is stored, nothing is made."""
    ran = run("sync", "status", "--prometheus")

    assert (ran.code, _values(ran.out)["eventsync_events_retained"]) == (0, 0)
    assert not home.exists()


def test_of_a_store_that_cannot_be_read(run: Run, home: Path, events: Path) -> None:
    """That is told, no count is, and it ends like the status."""
    run("capture", str(events))
    (home / "eventsync" / "eventsync.db").write_bytes(b"junk" * 4_000)

    ran = check_told(run("sync", "status", "--prometheus"), 5, "store_unreadable")

    values = _values(ran.out)
    assert values["eventsync_up"] == 0
    assert values['eventsync_reason{code="store_unreadable"}'] == 1
    assert "eventsync_events_retained" not in values


@pytest.mark.parametrize("option", ["--json", "--check"])
def test_it_is_a_stream(run: Run, option: str) -> None:
    """And refuses what it cannot be."""
    ran = run("sync", "status", "--prometheus", option)

    assert ran.code == 64
    assert f"has no {option}" in ran.out + ran.err
    fails(run, "sync", "status", "--prometheus", "--check", code=64, error="usage")
