"""Who looks, whose daemon runs, and which queues there are: the head of `sync status --check`."""

from collections.abc import Iterable, Mapping
from typing import Any

from eventsync_core.ids import printable

__all__ = ["boundary_lines"]

_PROGRAM = (
    ("Package version", "package_version"),
    ("Executable path", "executable_path"),
    ("Source path", "source_path"),
    ("Server URL", "server_url"),
    ("Team/User", "team_or_user"),
    ("Queue DB path", "queue_db_path"),
)
_OWNER = (("Status", "status"), ("PID", "pid"), ("Port", "port"), *_PROGRAM)
_QUEUE = (
    ("Path", "path"),
    ("Event count", "event_count"),
    ("Body upload cnt", "body_upload_count"),
)
_LEGACY = (*_QUEUE, ("Rows in scope", "rows_in_scope"))


def boundary_lines(document: Mapping[str, Any]) -> list[str]:
    """Return them of a status as JSON, in an order and with labels that never change."""
    return [
        "Identity boundary:",
        *_part("Foreground", _PROGRAM, document["foreground"], "<unset>"),
        *_part("Daemon owner record", _OWNER, document["daemon_owner_record"], "<absent>"),
        *_part("Active queue", _QUEUE, document["active_queue"], "unknown"),
        *_part("Legacy queue", _LEGACY, document["legacy_queue"], "unknown"),
        f"  {'Mismatches':<16}: {len(document['mismatches'])}",
        f"  {'Orphan records':<16}: {len(document['orphan_records'])}",
    ]


def _part(
    title: str, labels: Iterable[tuple[str, str]], values: Mapping[str, Any], missing: str
) -> list[str]:
    shown = ((label, values[key]) for label, key in labels)
    lines = (f"    {label:<16}: {missing if value is None else value}" for label, value in shown)
    return [f"  {title}:", *map(printable, lines)]
