"""How a file becomes a store, step by step, and what a crash half way leaves."""

import re
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from eventsync_adapters import machine, schema
from eventsync_adapters.schema import VERSIONS, script, start
from eventsync_adapters.sqlite import _migrate as migrating
from eventsync_adapters.sqlite import open_for_reading, open_stores
from eventsync_core.errors import (
    StoreBusyError,
    StoreNewerError,
    StoreNotWritableError,
    StoreUnreadableError,
)
from eventsync_core.targets import BackOff, Deployment, Target

_SCHEMA = "SELECT type, name, sql FROM sqlite_master ORDER BY type, name"


def rows(path: Path, query: str) -> list[tuple[object, ...]]:
    """Run *query* through a plain connection."""
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute(query).fetchall()


def dump(path: Path) -> list[str]:
    """Return all that is in *path*, but when it was migrated."""
    with closing(sqlite3.connect(path)) as connection:
        return [line for line in connection.iterdump() if "schema_migrations" not in line]


def test_what_was_applied_is_on_record(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One row per version: the stem of its file, and when, in seconds."""
    monkeypatch.setattr(machine, "now", lambda: 1_700_000_000_999_999)
    open_stores(path).close()

    expected = [(version, 1_700_000_000) for version in VERSIONS]
    assert rows(path, "SELECT version, applied_at FROM schema_migrations ORDER BY 1") == expected
    columns = [
        (name, kind) for _, name, kind, *_ in rows(path, "PRAGMA table_info(schema_migrations)")
    ]
    assert columns == [("version", "TEXT"), ("applied_at", "INTEGER")]


def test_opening_again_changes_nothing(path: Path) -> None:
    """A store of the newest version is only looked at."""
    open_stores(path).close()
    before = path.read_bytes()

    open_stores(path).close()

    assert path.read_bytes() == before


def test_versions_are_the_files(path: Path) -> None:
    """Every SQL file belongs to a known version, and versions stand in order."""
    folder = Path(schema.__file__).parent
    stems = {file.name.split(".")[0] for file in folder.glob("*.sql")}

    assert sorted(stems - {"start"}) == list(VERSIONS)


def test_a_fresh_schema_is_the_sum_of_its_migrations(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whether it is made at once or one version after another makes no difference."""
    open_stores(path).close()
    stepwise = tmp_path / "stepwise.db"
    with monkeypatch.context() as patch:
        for count in range(1, len(VERSIONS)):
            patch.setattr(migrating, "VERSIONS", VERSIONS[:count])
            open_stores(stepwise).close()
    open_stores(stepwise).close()

    assert rows(stepwise, _SCHEMA) == rows(path, _SCHEMA)
    assert dump(stepwise) == dump(path)
    with closing(sqlite3.connect(":memory:")) as plain:
        for version in VERSIONS:
            plain.executescript(script(version, "sqlite"))
        raw = plain.execute(_SCHEMA).fetchall()
    known = [row for row in rows(path, _SCHEMA) if "schema_migrations" not in str(row[1])]
    assert known == raw


@pytest.mark.parametrize("broken", ["start", *VERSIONS])
@pytest.mark.parametrize("place", ["first", "last"])
def test_a_migration_that_fails_leaves_nothing(
    path: Path, monkeypatch: pytest.MonkeyPatch, broken: str, place: str
) -> None:
    """All statements of all versions are one transaction with their rows."""
    wrong = "INSERT INTO nowhere VALUES (1);\n"

    def tampered(version: str, text: str) -> str:
        if version != broken:
            return text
        return wrong + text if place == "first" else f"{text}\n{wrong}"

    with monkeypatch.context() as patch:
        patch.setattr(
            migrating, "script", lambda name, engine: tampered(name, script(name, engine))
        )
        patch.setattr(migrating, "start", lambda engine: tampered("start", start(engine)))
        if broken != "start":
            patch.setattr(migrating, "START", "")
        with pytest.raises(StoreUnreadableError, match="nowhere"):
            open_stores(path)

    assert rows(path, _SCHEMA) == []
    assert open_for_reading(path) is None
    open_stores(path).close()
    assert len(rows(path, "SELECT * FROM schema_migrations")) == len(VERSIONS)


def test_a_later_migration_that_fails_keeps_the_earlier_ones(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The store stays what it was, and its events with it."""
    with monkeypatch.context() as patch:
        patch.setattr(migrating, "VERSIONS", VERSIONS[:1])
        with open_stores(path) as stores:
            stores.journal.next_lamport("kept")
        before = rows(path, _SCHEMA)
        patch.setattr(migrating, "VERSIONS", VERSIONS)
        patch.setattr(migrating, "script", lambda *_: "CREATE TABLE new (a BIGINT);\nNONSENSE;\n")
        with pytest.raises(StoreUnreadableError, match="NONSENSE"):
            open_stores(path)

    assert rows(path, _SCHEMA) == before
    with open_stores(path) as stores:
        assert stores.journal.next_lamport("kept") == 2


def older_store(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave a store as the program before wrote it, with a target that rests."""
    with monkeypatch.context() as patch:
        patch.setattr(migrating, "VERSIONS", VERSIONS[:2])
        open_stores(path).close()
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(
            "INSERT INTO targets VALUES (1, 'tgt_old', 'stub', 'https://old.example', 'hash', '',"
            " '', 'gone', 's1', NULL, 'prod', NULL, 1, 2, NULL)"
        )
        connection.commit()


def assert_is_kept(target: Target) -> None:
    """The target is what it was, and nothing else is known of it."""
    assert (target.target_id, target.paused) == ("tgt_old", "gone")
    assert target.deployment == Deployment(server_instance_id="s1", environment_name="prod")
    assert (target.back_off, target.limits, target.reset) == (BackOff(), None, None)
    assert target.checked_at is None


def test_a_store_of_the_program_before_is_migrated(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its targets keep what was known of them."""
    older_store(path, monkeypatch)

    with open_stores(path) as stores:
        assert_is_kept(stores.targets.get("tgt_old"))

    assert len(rows(path, "SELECT * FROM schema_migrations")) == len(VERSIONS)


@pytest.mark.parametrize("mode", ["truncate", "wal"])
def test_a_store_of_the_program_before_is_read_as_it_is(
    path: Path, monkeypatch: pytest.MonkeyPatch, mode: str
) -> None:
    """Reading needs no migration and changes no byte; what is read cannot be written."""
    older_store(path, monkeypatch)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(f"PRAGMA journal_mode = {mode}")
    before = path.read_bytes()

    stores = open_for_reading(path)

    assert stores is not None
    with stores:
        assert_is_kept(stores.targets.get("tgt_old"))
        with pytest.raises(StoreNotWritableError):
            stores.targets.pause("tgt_old", "")
        facts = stores.storage()
        assert (facts.path, facts.file_bytes) == (str(path), len(before))
        assert facts.journal_mode == facts.configured_mode == mode
    assert path.read_bytes() == before


def test_a_store_of_the_program_before_that_is_busy_is_an_error(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Reading does not wait for ever."""
    older_store(path, monkeypatch)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("BEGIN EXCLUSIVE")
        with pytest.raises(StoreBusyError):
            open_for_reading(path, busy_seconds=0.02)


@pytest.mark.parametrize("opening", [open_stores, open_for_reading])
def test_what_is_newer_is_refused(path: Path, opening: Callable[[Path], object]) -> None:
    """Any version this program does not know makes the store newer; it is not touched."""
    open_stores(path).close()
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("INSERT INTO schema_migrations VALUES ('9999_future', 1)")
        connection.commit()
    before = path.read_bytes()

    with pytest.raises(StoreNewerError, match="9999_future"):
        opening(path)

    assert path.read_bytes() == before


@pytest.mark.parametrize("opening", [open_stores, open_for_reading])
@pytest.mark.parametrize(
    "table", ["other (a)", "streams (stream_id)", "schema_migrations (id, dirty)"]
)
def test_another_programs_database_is_refused(
    path: Path, opening: Callable[[Path], object], table: str
) -> None:
    """Also one that keeps its own migrations in a table of that name."""
    path.parent.mkdir(parents=True)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(f"CREATE TABLE {table}")
    before = path.read_bytes()

    with pytest.raises(StoreUnreadableError, match="another program"):
        opening(path)

    assert path.read_bytes() == before


def column_types(sql: str) -> set[str]:
    """Return the type of every column that *sql* creates or adds."""
    found = set()
    for body in re.findall(r"CREATE TABLE \w+ \((.*?)\n\)", sql, re.DOTALL):
        for line in body.strip().splitlines():
            words = line.split()
            if words and words[0] not in ("PRIMARY", "UNIQUE", "--"):
                found.add(words[1].rstrip(","))
    return found | set(re.findall(r"ADD COLUMN \w+ (\w+)", sql))


@pytest.mark.parametrize("version", VERSIONS)
def test_shared_files_speak_plainly(version: str) -> None:
    """TEXT and BIGINT only, and nothing that one engine alone understands."""
    text = (Path(schema.__file__).parent / f"{version}.sql").read_text(encoding="utf-8")
    sql = re.sub(r"--.*", "", text)

    assert column_types(sql) <= {"TEXT", "BIGINT"}
    assert column_types(sql) or not sql.strip()
    for word in ("TRIGGER", "WITHOUT ROWID", "AUTOINCREMENT", "JSON", "PRAGMA", " WHERE "):
        assert word not in sql.upper()
