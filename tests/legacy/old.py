"""Databases as old programs made them, by plain sqlite3."""

import json
import sqlite3
from collections.abc import Iterable, Mapping
from contextlib import closing
from hashlib import sha256
from pathlib import Path
from typing import Any

QUEUE = """
CREATE TABLE IF NOT EXISTS queue (
    id INTEGER PRIMARY KEY AUTOINCREMENT, event_id TEXT UNIQUE NOT NULL, event_type TEXT NOT NULL,
    data TEXT NOT NULL, timestamp INTEGER NOT NULL, retry_count INTEGER DEFAULT 0{more})
"""
COALESCING = ", coalesce_key TEXT"
INDEXES = (
    "CREATE INDEX IF NOT EXISTS idx_timestamp ON queue(timestamp)",
    "CREATE INDEX IF NOT EXISTS idx_retry ON queue(retry_count)",
)
_KEY = "project_uuid, {slug}, target_branch, {kind}, manifest_version, artifact_path, content_hash"
BODIES = """
CREATE TABLE IF NOT EXISTS body_upload_queue (
    id INTEGER PRIMARY KEY AUTOINCREMENT, project_uuid TEXT NOT NULL, {slug} TEXT NOT NULL,
    target_branch TEXT NOT NULL, {kind} TEXT NOT NULL, manifest_version TEXT NOT NULL,
    artifact_path TEXT NOT NULL, content_hash TEXT NOT NULL,
    hash_algorithm TEXT NOT NULL DEFAULT 'sha256', content_body TEXT NOT NULL,
    size_bytes INTEGER NOT NULL, retry_count INTEGER NOT NULL DEFAULT 0,
    next_attempt_at REAL NOT NULL DEFAULT 0.0, created_at REAL NOT NULL, last_error TEXT,
    UNIQUE({key}))
"""
FAILURES = """
CREATE TABLE IF NOT EXISTS body_upload_failure_log (
    id INTEGER PRIMARY KEY AUTOINCREMENT, project_uuid TEXT NOT NULL, mission_slug TEXT NOT NULL,
    target_branch TEXT NOT NULL, mission_type TEXT NOT NULL, manifest_version TEXT NOT NULL,
    artifact_path TEXT NOT NULL, content_hash TEXT NOT NULL,
    hash_algorithm TEXT NOT NULL DEFAULT 'sha256', size_bytes INTEGER NOT NULL,
    failure_reason TEXT NOT NULL, failure_count INTEGER NOT NULL DEFAULT 1,
    first_failed_at REAL NOT NULL, last_failed_at REAL NOT NULL, UNIQUE({key}, failure_reason))
"""
_NOW = 1_770_000_000


def envelope(event_id: str, **members: Any) -> str:
    """Return an envelope as old programs wrote it."""
    return json.dumps(
        {
            "event_id": event_id,
            "event_type": "WPStatusChanged",
            "timestamp": "2026-02-02T02:02:02+00:00",
            "payload": {"n": 1},
            **members,
        }
    )


def queue(
    path: Path, rows: Iterable[Any], *, retries: int = 0, has_keys: bool = True, at: int = _NOW
) -> Path:
    """
    Add to the queue at *path*, made if it is missing.

    Each row is an id, or a pair of the column's id and the data, or a mapping of columns.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with closing(sqlite3.connect(path)) as database, database:
        database.execute(QUEUE.format(more=COALESCING if has_keys else ""))
        for index in INDEXES:
            database.execute(index)
        for number, row in enumerate(rows):
            insert(database, "queue", _columns(row, at + number, retries))
    return path


def _columns(row: Any, at: int, retries: int) -> Mapping[str, Any]:
    if isinstance(row, Mapping):
        return row
    event_id, data = row if isinstance(row, tuple) else (row, envelope(row))
    return {
        "event_id": event_id,
        "event_type": "WPStatusChanged",
        "data": data,
        "timestamp": at,
        "retry_count": retries,
    }


def insert(database: sqlite3.Connection, table: str, columns: Mapping[str, Any]) -> None:
    """Add a row."""
    marks = ",".join("?" * len(columns))
    query = f"INSERT INTO {table} ({','.join(columns)}) VALUES ({marks})"  # noqa: S608
    database.execute(query, [*columns.values()])


def body(
    content: str = "# Spec\n", *, slug: str = "mission_slug", **columns: Any
) -> dict[str, Any]:
    """Return the columns of a body, in the spelling of *slug*."""
    kind = "mission_type" if slug == "mission_slug" else "mission_key"
    return {
        "project_uuid": "P1",
        slug: "001-x",
        "target_branch": "main",
        kind: "software-dev",
        "manifest_version": "1",
        "artifact_path": "spec.md",
        "content_hash": sha256(content.encode()).hexdigest(),
        "content_body": content,
        "size_bytes": len(content.encode()),
        "created_at": _NOW + 0.5,
        **columns,
    }


def bodies(path: Path, rows: Iterable[Mapping[str, Any]], *, slug: str = "mission_slug") -> Path:
    """Add bodies to the file at *path*, which may have no table for events."""
    path.parent.mkdir(parents=True, exist_ok=True)
    kind = "mission_type" if slug == "mission_slug" else "mission_key"
    with closing(sqlite3.connect(path)) as database, database:
        key = _KEY.format(slug=slug, kind=kind)
        database.execute(BODIES.format(slug=slug, kind=kind, key=key))
        for row in rows:
            insert(database, "body_upload_queue", row)
    return path


def failures(path: Path, rows: Iterable[Mapping[str, Any]]) -> Path:
    """Add to the failure log in the file at *path*."""
    with closing(sqlite3.connect(path)) as database, database:
        key = _KEY.format(slug="mission_slug", kind="mission_type")
        database.execute(FAILURES.format(key=key))
        for row in rows:
            insert(database, "body_upload_failure_log", row)
    return path


def failure(reason: str = "too_large", **columns: Any) -> dict[str, Any]:
    """Return the columns of a failure."""
    found = body()
    for name in ("content_body", "created_at"):
        del found[name]
    times = {"first_failed_at": _NOW + 0.25, "last_failed_at": _NOW + 9.0}
    return {**found, "failure_reason": reason, **times, **columns}


def rows(path: Path, query: str = "SELECT event_id FROM queue ORDER BY id") -> list[Any]:
    """Return what a query gives; single columns without their tuple."""
    with closing(sqlite3.connect(path)) as database:
        found = database.execute(query).fetchall()
    return [row[0] if len(row) == 1 else row for row in found]
