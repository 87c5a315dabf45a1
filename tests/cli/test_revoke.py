"""`target revoke` needs nothing: whatever is in its way, the grant is over when it returns."""

import os
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from eventsync_adapters import sqlite as adapter
from eventsync_adapters.server import Serving
from eventsync_adapters.sqlite import open_for_reading, open_stores
from tests.cli.bad_input import PROGRAM, check_document
from tests.cli.conftest import Ran, Run
from tests.cli.test_bad_input_store import UNPRIVILEGED, has_modes

WHY = ("--by", "ann", "--reason", "left")


@pytest.fixture
def chosen(run: Run, events: Path, receiver: Serving) -> str:
    """Capture twenty events and choose the receiver; return the target's id."""
    run("capture", str(events))
    ran = run("sync", "mode", "EXTERNAL_RECEIVER", "--endpoint", f"{receiver.url}/in", "--json")
    return str(ran.document["target"]["target_id"])


@pytest.fixture
def database(home: Path) -> Path:
    """Where the database is."""
    return home / "eventsync" / "eventsync.db"


@contextmanager
def config_broken(database: Path) -> Iterator[None]:
    """Nobody can read config.toml."""
    config = database.parent.parent / "config.toml"
    before = config.read_text()
    config.write_text("= broken")
    yield
    config.write_text(before)


@contextmanager
def database_gone(database: Path) -> Iterator[None]:
    """It is not there, as on a disk that is not mounted, and comes back."""
    away = database.with_name("away.db")
    database.rename(away)
    yield
    database.unlink(missing_ok=True)
    away.rename(database)


@contextmanager
def database_damaged(database: Path) -> Iterator[None]:
    """What stands there is no database."""
    before = database.read_bytes()
    database.write_bytes(b"no database at all\n" * 1_000)
    yield
    database.write_bytes(before)


@contextmanager
def database_locked(database: Path, how: str) -> Iterator[None]:
    """Somebody else is at work on it."""
    with closing(sqlite3.connect(database, isolation_level=None)) as connection:
        connection.execute(f"BEGIN {how}")
        yield
        connection.rollback()


@contextmanager
def variable(_: Path, name: str, value: str) -> Iterator[None]:
    """The environment says something else."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(name, value)
        yield


Obstacle = Callable[[Path], Any]
OBSTACLES: dict[str, Obstacle] = {
    "config broken": config_broken,
    "database gone": database_gone,
    "database damaged": database_damaged,
    "written to": partial(database_locked, how="IMMEDIATE"),
    "locked": partial(database_locked, how="EXCLUSIVE"),
    "no such store": partial(variable, name="PERSISTENCE", value="nonsense"),
    "in memory": partial(variable, name="PERSISTENCE", value="memory"),
    "another server is named": partial(
        variable, name="SPEC_KITTY_SAAS_URL", value="https://nobody.example"
    ),
}


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the command line wait for no lock."""
    monkeypatch.setattr(adapter, "open_stores", partial(open_stores, busy_seconds=0))
    monkeypatch.setattr(adapter, "open_for_reading", partial(open_for_reading, busy_seconds=0))


@pytest.mark.parametrize("obstacle", OBSTACLES)
def test_nothing_prevents_it(
    run: Run,
    chosen: str,
    database: Path,
    receiver: Serving,
    impatient: None,
    obstacle: str,
) -> None:
    """Exit 0; nothing is sent once the obstacle is gone, and who did it why is on record."""
    with OBSTACLES[obstacle](database):
        ran = run("target", "revoke", chosen, *WHY, "--json")
        assert (ran.code, ran.document["ok"]) == (0, True), ran

    status = run("sync", "status", "--json").document["targets"][0]
    assert (status["remaining_owed"], status["streams"][0]["granted"]) == (0, False)
    (grant,) = run("target", "list", "--json").document["targets"][0]["grants"]
    assert (grant["live"], grant["revoked_by"], grant["revoked_reason"]) == (False, "ann", "left")
    now = run("sync", "now", "--json")
    assert (now.code, now.document["stopped_because"]) == (4, "no_grant")
    assert receiver.inbox.count() == 0
    act = run("target", "show", "--json").document["acts"][0]
    assert (act["act"], act["actor"], act["reason"], act["at"]) == (
        "revoked",
        "ann",
        "left",
        grant["revoked_at"],
    )
    assert list((database.parent / "revoked").iterdir()) == []
    assert run("target", "grant", "--json").document["will_send"] == 20
    assert run("sync", "now").code == 0
    assert receiver.inbox.count() == 20


@pytest.mark.parametrize("obstacle", ["database damaged", "locked"])
def test_what_cannot_be_counted_is_unknown(
    run: Run, chosen: str, database: Path, impatient: None, obstacle: str
) -> None:
    """Never zero; a person is told where the revocation stands."""
    with OBSTACLES[obstacle](database):
        found = run("target", "revoke", chosen, "--json")
        told = run("target", "revoke", chosen)

    names = ("will_not_send", "was_granted", "unknown_target_ids")
    assert [found.document[name] for name in names] == [None] * 3
    assert "the revocation stands in a file and holds" in told.err
    assert "what was owed stays here" in told.out


def test_the_first_end_stands(run: Run, chosen: str, database: Path, impatient: None) -> None:
    """One that a file kept is older than one that the database was told at once."""
    with database_locked(database, "EXCLUSIVE"):
        run("target", "revoke", *WHY)

    again = run("target", "revoke", "--by", "bob", "--json").document

    assert (again["was_granted"], again["will_not_send"]) == (False, 0)
    (grant,) = run("target", "list", "--json").document["targets"][0]["grants"]
    assert grant["revoked_by"] == "ann"
    assert list((database.parent / "revoked").iterdir()) == []


def test_a_file_of_an_older_program_revokes(run: Run, chosen: str, database: Path) -> None:
    """It does not say who and why; so the grant does not either."""
    with database_gone(database):
        run("target", "revoke", chosen)
        (file,) = (database.parent / "revoked").iterdir()
        file.write_text(f'{{"target_id": "{chosen}", "stream": "default", "at": 7}}')
    assert run("sync", "now").code == 4

    (grant,) = run("target", "list", "--json").document["targets"][0]["grants"]

    assert (grant["live"], grant["revoked_by"], grant["revoked_reason"]) == (False, "", "")
    assert "revoked 1970-01-01T00:00:00.000007+00:00  from" in run("target", "list").out


def test_half_a_file_revokes_nothing_for_ever(run: Run, chosen: str, database: Path) -> None:
    """What a crash left of a revocation that never returned does not outlast a grant."""
    with database_gone(database):
        run("target", "revoke", chosen)
        (file,) = (database.parent / "revoked").iterdir()
    half = file.with_name(f"new.{file.name}")
    file.rename(half)
    half.write_bytes(half.read_bytes()[:20])

    assert run("target", "grant").code == 0
    assert run("sync", "now").code == 0


def test_a_target_that_is_not_known(run: Run, chosen: str, home: Path) -> None:
    """It is named as such, and no other grant ends; also where there is no home yet."""
    ran = run("target", "revoke", "tgt_0", "--json")

    assert (ran.code, ran.document["unknown_target_ids"]) == (0, ["tgt_0"])
    assert ran.document["was_granted"] is False
    assert "no target known here" in run("target", "revoke", "tgt_0").out
    assert run("target", "revoke", "--project", "other", "--json").document["was_granted"] is False
    assert run("target", "list", "--json").document["targets"][0]["grants"][0]["live"]
    fresh = run("--home", str(home.parent / "fresh"), "target", "revoke", "tgt_0", "--json")
    assert (fresh.code, fresh.document["unknown_target_ids"]) == (0, ["tgt_0"])


def test_logged_out(run: Run, events: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without token, team, network and the switch for SaaS; nobody is asked."""
    run("capture", str(events))
    run("sync", "server", "https://nobody.invalid")

    ran = run("target", "revoke", "--json")

    assert (ran.code, ran.document["was_granted"], ran.document["will_not_send"]) == (0, True, 20)


def limited(home: Path, *words: str) -> Ran:
    """Run a command as a user whom file modes bind."""
    done = subprocess.run(
        [*UNPRIVILEGED, *PROGRAM, "--home", str(home), *words],
        capture_output=True,
        check=False,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(each for each in sys.path if each)},
    )
    return Ran(done.returncode, done.stdout.decode(), done.stderr.decode())


@has_modes
def test_a_database_that_may_not_be_written(run: Run, chosen: str, database: Path) -> None:
    """The file is enough; where no file can be written either, it says so."""
    database.chmod(0o444)
    (database.parent / "revoked").mkdir(exist_ok=True)
    closed = [database.parent / "revoked", database.parent]
    try:
        for place in closed:
            place.chmod(0o555)
        check_document(
            limited(database.parents[1], "target", "revoke", "--json"), 5, "store_not_writable"
        )
        for place in closed:
            place.chmod(0o755)
        ran = limited(database.parents[1], "target", "revoke", *WHY, "--json")
        assert (ran.code, ran.document["unknown_target_ids"]) == (0, [])
    finally:
        database.chmod(0o644)

    assert run("sync", "now").code == 4
    (grant,) = run("target", "list", "--json").document["targets"][0]["grants"]
    assert (grant["live"], grant["revoked_by"]) == (False, "ann")


@has_modes
def test_without_any_road_it_fails(run: Run, chosen: str, database: Path) -> None:
    """Also where there is no database just now: nothing would hold once it is back."""
    with database_gone(database):
        database.parent.chmod(0o555)
        try:
            check_document(
                limited(database.parents[1], "target", "revoke", chosen, "--json"),
                5,
                "store_not_writable",
            )
        finally:
            database.parent.chmod(0o755)
