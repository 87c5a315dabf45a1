"""A damaged entry is set aside by command; everything else stays deliverable."""

import shlex
from collections.abc import Callable
from pathlib import Path

import pytest

from eventsync_adapters.server import Serving
from tests.cli.conftest import Run
from tests.damage.damaging import beside_its_indexes, spoil, unguarded


@pytest.fixture
def spoilt(run: Run, home: Path, events: Path) -> list[str]:
    """Twenty events; of three the text is damaged."""
    run("capture", str(events))
    database = home / "eventsync" / "eventsync.db"
    spoil(database, ["e3"], '{"event_id": "e3", "n": 4}')
    spoil(database, ["e5"], b"\xff")
    spoil(database, ["e7"], "")
    return ["e3", "e5", "e7"]


def deliver(run: Run, receiver: Serving) -> dict[str, int]:
    """Deliver what there is and return the counts."""
    run("sync", "mode", "EXTERNAL_RECEIVER", "--endpoint", receiver.url)
    counts: dict[str, int] = run("sync", "now", "--json").document["counts"]
    return counts


def classes(run: Run) -> dict[str, int]:
    """Return the classes that hold anything at the only target."""
    (target,) = run("sync", "status", "--json").document["targets"]
    (stream,) = target["streams"]
    return {name: count for name, count in stream["classes"].items() if count}


def test_all_damaged_are_set_aside(run: Run, spoilt: list[str], receiver: Serving) -> None:
    """They count as quarantined, nothing of them is sent, and the rest is delivered."""
    preview = run("journal", "quarantine", "--damaged", "--dry-run", "--json").document
    assert (preview["quarantined"], preview["dry_run"]) == (3, True)

    done = run("journal", "quarantine", "--damaged", "--json").document
    counts = deliver(run, receiver)

    assert (done["quarantined"], done["already_held"]) == (3, 0)
    assert [each["position"] for each in done["entries"]] == [4, 6, 8]
    assert (counts["selected"], counts["delivered"]) == (17, 17)
    assert classes(run) == {"delivered": 17, "quarantined": 3}
    again = run("journal", "quarantine", "--damaged", "--json").document
    assert (again["quarantined"], again["already_held"]) == (0, 3)


def test_named_ones_are_set_aside(run: Run, spoilt: list[str]) -> None:
    """One that is not damaged is left alone, and said to be."""
    names = ("e3", "e5", "e9")
    preview = run("journal", "quarantine", *names, "--dry-run", "--json").document
    ran = run("journal", "quarantine", *names, "--json")

    assert ran.document["quarantined"] == preview["quarantined"] == 2
    assert ran.document["not_damaged"] == ["e9"]
    assert "journal hold" in ran.err
    listed = run("journal", "quarantine", "--json").document
    assert (listed["entries_count"], listed["set_aside_count"]) == (2, 0)
    assert [each["position"] for each in listed["entries"]] == [4, 6]
    assert [each["event_id"] for each in listed["entries"]] == ["e3", "e5"]


def test_an_unknown_one_changes_nothing(run: Run, spoilt: list[str]) -> None:
    """The command line names something that is not there."""
    assert run("journal", "quarantine", "e3", "nobody").code == 64
    assert run("journal", "quarantine", "--json").document["entries_count"] == 0


def test_verify_names_the_command_until_it_was_given(run: Run, spoilt: list[str]) -> None:
    """Its fix works where it is printed; then only a good copy helps."""
    before = run("journal", "verify", "--json").document["error"]["fix"]
    assert before["argv"] == shlex.split("eventsync journal quarantine --damaged")

    assert run(*before["argv"][1:]).code == 0

    after = run("journal", "verify", "--json")
    assert after.code == 5
    assert "argv" not in after.document["error"]["fix"]


def test_what_is_held_stays_held_for_its_reason(run: Run, spoilt: list[str]) -> None:
    """So that a release of the quarantine lets nothing go that was to stay."""
    run("journal", "hold", "e3", "--reason", "mine")

    done = run("journal", "quarantine", "--damaged", "--json").document

    assert (done["quarantined"], done["already_held"]) == (2, 1)
    released = run("journal", "release", "--hold", "quarantined", "--json").document
    assert released["released"] == 2


def _held(_: Path) -> None:
    """Nothing but that it is held."""


def _held_for_no_known_reason(database: Path) -> None:
    unguarded(database, ("UPDATE holds SET hold = 'owed'", ()))


def _lost_beside_its_index(database: Path) -> None:
    beside_its_indexes(database, "holds", "DELETE FROM holds")


@pytest.mark.parametrize("change", [_held, _held_for_no_known_reason, _lost_beside_its_index])
def test_no_fix_is_named_that_does_nothing(
    run: Run, home: Path, spoilt: list[str], change: Callable[[Path], None]
) -> None:
    """Where all that is damaged is held, for whatever reason, only a good copy helps."""
    run("journal", "hold", *spoilt)
    change(home / "eventsync" / "eventsync.db")

    verified = run("journal", "verify", "--json").document["error"]
    doctor = run("sync", "doctor", "--json").document["findings"]

    assert verified["code"] == "journal_damaged"
    for fix in (verified["fix"], *(each["fix"] for each in doctor)):
        assert "argv" not in fix
        assert "journal restore BACKUP" in fix["text"]
    free = run("journal", "quarantine", "--damaged", "--json").document
    assert (free["quarantined"], free["already_held"]) == (0, 3)


def test_a_release_does_not_make_it_leave(run: Run, spoilt: list[str], receiver: Serving) -> None:
    """It is looked at again before it would be sent."""
    run("journal", "quarantine", "--damaged")
    run("journal", "release", "--hold", "quarantined")

    counts = deliver(run, receiver)

    assert (counts["delivered"], counts["terminal_failed"]) == (17, 3)


@pytest.mark.parametrize(
    "line", ["--damaged e3", "--dry-run", "99999999999999999999999", "0", "7 --dry-run"]
)
def test_what_cannot_be_meant_is_usage(run: Run, spoilt: list[str], line: str) -> None:
    """Nothing changes."""
    assert run("journal", "quarantine", *line.split()).code == 64
