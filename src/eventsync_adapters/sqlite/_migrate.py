import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path

from eventsync_adapters import machine
from eventsync_adapters.schema import START, VERSIONS, script, start
from eventsync_adapters.sqlite._connection import Database, connect
from eventsync_adapters.sqlite._damaged import text_of
from eventsync_core.errors import StoreNewerError, StoreUnreadableError

_PATIENCE_SECONDS = 5.0
_APPLIED = "SELECT version FROM schema_migrations"
_TABLES = "SELECT name FROM sqlite_master WHERE type = 'table'"
_PARTS = """
SELECT CAST(name AS BLOB), CAST(sql AS BLOB) FROM sqlite_master
WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite%'
"""
_CREATE = """
CREATE TABLE IF NOT EXISTS schema_migrations (version TEXT PRIMARY KEY, applied_at INTEGER)
"""
_LATER = VERSIONS.index(START) + 1
_NOTE = "INSERT INTO schema_migrations (version, applied_at) VALUES (?, ?)"


def applied_versions(database: Database) -> set[str] | None:
    """
    Return the versions applied to *database*, or None when it is empty.

    Raises:
        StoreNewerError: One of them is unknown to this program.
        StoreUnreadableError: It is a database of something else.
    """
    tables = {name for (name,) in database.rows(_TABLES)}
    if not tables:
        return None
    if "schema_migrations" not in tables:
        raise StoreUnreadableError(f"{database.path} is a database of another program")
    try:
        applied = {str(version) for (version,) in database.rows(_APPLIED)}
    except StoreUnreadableError as error:
        raise StoreUnreadableError(f"{database.path} is a database of another program") from error
    unknown = sorted(applied - set(VERSIONS))
    if unknown:
        raise StoreNewerError(f"{database.path} was written by a newer eventsync ({unknown[0]})")
    return applied


def pending_versions(path: Path) -> tuple[str, ...]:
    """
    Return the versions that the database at *path* does not have yet, in order; none if empty.

    Raises:
        StoreError: It cannot be read.
    """
    database = connect(path, mode="ro", busy_seconds=_PATIENCE_SECONDS)
    try:
        applied = applied_versions(database)
        return () if applied is None else tuple(v for v in VERSIONS if v not in applied)
    finally:
        database.close()


def migrate(database: Database) -> None:
    """
    Bring *database* to the newest version, all migrations and their rows in one transaction.

    An empty one is made at once what the older versions come to.

    Raises:
        StoreNewerError: It is newer than this program; nothing was changed.
    """
    if applied_versions(database) == set(VERSIONS):
        return
    with database.write():
        # Another process may have migrated while this one waited for the lock.
        applied = applied_versions(database)
        database.run(_CREATE)
        if applied is None and START in VERSIONS:
            _apply(database, start("sqlite"), VERSIONS[: VERSIONS.index(START) + 1])
            applied = set(VERSIONS[: VERSIONS.index(START) + 1])
        for version in VERSIONS:
            if version not in (applied or ()):
                _apply(database, script(version, "sqlite"), (version,))


def strange_parts(database: Database) -> list[str]:
    """Return the tables, indexes and triggers that are not what the versions make, by name."""
    with closing(sqlite3.connect(":memory:")) as made:
        for text in (f"{_CREATE};", start("sqlite"), *map(_script, VERSIONS[_LATER:])):
            made.executescript(text)
        ours = {text_of(name): text_of(sql).split() for name, sql in made.execute(_PARTS)}
    there = {text_of(name): text_of(sql).split() for name, sql in database.rows(_PARTS)}
    return sorted(name for name in ours.keys() | there.keys() if ours.get(name) != there.get(name))


def _script(version: str) -> str:
    return script(version, "sqlite")


def _apply(database: Database, text: str, versions: Sequence[str]) -> None:
    for statement in _statements(text):
        database.run(statement)
    for version in versions:
        database.run(_NOTE, (version, machine.now() // 1_000_000))


def _statements(text: str) -> Iterator[str]:
    """Yield the statements of *text*; never `executescript`, which commits first."""
    statement = ""
    for line in text.splitlines(keepends=True):
        statement += line
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""
