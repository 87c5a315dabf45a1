"""`sync doctor --mend` frees nothing of which a witness says that it is held."""

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from eventsync_adapters.server import Serving
from tests.cli.conftest import Run
from tests.damage.damaging import unguarded
from tests.damage.test_doctor import found

_ROW_OF_E1 = (
    "INSERT INTO held_rows VALUES (1, 1, 2)",
    "INSERT INTO ledger VALUES (1, 1, 2, 'transient', 0, 1, 0, 0, 0, 1, 0, 0)",
    "INSERT INTO tallies VALUES (1, 1, 'transient', 1)",
)
LOST = ("DELETE FROM holds WHERE position = 2",)


@pytest.fixture
def database(run: Run, home: Path, events: Path, receiver: Serving) -> Path:
    """Of twenty events e1 and e2 are held, at 2 and 3, and the others delivered."""
    run("capture", str(events))
    run("sync", "mode", "EXTERNAL_RECEIVER", "--endpoint", receiver.url)
    run("journal", "hold", "e1", "e2")
    assert run("sync", "now", "--json").document["counts"]["delivered"] == 18
    return home / "eventsync" / "eventsync.db"


def damage(database: Path, *statements: str) -> None:
    unguarded(database, *[(each, ()) for each in statements])


def mended(run: Run) -> tuple[dict[str, int], set[str]]:
    """Mend, and return how much was set right and the codes of what is found afterwards."""
    document = run("sync", "doctor", "--mend", "--json").document
    return document["mended"], {each["code"] for each in document["findings"]}


def fix_of(run: Run) -> str:
    return str(found(run)["holds_lost"]["fix"]["text"])


def selected(run: Run) -> int:
    document: dict[str, Any] = run("sync", "now", "--json").document
    return int(document["counts"]["selected"])


@pytest.mark.parametrize("others", [0, 2])
def test_what_was_held_is_held_anew(run: Run, database: Path, events: Path, others: int) -> None:
    """Mending changes nothing before; what else waits goes, and what else was meant does then."""
    damage(database, *LOST)
    events.write_text("".join(f'{{"event_id": "n{n}"}}\n' for n in range(others)))
    run("capture", str(events))

    assert mended(run) == ({"files": 0, "counters": 0, "owed": 0, "rows": 0}, {"holds_lost"})
    fix = fix_of(run)
    assert run("journal", "hold", "e1").code == 0
    assert selected(run) == others
    for part in ("journal hold each", "sync now", "sync doctor --mend", "journal release those"):
        assert part in fix

    assert mended(run) == ({"files": 0, "counters": 1, "owed": 0, "rows": 0}, set())
    assert selected(run) == 0
    run("journal", "release", "e1")
    assert selected(run) == 1


@pytest.mark.usefixtures("database")
def test_what_is_not_yet_passed(run: Run, database: Path, events: Path) -> None:
    """The counter alone says that one of them is held, and goes on saying so."""
    events.write_text('{"event_id": "n1"}\n{"event_id": "n2"}\n')
    run("capture", str(events))
    run("journal", "hold", "n2")
    damage(database, "DELETE FROM holds WHERE position = 22")

    assert mended(run) == ({"files": 0, "counters": 0, "owed": 0, "rows": 0}, {"holds_lost"})
    run("journal", "hold", "n2")
    assert selected(run) == 1
    told = run("sync", "status")
    assert (told.code, "[counters_differ]" in told.err) == (5, True)
    assert "[counters_differ]" in run("sync", "doctor").out
    assert mended(run)[1] == set()


def test_what_was_left_behind_beside_it(run: Run, database: Path) -> None:
    """Nobody can tell which was held: both are held, and one is released."""
    damage(database, *LOST, "DELETE FROM ledger WHERE position = 9")
    damage(database, "UPDATE tallies SET entries = entries - 1 WHERE outcome = 'success'")

    assert mended(run)[1] == {"holds_lost"}
    run("journal", "hold", "e1", "e8")
    assert mended(run)[1] == set()
    run("journal", "release", "e8")
    assert selected(run) == 1


def test_a_row_that_is_said_to_be_held(run: Run, database: Path) -> None:
    """It stays on record that it was, and its row that is due is not made anew."""
    damage(database, *_ROW_OF_E1, *LOST, "UPDATE held_counts SET entries = 1")

    _, codes = mended(run)

    assert "holds_lost" in codes
    assert selected(run) == 0
    assert run("journal", "hold", "e1").code == 0
    assert mended(run)[1] == set()
    assert selected(run) == 0


@pytest.mark.parametrize("word", ["operatox", "quarantined"])
def test_a_hold_under_another_word(run: Run, database: Path, tmp_path: Path, word: str) -> None:
    """It is never counted under a word that is none; a home that delivers goes on doing so."""
    copy = tmp_path / "copy.db"
    run("journal", "backup", str(copy))
    damage(database, f"UPDATE holds SET hold = '{word}' WHERE position = 2")  # noqa: S608

    _, codes = mended(run)

    with closing(sqlite3.connect(database)) as connection:
        words = {row[0] for row in connection.execute("SELECT hold FROM held_counts")}
    assert "operatox" not in words
    assert run("sync", "status").code == 0
    assert run("sync", "now").code == 0
    if word == "quarantined":
        assert codes == set()
        return
    assert {"holds_lost", "references_broken"} <= codes
    assert "journal restore BACKUP --replace" in fix_of(run)
    assert run("journal", "restore", str(copy), "--replace").code == 0
    assert mended(run)[1] == {"copies_left"}
