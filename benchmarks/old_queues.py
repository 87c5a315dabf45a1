"""Old queues like real ones, the raw program that imports them, and ours."""

import hashlib
import json
import random
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

_QUEUE = """
CREATE TABLE queue (
    id INTEGER PRIMARY KEY AUTOINCREMENT, event_id TEXT UNIQUE NOT NULL, event_type TEXT NOT NULL,
    data TEXT NOT NULL, timestamp INTEGER NOT NULL, retry_count INTEGER DEFAULT 0,
    coalesce_key TEXT)
"""
_INDEXES = ("timestamp", "retry_count", "coalesce_key")
_PROJECT = "4f966d18-69e0-49e2-905a-d923c98d5eb2"
_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_WORDS = [
    "split",
    "gate",
    "ticket",
    "rerun",
    "import",
    "perf",
    "merged",
    "flaky",
    "cache",
    "export",
]


def make_queue(path: Path, count: int, *, seed: int = 7) -> Path:
    """Make a queue of *count* rows as release 2.1.0 leaves them, 560 to 1,100 bytes each."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with closing(sqlite3.connect(path)) as database, database:
        database.execute(_QUEUE)
        for name in _INDEXES:
            database.execute(f"CREATE INDEX idx_{name} ON queue({name})")
        database.executemany(
            "INSERT INTO queue (event_id, event_type, data, timestamp, retry_count) "
            "VALUES (?, ?, ?, ?, ?)",
            _rows(count, random.Random(seed)),
        )
    return path


def _rows(count: int, rng: random.Random) -> Iterator[tuple[Any, ...]]:
    for number in range(count):
        event_id = f"01KM{number:012d}" + "".join(rng.choices(_ALPHABET, k=10))
        title = " ".join(rng.choices(_WORDS, k=rng.randint(3, 60)))
        document = {
            "event_id": event_id,
            "event_type": "WPCreated",
            "aggregate_id": f"WP{number % 40:02d}",
            "aggregate_type": "WorkPackage",
            "payload": {
                "wp_id": f"WP{number % 40:02d}",
                "title": title,
                "dependencies": [],
                "feature_slug": "042-export-csv-v2",
            },
            "node_id": "2a1ce6d9424a",
            "lamport_clock": number,
            "causation_id": None,
            "timestamp": "2026-03-23T08:35:06.210862+00:00",
            "team_slug": "local",
            "project_uuid": _PROJECT,
            "project_slug": "web-shop",
            "git_branch": "main",
            "head_commit_sha": "adc5eebc0fdb1183b088a4922fc7bfc2b7a16f3d",
            "repo_slug": "acme/web-shop",
        }
        yield event_id, "WPCreated", json.dumps(document), 1_774_254_600 + number // 3, number % 3


def import_raw(queue: Path, store: Path) -> None:
    """Read, parse once, hash the bytes and the canonical form, insert; one durable transaction."""
    with (
        closing(sqlite3.connect(queue)) as old,
        closing(sqlite3.connect(store, isolation_level=None)) as new,
    ):
        new.execute("PRAGMA journal_mode = TRUNCATE")
        new.execute("PRAGMA synchronous = FULL")
        new.execute(
            "CREATE TABLE events (seq INTEGER PRIMARY KEY, event_id TEXT UNIQUE, text TEXT, "
            "digest TEXT, canonical_digest TEXT, queued_at INTEGER, retry_count INTEGER)"
        )
        new.execute("BEGIN IMMEDIATE")
        new.executemany(
            "INSERT INTO events (event_id, text, digest, canonical_digest, queued_at, retry_count) "
            "VALUES (?, ?, ?, ?, ?, ?)",
            (
                _hashed(*row)
                for row in old.execute(
                    "SELECT data, timestamp, retry_count FROM queue ORDER BY timestamp, id"
                )
            ),
        )
        new.execute("COMMIT")


def _hashed(text: str, queued_at: int, retry_count: int) -> tuple[Any, ...]:
    event = json.loads(text)
    canonical = json.dumps(event, sort_keys=True, separators=(",", ":"))
    return (
        event["event_id"],
        text,
        hashlib.sha256(text.encode()).hexdigest(),
        hashlib.sha256(canonical.encode()).hexdigest(),
        queued_at,
        retry_count,
    )
