"""Events to measure with: 1 KB ± 300 bytes, seeded; or a JSONL file, gzipped or not."""

import gzip
import json
import random
from pathlib import Path

_LETTERS = "abcdefghijklmnopqrstuvwxyz     "


def made_events(count: int, *, start: int = 0, seed: int = 7) -> list[str]:
    """Return *count* envelopes whose ids sort as they were made."""
    rng = random.Random(seed + start)
    return [_made(number, rng) for number in range(start, start + count)]


def _made(number: int, rng: random.Random) -> str:
    note = "".join(rng.choices(_LETTERS, k=rng.randint(330, 930)))
    return json.dumps(
        {
            "event_id": f"01K{number:023d}",
            "event_type": "WPStatusChanged",
            "aggregate_id": f"WP{number % 40:02d}",
            "aggregate_type": "WorkPackage",
            "timestamp": "2026-04-29T14:42:12.782835+00:00",
            "node_id": "a1b2c3d4e5f6",
            "lamport_clock": number,
            "schema_version": "3.0.0",
            "payload": {"wp_id": f"WP{number % 40:02d}", "to_lane": "done", "note": note},
        }
    )


def file_events(path: Path) -> list[str]:
    """Return the usable events of *path*: distinct ids, without the one line of 438 KB."""
    raw = path.read_bytes()
    found: dict[str, str] = {}
    for line in (gzip.decompress(raw) if path.suffix == ".gz" else raw).decode().splitlines():
        try:
            event_id = json.loads(line)["event_id"]
        except (ValueError, KeyError, TypeError):
            continue
        if len(line) < 100_000:
            found.setdefault(event_id, line)
    return list(found.values())
