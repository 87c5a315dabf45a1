from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

import attrs

from eventsync_core.telemetry import _metrics as m
from eventsync_core.telemetry._metrics import Metric


@attrs.frozen
class Sample:
    """One value of a metric; *labels* in the order of the metric's."""

    metric: Metric
    labels: tuple[str, ...]
    value: float


def samples(document: Mapping[str, Any]) -> Iterator[Sample]:
    """
    Yield what the document of `sync status` says, as values of gauges.

    What is unknown there is left out, and is never zero.
    """
    storage = document["storage"]
    journal, bodies = document["event_journal"], document["body_upload_compatibility"]
    retained = journal["retained_event_count"]
    yield Sample(m.BUILD, (document["foreground"]["package_version"],), 1)
    yield Sample(m.UP, (), retained is not None)
    yield Sample(m.COHERENT, (), bool(document["ok"]))
    codes = [reason["code"] for reason in document["reasons"]]
    for code in sorted(set(codes)):
        yield Sample(m.REASON, (code,), codes.count(code))
    for gate in sorted(set(document["gates"])):
        yield Sample(m.GATE_CLOSED, (gate,), 1)
    for metric, value in (
        (m.RETAINED, retained),
        (m.ARCHIVED, journal["archived_event_count"]),
        (m.OLDEST, _seconds(journal["oldest_retained_event_at"])),
        (m.PAYLOADS, journal["journal_size_bytes"]),
        (m.SIZE, storage["file_bytes"]),
        (m.UNUSED, storage["free_bytes"]),
        (m.WAL, storage["wal_bytes"]),
        (m.FAILED, document["terminal_failures"]["count"]),
        (m.BODIES, bodies["body_upload_queue_count"]),
        (m.BODY_FAILURES, bodies["body_upload_failure_log_count"]),
        (m.WAITING, document["waiting_sources_count"]),
        (m.CONFLICTS, document["migration_conflicts"]["count"]),
    ):
        if value is not None:
            yield Sample(metric, (), value)
    for stream in storage["streams"]:
        yield Sample(m.STREAM_PAYLOADS, (str(stream["stream"]),), stream["payload_bytes"])
    for target in document["targets"]:
        yield from _of_target(target)


def _of_target(target: Mapping[str, Any]) -> Iterator[Sample]:
    who = str(target["target_id"])
    is_current = "true" if target["is_current"] else "false"
    yield Sample(m.TARGET, (who, target["kind"], target["url"], is_current), 1)
    yield Sample(m.PAUSED, (who,), bool(target["paused"]))
    back_off = target["back_off"]
    yield Sample(m.FAULTS, (who,), 0 if back_off is None else back_off["failures"])
    for metric, value in (
        (m.ALL_OWED, target["remaining_owed"]),
        (m.IDLE, target["seconds_since_delivery"]),
        (m.STALLING, target["seconds_since_progress"]),
        (m.OLDEST_OWED, _seconds(target["oldest_owed_at"])),
        (m.OLDEST_OWED_AGE, target["seconds_since_oldest_owed"]),
    ):
        if value is not None:
            yield Sample(metric, (who,), value)
    for stream in target["streams"]:
        yield from _of_stream(who, stream)


def _of_stream(who: str, stream: Mapping[str, Any]) -> Iterator[Sample]:
    names = (who, str(stream["stream"]))
    for name, count in stream["classes"].items():
        yield Sample(m.CLASSES, (*names, name), count)
    yield Sample(m.OWED, names, stream["remaining_owed"])
    yield Sample(m.GRANTED, names, bool(stream["granted"]))


def _seconds(time: str | None) -> float | None:
    return None if time is None else datetime.fromisoformat(time).timestamp()
