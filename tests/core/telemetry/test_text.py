"""The text format: names, help and types that stay, labels that cannot break a line."""

import re
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from eventsync_core.telemetry import METRICS, prometheus_text
from eventsync_core.telemetry._metrics import prometheus_name

_SAMPLE = re.compile(r'([a-z_]+)(?:\{((?:[a-z_]+="(?:[^"\\\n]|\\[\\"n])*",?)*)\})? (-?[0-9.e+]+)')


def document(**more: Any) -> dict[str, Any]:
    """Return what `sync status` answers, as far as it is looked at."""
    return {
        "ok": True,
        "reasons": [],
        "gates": [],
        "foreground": {"package_version": "1.2"},
        "event_journal": {
            "retained_event_count": 3,
            "archived_event_count": 0,
            "oldest_retained_event_at": "1970-01-01T00:00:02.500000+00:00",
            "journal_size_bytes": 4096,
        },
        "storage": {
            "file_bytes": 8192,
            "free_bytes": 512,
            "wal_bytes": 0,
            "streams": [{"stream": "default", "payload_bytes": 4096}],
        },
        "terminal_failures": {"count": 0},
        "body_upload_compatibility": {
            "body_upload_queue_count": 1,
            "body_upload_failure_log_count": 0,
        },
        "waiting_sources_count": 0,
        "migration_conflicts": {"count": 0},
        "targets": [],
        **more,
    }


def target(**more: Any) -> dict[str, Any]:
    """Return what it says of a target."""
    return {
        "target_id": "tgt_1",
        "url": "https://a",
        "kind": "teamspace",
        "is_current": True,
        "paused": "",
        "back_off": None,
        "remaining_owed": 1,
        "seconds_since_delivery": None,
        "seconds_since_progress": None,
        "oldest_owed_at": None,
        "seconds_since_oldest_owed": None,
        "streams": [
            {
                "stream": "default",
                "granted": True,
                "classes": {"delivered": 2, "owed": 1},
                "remaining_owed": 1,
            }
        ],
        **more,
    }


def test_it_reads_like_this() -> None:
    """Help and type before the values; numbers as they are."""
    waits = {"seconds_since_delivery": 1.5, "seconds_since_progress": 2.5}
    oldest = {"oldest_owed_at": "1970-01-01T00:00:09+00:00", "seconds_since_oldest_owed": 7.0}

    text = prometheus_text(document(targets=[target(**waits, **oldest)]))

    assert text.startswith(
        "# HELP eventsync_build Always 1; the version that runs.\n"
        "# TYPE eventsync_build gauge\n"
        'eventsync_build{version="1.2"} 1\n'
    )
    for line in (
        "eventsync_up 1",
        "eventsync_events_retained 3",
        "eventsync_events_oldest_retained_seconds 2.5",
        "eventsync_events_size_bytes 4096",
        'eventsync_stream_size_bytes{stream="default"} 4096',
        "eventsync_database_size_bytes 8192",
        "eventsync_database_unused_bytes 512",
        "eventsync_database_wal_bytes 0",
        'eventsync_target_events{target_id="tgt_1",stream="default",class="owed"} 1',
        'eventsync_target_since_delivery_seconds{target_id="tgt_1"} 1.5',
        'eventsync_target_since_progress_seconds{target_id="tgt_1"} 2.5',
        'eventsync_target_all_owed{target_id="tgt_1"} 1',
        'eventsync_target_oldest_owed_seconds{target_id="tgt_1"} 9',
        'eventsync_target_oldest_owed_age_seconds{target_id="tgt_1"} 7',
    ):
        assert f"\n{line}\n" in text


def test_what_is_unknown_is_left_out() -> None:
    """It is never zero; that the store is down is told."""
    journal, storage = (dict.fromkeys(document()[each]) for each in ("event_journal", "storage"))
    storage["streams"] = []

    text = prometheus_text(document(event_journal=journal, storage=storage, ok=False))

    assert "eventsync_up 0\n" in text
    assert "eventsync_coherent 0\n" in text
    assert "retained" not in text
    assert "database" not in text


@given(st.lists(st.text(), max_size=3, unique=True), st.text())
def test_every_line_can_be_read(streams: list[str], url: str) -> None:
    """Whatever others wrote stands in a label, and a metric's lines stand together."""
    shape = target()["streams"][0]
    found = target(url=url, streams=[{**shape, "stream": each} for each in streams])

    text = prometheus_text(document(targets=[found]))

    seen: list[str] = []
    for line in text.split("\n")[:-1]:
        if line.startswith("# TYPE "):
            seen.append(line.split(" ")[2])
        elif not line.startswith("# HELP "):
            matched = _SAMPLE.fullmatch(line)
            assert matched, line
            assert matched[1] == seen[-1]
    assert len(set(seen)) == len(seen)
    assert text.endswith("\n")


def test_each_metric_has_one_name() -> None:
    """Here and there."""
    assert len({metric.name for metric in METRICS}) == len(METRICS)
    assert len({prometheus_name(metric) for metric in METRICS}) == len(METRICS)
    for metric in METRICS:
        assert re.fullmatch(r"eventsync(\.[a-z_]+)+", metric.name)
        assert "\n" not in metric.help
