"""What programs of the journal era left, by plain sqlite3, in the tables that they made."""

import hashlib
import json
import sqlite3
from collections.abc import Iterable, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

from tests.legacy.old import envelope, insert

_JOURNAL = """
CREATE TABLE IF NOT EXISTS event_journal (
    event_id TEXT PRIMARY KEY, event_type TEXT NOT NULL, payload BLOB NOT NULL,
    occurred_at TEXT NOT NULL, created_at TEXT NOT NULL, coalesce_key TEXT, archived_at TEXT,
    drain_blocked_reason TEXT{more})
"""
PROJECT_COLUMNS = ", project_uuid TEXT, project_slug TEXT, repo_slug TEXT"
_INDEXES = (
    (
        "CREATE INDEX IF NOT EXISTS idx_event_journal_coalesce "
        "ON event_journal (coalesce_key, created_at)"
    ),
    (
        "CREATE INDEX IF NOT EXISTS idx_event_journal_type_created "
        "ON event_journal (event_type, created_at)"
    ),
)
_LEDGER = """
CREATE TABLE IF NOT EXISTS delivery_ledger (
    event_id TEXT NOT NULL, target_id TEXT NOT NULL, status TEXT NOT NULL,
    attempt_count INTEGER NOT NULL DEFAULT 0, first_attempted_at TEXT, last_attempted_at TEXT,
    accepted_at TEXT, completed_at TEXT, server_drain_state TEXT, last_http_status INTEGER,
    last_error TEXT, last_response_json TEXT, PRIMARY KEY (event_id, target_id))
"""
_LEDGER_INDEX = """
CREATE INDEX IF NOT EXISTS idx_delivery_ledger_target_status
ON delivery_ledger (target_id, status)
"""
_TARGETS = """
CREATE TABLE IF NOT EXISTS delivery_targets (
    target_id TEXT PRIMARY KEY, canonical_url TEXT NOT NULL, url_hash TEXT NOT NULL,
    team_slug TEXT NOT NULL, user_email TEXT NOT NULL, server_instance_id TEXT,
    deployment_id TEXT, environment_name TEXT, git_sha TEXT, first_seen_at TEXT NOT NULL,
    last_seen_at TEXT NOT NULL, UNIQUE (url_hash, team_slug, user_email))
"""
_AUDIT = (
    (
        "CREATE TABLE migration_provenance (event_id TEXT NOT NULL, source_digest TEXT NOT NULL, "
        "target_id TEXT NOT NULL, payload_sha TEXT NOT NULL, recorded_at TEXT NOT NULL, "
        "PRIMARY KEY (event_id, source_digest))"
    ),
    (
        "CREATE TABLE migration_conflicts (event_id TEXT NOT NULL, source_digest TEXT NOT NULL, "
        "existing_sha TEXT NOT NULL, incoming_sha TEXT NOT NULL, detail TEXT, "
        "recorded_at TEXT NOT NULL, PRIMARY KEY (event_id, source_digest))"
    ),
    (
        "CREATE TABLE quarantined_conflicts (event_id TEXT NOT NULL, source_digest TEXT NOT NULL, "
        "payload BLOB, existing_sha TEXT, incoming_sha TEXT, resolved_at TEXT, "
        "PRIMARY KEY (event_id, source_digest))"
    ),
)
TIME = "2026-03-0{}T10:00:00.250000+00:00"


def journal(home: Path, added: Iterable[Any], *, name: str = "local", more: str = "") -> Path:
    """
    Add to a journal of *home*, in WAL mode as they are.

    Each row is an id, or a pair of the column's id and the payload, or a mapping of columns.
    """
    path = home / "event_journal" / f"journal-{name}.db"
    path.parent.mkdir(parents=True, exist_ok=True)
    with closing(sqlite3.connect(path)) as database:
        database.execute("PRAGMA journal_mode = WAL")
        with database:
            for statement in (_JOURNAL.format(more=more), *_INDEXES):
                database.execute(statement)
            for number, row in enumerate(added):
                insert(database, "event_journal", _columns(row, number))
    return path


def _columns(row: Any, number: int) -> Mapping[str, Any]:
    if isinstance(row, Mapping):
        return row
    event_id, payload = row if isinstance(row, tuple) else (row, stored(row))
    return {
        "event_id": event_id,
        "event_type": "WPStatusChanged",
        "payload": payload,
        "occurred_at": TIME.format(1),
        "created_at": f"2026-03-01T10:00:{number:02}.000001+00:00",
        "drain_blocked_reason": "missing_auth",
    }


def stored(event_id: str, **members: Any) -> bytes:
    """Return an envelope as the journal stored it: sorted, with spaces, as a blob."""
    return json.dumps(json.loads(envelope(event_id, **members)), sort_keys=True).encode()


def target(
    url: str = "https://sync.example", *, team: str = "acme", user: str = "ann@x.org", **more: Any
) -> dict[str, Any]:
    """Return the columns of a target under the id that it had then."""
    url_hash = hashlib.sha256(url.encode()).hexdigest()
    mixed = hashlib.sha256("\0".join((url_hash, team, user)).encode()).hexdigest()
    return {
        "target_id": f"tgt_{team or 'anon'}_{mixed[:32]}",
        "canonical_url": url,
        "url_hash": url_hash,
        "team_slug": team,
        "user_email": user,
        "first_seen_at": TIME.format(1),
        "last_seen_at": TIME.format(2),
        **more,
    }


def targets(home: Path, added: Iterable[Mapping[str, Any]]) -> Path:
    """Add to the targets of *home*."""
    return _add(home / "delivery" / "targets.db", "delivery_targets", (_TARGETS,), added)


def delivery(event_id: str, target_id: str, status: str = "success", **more: Any) -> dict[str, Any]:
    """Return the columns of a row of a ledger."""
    return {
        "event_id": event_id,
        "target_id": target_id,
        "status": status,
        "attempt_count": 2,
        "first_attempted_at": TIME.format(2),
        "last_attempted_at": TIME.format(3),
        "completed_at": TIME.format(3) if status in ("success", "duplicate") else None,
        "last_http_status": 200,
        **more,
    }


def ledger(home: Path, added: Iterable[Mapping[str, Any]]) -> Path:
    """Add to the ledger of *home*."""
    path = home / "delivery" / "ledger.db"
    return _add(path, "delivery_ledger", (_LEDGER, _LEDGER_INDEX), added)


def audit(home: Path, added: Iterable[tuple[str, bytes]]) -> Path:
    """Make the audit of a migration of *home*, with contents that lost a conflict."""
    found = [
        {
            "event_id": event_id,
            "source_digest": "legacy",
            "payload": payload,
            "existing_sha": "0" * 64,
            "incoming_sha": "1" * 64,
            "resolved_at": TIME.format(4),
        }
        for event_id, payload in added
    ]
    path = _add(home / "migration_audit.db", "quarantined_conflicts", _AUDIT, found)
    with closing(sqlite3.connect(path)) as database, database:
        database.execute("INSERT INTO migration_provenance VALUES ('e1', 'legacy', 'u', 's', 't')")
    return path


def _add(
    path: Path, table: str, statements: Iterable[str], added: Iterable[Mapping[str, Any]]
) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with closing(sqlite3.connect(path)) as database, database:
        for statement in statements:
            database.execute(statement)
        for row in added:
            insert(database, table, row)
    return path
