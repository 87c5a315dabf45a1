"""What a home holds, read behind the program's back, and what it must never lose."""

import json
import sqlite3
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path

import attrs

from tests.cli.conftest import Ran
from tests.full.limits import DATABASE, forked

_ENTRIES = (
    "SELECT e.event_id, s.stream || ':' || e.position || ':' || e.digest "
    "FROM entries e JOIN streams s USING (stream_id)"
)
_TEXTS = "SELECT e.event_id, p.text FROM payloads p JOIN entries e USING (entry_id)"
_DELIVERED = (
    "SELECT l.target_no || ':' || e.event_id FROM ledger l "
    "JOIN entries e USING (stream_id, position) WHERE l.outcome IN ('success', 'duplicate')"
)
_HELD = "SELECT e.event_id, h.hold FROM holds h JOIN entries e USING (stream_id, position)"
_TABLES = "SELECT COUNT(*) FROM sqlite_master WHERE name = 'payloads'"


@attrs.frozen
class Facts:
    """Entries, texts, deliveries and holds, by id; `queued` are rows of an old program."""

    entries: Mapping[str, str]
    texts: Mapping[str, str]
    delivered: frozenset[str]
    held: Mapping[str, str]
    queued: frozenset[str]

    @property
    def known(self) -> frozenset[str]:
        """All ids that stand anywhere."""
        return self.queued | self.entries.keys()


def facts(home: Path) -> Facts:
    """Read the home; what a crash left unfinished is finished by SQLite on the way."""
    queued: frozenset[str] = frozenset()
    if (home / "queue.db").exists():
        with closing(sqlite3.connect(home / "queue.db")) as queue:
            queued = frozenset(row[0] for row in queue.execute("SELECT event_id FROM queue"))
    database = home / "eventsync" / DATABASE
    if not database.exists():
        return Facts({}, {}, frozenset(), {}, queued)
    with closing(sqlite3.connect(database)) as found:
        if found.execute(_TABLES).fetchone() == (0,):
            return Facts({}, {}, frozenset(), {}, queued)
        assert found.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        found.text_factory = lambda raw: raw.decode("utf-8", "backslashreplace")
        return Facts(
            dict(found.execute(_ENTRIES).fetchall()),
            dict(found.execute(_TEXTS).fetchall()),
            frozenset(row[0] for row in found.execute(_DELIVERED)),
            dict(found.execute(_HELD).fetchall()),
            queued,
        )


def check_told(ran: Ran, words: tuple[str, ...], code: int) -> None:
    """Check that a failure is told in one line with a code and a fix, as asked for."""
    assert ran.code == code, ran
    assert "Traceback" not in ran.out + ran.err, ran
    if "--json" in words:
        error = ran.document["error"]
        assert ran.document["ok"] is False
        assert error["message"].strip()
        assert "\n" not in error["message"]
        assert error["code"] != "unexpected"
        assert all(error["fix"].values())
        return
    lines = ran.err.splitlines()
    (place,) = [n for n, line in enumerate(lines) if line.endswith("]") and "eventsync: " in line]
    assert lines[place + 1].startswith("fix: ")


def check_home(
    home: Path, now: Facts, *, is_sound: bool = True, is_counted: bool = True
) -> dict[str, int]:
    """Check that a home hangs together; return how many events are in each class anywhere."""
    verified = forked(home, ["journal", "verify", "--json"])
    if is_sound:
        assert (verified.code, verified.document["verified"]) == (0, len(now.entries)), verified
        assert verified.document["references"]["broken_count"] == 0
    status = forked(home, ["sync", "status", "--json"])
    assert status.code in ((0,) if is_counted else (0, 5)), status
    found: dict[str, int] = {}
    for target in status.document["targets"]:
        assert target["captured"] == len(now.entries)
        for each in (target, *target["streams"]):
            is_coherent = each["coherent"] and each["sum"] == each["captured"]
            assert is_coherent or not is_counted
        for name, count in target["classes"].items():
            found[name] = found.get(name, 0) + count
    return found


def check_examined(home: Path) -> None:
    """Check that a thorough examination finds no error: of pages, counters, references, chains."""
    doctor = forked(home, ["sync", "doctor", "--thorough", "--json"])
    errors = [each for each in doctor.document["findings"] if each["severity"] == "error"]
    assert not errors, errors


def check_kept(before: Facts, now: Facts) -> None:
    """Check that nothing that was stored or noted before is gone."""
    assert before.known <= now.known
    assert before.entries.items() <= now.entries.items()
    assert before.delivered <= now.delivered


def strays(root: Path) -> list[str]:
    """Return the names of half-made files."""
    names = (each.name for each in root.rglob("*") if each.is_file())
    return [name for name in names if "unfinished" in name or name.endswith((".tmp", ".part"))]


def written(path: Path, count: int, *, prefix: str, size: int, **members: object) -> Path:
    """Write *count* events of about *size* bytes each."""
    path.write_text(
        "".join(
            json.dumps({"event_id": f"{prefix}{n}", **members, "t": "x" * size}) + "\n"
            for n in range(count)
        )
    )
    return path
