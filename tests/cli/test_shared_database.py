"""PERSIST_DB_PATH: one database for several homes, and what is no file."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from eventsync_adapters.server import Serving
from tests.cli.conftest import Run
from tests.cli.gates import EXTERNAL

_DSN = "postgresql://bob:hunter2@db/x?password=hunter3"
_COMMANDS = {
    "capture": ("capture",),
    "revoke": ("target", "revoke", "some"),
    "now": ("sync", "now"),
    "list": ("target", "list"),
    "doctor": ("sync", "doctor"),
}


def _revoke_while_locked(run: Run, home: Path, database: Path) -> None:
    with closing(sqlite3.connect(database, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        ran = run("--home", str(home), "target", "revoke")
    assert ran.code == 0
    assert "stands in a file" in ran.err


@pytest.mark.parametrize("name", ["eventsync.db", "shared.db", "link.db"])
def test_a_revocation_by_file_holds_for_every_home(
    run: Run,
    events: Path,
    receiver: Serving,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
) -> None:
    """Wherever the database is, by whatever name it is reached; a grant afterwards holds."""
    database, one, two = tmp_path / "data" / "shared.db", tmp_path / "one", tmp_path / "two"
    if name == "eventsync.db":
        database = one / "eventsync" / name
    else:
        database.parent.mkdir()
    if name == "link.db":
        (tmp_path / name).symlink_to(database)
    for home in (one, two):
        monkeypatch.setenv("PERSIST_DB_PATH", str(database))
        assert run("--home", str(home), *EXTERNAL, receiver.url).code == 0
    run("--home", str(one), "capture", str(events))
    if name == "link.db":
        monkeypatch.setenv("PERSIST_DB_PATH", str(tmp_path / name))
    if name == "eventsync.db":
        monkeypatch.delenv("PERSIST_DB_PATH")
    _revoke_while_locked(run, one, database)
    monkeypatch.setenv("PERSIST_DB_PATH", str(database))

    ran = run("--home", str(two), "sync", "now", "--json")

    assert (ran.code, ran.document["stopped_because"]) == (4, "no_grant")
    assert receiver.inbox.received() == []
    run("--home", str(one), "target", "grant")
    assert run("--home", str(two), "sync", "now").code == 0


def test_a_revocation_is_that_of_one_database(
    run: Run, events: Path, receiver: Serving, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another one of the same home, or in the same folder, neither heeds it nor takes it away."""
    names = ("one.db", "two.db")
    for name in names:
        monkeypatch.setenv("PERSIST_DB_PATH", str(tmp_path / name))
        run(*EXTERNAL, receiver.url)
        run("capture", str(events))
    monkeypatch.setenv("PERSIST_DB_PATH", str(tmp_path / "one.db"))
    _revoke_while_locked(run, tmp_path / "home", tmp_path / "one.db")

    ends = []
    for name in reversed(names):
        monkeypatch.setenv("PERSIST_DB_PATH", str(tmp_path / name))
        ends.append(run("sync", "now").code)

    assert ends == [0, 4]


@pytest.mark.parametrize("command", _COMMANDS)
def test_a_url_is_no_file(
    run: Run, events: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    """Refused before anything is made, and its password is not repeated."""
    here = tmp_path / "here"
    here.mkdir()
    monkeypatch.chdir(here)
    run(*EXTERNAL, "http://127.0.0.1:9")
    monkeypatch.setenv("PERSIST_DB_PATH", _DSN)
    more = (str(events),) if command == "capture" else ()

    ran = run(*_COMMANDS[command], *more, "--json")

    assert (ran.code, ran.document["error"]["code"]) == (4, "persistence_unknown")
    assert "hunter" not in ran.out + ran.err
    assert list(here.iterdir()) == []


@pytest.mark.parametrize("persistence", ["sqlite", "postgres"])
@pytest.mark.parametrize(
    "named", [_DSN, "postgresql://bob:hunter2?x@db/x", "postgresql://bob:hunter2/x@db/x"]
)
def test_no_password_of_a_database_is_shown(
    run: Run, home: Path, monkeypatch: pytest.MonkeyPatch, named: str, persistence: str
) -> None:
    """Neither in status nor among the settings, whichever character it has."""
    monkeypatch.setenv("PERSISTENCE", persistence)
    monkeypatch.setenv("PERSIST_DB_PATH", named)

    for command in (("sync", "status"), ("sync", "status", "--check"), ("config", "show")):
        for more in ((), ("--json",)):
            ran = run(*command, *more)
            assert "hunter" not in ran.out + ran.err
    assert run("sync", "status").code == 4


def test_words_for_another_store_are_not_shown(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """They may hold a password too."""
    monkeypatch.setenv("PERSISTENCE", "postgres")
    monkeypatch.setenv("PERSIST_DB_PATH", "host=db password=hunter2")

    for command in (("sync", "status", "--json"), ("config", "show", "--json")):
        assert "hunter" not in run(*command).out


def test_another_home_does_not_help_where_the_file_is_named(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What cannot be read is the file of PERSIST_DB_PATH: the fix says that one too."""
    place = tmp_path / "x.db"
    place.write_bytes(b"no database" * 1_000)
    monkeypatch.setenv("PERSIST_DB_PATH", str(place))

    ran = run("--home", str(tmp_path / "other"), "sync", "status", "--json")

    error = ran.document["error"]
    assert (ran.code, error["code"]) == (5, "store_unreadable")
    assert "PERSIST_DB_PATH" in error["fix"]["text"]
    monkeypatch.setenv("PERSIST_DB_PATH", str(tmp_path / "another.db"))
    assert run("sync", "status").code == 0
