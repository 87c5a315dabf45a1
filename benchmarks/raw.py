"""The raw program: plain sqlite3, http.client and zlib doing the same durable work."""

import hashlib
import http.client
import json
import sqlite3
import zlib
from collections.abc import Sequence
from pathlib import Path

PACKING_BYTES = 262_144


def connect(path: Path, journal_mode: str) -> sqlite3.Connection:
    """Open a database that is as safe from power loss as ours."""
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute(f"PRAGMA journal_mode = {journal_mode}")
    connection.execute("PRAGMA synchronous = FULL")
    connection.executescript(
        """
        CREATE TABLE IF NOT EXISTS events (
            seq INTEGER PRIMARY KEY, event_id TEXT UNIQUE, text TEXT,
            digest TEXT, canonical_digest TEXT, chain TEXT);
        CREATE TABLE IF NOT EXISTS delivered (
            seq INTEGER PRIMARY KEY, outcome TEXT, request INTEGER);
        CREATE TABLE IF NOT EXISTS requests (id INTEGER PRIMARY KEY, first INT, last INT, at INT);
        """
    )
    return connection


def append(connection: sqlite3.Connection, texts: Sequence[str], *, each: bool) -> None:
    """Parse and insert: one commit per event, or one per 1,000."""
    step = 1 if each else 1_000
    for start in range(0, len(texts), step):
        rows = [(json.loads(text)["event_id"], text) for text in texts[start : start + step]]
        connection.execute("BEGIN IMMEDIATE")
        connection.executemany("INSERT INTO events (event_id, text) VALUES (?, ?)", rows)
        connection.execute("COMMIT")


def append_proven(connection: sqlite3.Connection, texts: Sequence[str]) -> None:
    """Do the same with both digests and the chain, 1,000 events a commit."""
    chain = b"\0" * 32
    for start in range(0, len(texts), 1_000):
        rows = []
        for number, text in enumerate(texts[start : start + 1_000], start + 1):
            event = json.loads(text)
            canonical = json.dumps(event, sort_keys=True, separators=(",", ":"))
            digest = hashlib.sha256(text.encode()).digest()
            link = chain + number.to_bytes(8, "big") + event["event_id"].encode() + digest
            chain = hashlib.sha256(link).digest()
            second = hashlib.sha256(canonical.encode()).hexdigest()
            rows.append((event["event_id"], text, digest.hex(), second, chain.hex()))
        connection.execute("BEGIN IMMEDIATE")
        connection.executemany(
            "INSERT INTO events (event_id, text, digest, canonical_digest, chain) "
            "VALUES (?, ?, ?, ?, ?)",
            rows,
        )
        connection.execute("COMMIT")


def select(connection: sqlite3.Connection, after: int, count: int) -> int:
    """Read *count* consecutive rows by integer key."""
    rows = connection.execute(
        "SELECT seq, event_id, text FROM events WHERE seq > ? ORDER BY seq LIMIT ?", (after, count)
    ).fetchall()
    return len(rows)


def drain(connection: sqlite3.Connection, host: str, port: int) -> int:
    """Send all events in batches of the packing budget and record the answers."""
    client = http.client.HTTPConnection(host, port)
    after = sent = 0
    while batch := _batch(connection, after):
        body = ('{"events":[' + ",".join(text for _, _, text in batch) + "]}").encode()
        packer = zlib.compressobj(1, wbits=31)
        client.request(
            "POST",
            "/events",
            packer.compress(body) + packer.flush(),
            {"Content-Type": "application/json", "Content-Encoding": "gzip"},
        )
        results = json.loads(client.getresponse().read())["results"]
        known = {item["event_id"]: item["status"] for item in results}
        connection.execute("BEGIN IMMEDIATE")
        request = connection.execute(
            "INSERT INTO requests (first, last, at) VALUES (?, ?, 0)", (batch[0][0], batch[-1][0])
        ).lastrowid
        connection.executemany(
            "INSERT INTO delivered VALUES (?, ?, ?)",
            [(seq, known[event_id], request) for seq, event_id, _ in batch],
        )
        connection.execute("COMMIT")
        after, sent = batch[-1][0], sent + len(batch)
    client.close()
    return sent


def _batch(connection: sqlite3.Connection, after: int) -> list[tuple[int, str, str]]:
    batch: list[tuple[int, str, str]] = []
    size = 0
    cursor = connection.execute(
        "SELECT seq, event_id, text FROM events WHERE seq > ? ORDER BY seq LIMIT 1000", (after,)
    )
    for row in cursor:
        size += len(row[2]) + 1
        if batch and size > PACKING_BYTES:
            break
        batch.append(row)
    cursor.close()
    return batch
