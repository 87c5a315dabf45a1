"""Whose daemon runs, as status tells it: nobody's, for this program has none."""

from typing import Any

_OWNER = (
    "pid",
    "port",
    "package_version",
    "executable_path",
    "source_path",
    "server_url",
    "team_or_user",
    "queue_db_path",
)


def owner_document() -> dict[str, Any]:
    """Return the sections on the daemon as JSON."""
    return {
        "daemon_owner_record": {"status": "absent", **dict.fromkeys(_OWNER)},
        "mismatches": [],
        "orphan_records": [],
        "live_orphan_daemon_count": 0,
    }
