"""What `sync doctor --mend` sets right: `journal verify` names it, and nothing more drastic."""

from collections.abc import Callable
from pathlib import Path

import pytest

from eventsync_adapters.server import Serving
from tests.cli.conftest import Run
from tests.damage.damaging import unguarded
from tests.damage.test_doctor import STATES
from tests.damage.test_doctor import database as database
from tests.damage.test_doctor import sound as sound

_ROWS = [state[2] for state in STATES if state[0] in ("events_left_behind", "due_differs")]


@pytest.mark.parametrize("change", _ROWS)
def test_verify_names_what_loses_nothing(
    run: Run, sound: Serving, database: Path, change: Callable[[Path], None]
) -> None:
    """A backup is older than what is stored; it is not named where rows can be set right."""
    change(database)

    found = run("journal", "verify", "--json")

    assert (found.code, found.document["error"]["code"]) == (5, "journal_damaged")
    argv = found.document["error"]["fix"]["argv"]
    assert argv == ["eventsync", "sync", "doctor", "--mend"]
    assert run(*argv[1:]).code == 0
    assert run("journal", "verify", "--json").document["verified"] == 20


def test_a_backup_is_named_beside_what_cannot_be_set_right(
    run: Run, sound: Serving, database: Path
) -> None:
    """Mending is refused where the ledger holds a word that is no outcome."""
    unguarded(
        database,
        ("INSERT INTO due VALUES (1, 1, 'first', 5, 3, NULL, 1)", ()),
        ("UPDATE ledger SET outcome = 'sent' WHERE position = 3", ()),
    )

    fix = run("journal", "verify", "--json").document["error"]["fix"]

    assert "journal restore BACKUP --replace" in fix["text"]


def test_a_lost_hold_is_held_anew(run: Run, sound: Serving, database: Path) -> None:
    """What it was is not guessed, and no backup is needed."""
    unguarded(database, ("INSERT INTO held_rows VALUES (1, 1, 3)", ()))

    fix = run("journal", "verify", "--json").document["error"]["fix"]

    assert fix["text"].startswith("eventsync journal hold each event")


def test_every_row_that_was_set_right_counts(
    run: Run, sound: Serving, database: Path, events: Path
) -> None:
    """Rows that are due and missing, and a cursor that lies above the head."""
    events.write_text("".join(f'{{"event_id": "n{n}"}}\n' for n in range(3)))
    run("capture", str(events))
    change = "UPDATE ledger SET outcome = 'transient', due_at = 1 WHERE position < 5"
    tallies = "UPDATE tallies SET entries = entries - 4"
    count = "INSERT INTO tallies VALUES (1, 1, 'transient', 4)"
    cursor = "UPDATE grants SET passed = 900"
    unguarded(database, *[(each, ()) for each in (change, tallies, count, cursor)])

    mended = run("sync", "doctor", "--mend", "--json").document["mended"]

    assert mended == {"files": 0, "counters": 0, "owed": 3, "rows": 5}
    again = run("sync", "doctor", "--mend", "--json").document["mended"]
    assert again == {"files": 0, "counters": 0, "owed": 0, "rows": 0}
    assert run("sync", "now", "--json").document["counts"]["selected"] == 7


def test_streams_and_targets_are_named(run: Run, sound: Serving, database: Path) -> None:
    """As commands name them; a number stands only for what has no name."""
    unguarded(
        database,
        ("DELETE FROM ledger WHERE position = 7", ()),
        ("UPDATE streams SET kept = kept - 1", ()),
        ("INSERT INTO holds VALUES (9, 1, 'operator', '', 1, 'me')", ()),
    )
    (target,) = run("target", "list", "--json").document["targets"]

    findings = run("sync", "doctor", "--json").document["findings"]
    said = " ".join(each["message"] for each in findings)
    broken = run("journal", "verify", "--json").document["references"]["broken"]

    assert f"target {target['target_id']}, stream default, position 7" in said
    assert "kept (stream default, events)" in said
    assert f"tallies (target {target['target_id']}, stream default, success)" in said
    assert {(each["kind"], each["where"]) for each in broken} == {
        ("passed", f"target {target['target_id']}, stream default, position 7"),
        ("hold", "stream number 9, position 1"),
    }
