"""A target that another server answers for: what is said of it, and how it is dealt with."""

import shlex
from pathlib import Path

import pytest

from eventsync_adapters import machine
from eventsync_adapters.server import Serving
from eventsync_adapters.sqlite import open_stores
from eventsync_core.clock import MINUTE, iso_time
from eventsync_core.targets import BackOff, Deployment, Health
from tests.cli.conftest import Run

WAIT = BackOff(failures=3, retry_at=machine.now() + 10 * MINUTE, reason="503")


@pytest.fixture
def delivered(run: Run, events: Path, receiver: Serving) -> str:
    """Twenty events, all delivered; return the target's id."""
    run("capture", str(events))
    run("sync", "mode", "EXTERNAL_RECEIVER", "--endpoint", receiver.url)
    return str(run("sync", "now", "--json").document["target"]["target_id"])


@pytest.fixture
def reset(home: Path, delivered: str) -> str:
    """And then another server answers there."""
    with open_stores(home / "eventsync" / "eventsync.db") as stores:
        for name in ("one", "two"):
            health = Health(deployment=Deployment(server_instance_id=name))
            stores.targets.observe(delivered, health, at=machine.now())
    return delivered


def is_reset(run: Run) -> bool:
    """Say whether status names a reset."""
    return run("sync", "status", "--json").document["targets"][0]["reset"] is not None


@pytest.mark.parametrize(("verb", "owed"), [("--all", 20), ("--nothing", 0)])
def test_the_recommended_commands_work(run: Run, reset: str, verb: str, owed: int) -> None:
    """Each is taken from what status says; afterwards there is no reset any more."""
    said = run("sync", "status", "--json").document["targets"][0]["reset"]["recommendation"]
    (command,) = (part for part in said.replace(": ", ";").split(";") if verb in part)
    words = shlex.split(command)
    assert words[0] == "eventsync"

    preview = run(*words[1:], "--dry-run", "--json")
    assert is_reset(run)
    done = run(*words[1:], "--json")

    assert (preview.code, done.code) == (0, 0)
    assert {**preview.document, "dry_run": False} == done.document
    assert (done.document["replayed"], done.document["settled"]) == (owed, True)
    assert not is_reset(run)
    assert run("sync", "now", "--json").document["counts"]["selected"] == owed
    again = run("sync", "replay", "--nothing", "--json")
    assert (again.code, again.document["settled"]) == (0, False)


@pytest.mark.usefixtures("reset")
def test_a_part_leaves_the_reset_noted(run: Run) -> None:
    """A type is not everything."""
    done = run("sync", "replay", "--type", "Unknown", "--json").document

    assert (done["settled"], is_reset(run)) == (False, True)


@pytest.mark.usefixtures("reset")
@pytest.mark.parametrize("verb", ["--all", "--nothing"])
def test_sync_now_says_that_the_target_was_reset(run: Run, verb: str) -> None:
    """In one line on stderr, until it is dealt with."""
    said = run("sync", "now").err
    run("sync", "replay", verb)

    (line,) = said.splitlines()
    assert "another server answers" in line
    assert "eventsync sync replay --all, else eventsync sync replay --nothing" in line
    assert run("sync", "now").err == ""


@pytest.mark.parametrize(
    "words", [("--all",), ("--type", "A"), ("--since", "2026-01-01T00:00:00Z")]
)
def test_nothing_stands_alone(run: Run, words: tuple[str, ...]) -> None:
    """With a part or with all it is no command."""
    assert run("sync", "replay", "--nothing", *words).code == 64


@pytest.mark.usefixtures("delivered")
def test_without_a_reset_there_is_nothing_to_deal_with(run: Run) -> None:
    """It says so, and is no error."""
    ran = run("sync", "replay", "--nothing")

    assert ran.code == 0
    assert "no reset was noted" in ran.out


def test_what_is_opened_again_says_when_it_goes(
    run: Run, home: Path, receiver: Serving, delivered: str
) -> None:
    """At once; or when what keeps it back is over."""
    replay = ("sync", "replay", "--all", "--to", delivered)
    assert "they go at the next sync now\n" in run(*replay).out
    run("sync", "now")

    with open_stores(home / "eventsync" / "eventsync.db") as stores:
        stores.grants.pause(delivered, "default", "not admitted", actor="me", at=1)
        stores.targets.set_back_off(delivered, WAIT)
    resume = f"eventsync target resume {delivered}"
    said = run(*replay).out
    assert f"they go after {iso_time(WAIT.retry_at)}, or after {resume}" in said
    assert f"stream default is paused: not admitted; {resume}" in said
    run("target", "resume")
    run("sync", "now")

    run("target", "pause", "--reason", "moving")
    assert f"they go after {resume}, for it is paused: moving" in run(*replay).out
    run("target", "resume")
    run("sync", "now")

    run("sync", "mode", "EXTERNAL_RECEIVER", "--endpoint", f"{receiver.url}/other")
    assert "they go once it is the current target\n" in run(*replay).out


def test_a_grant_says_that_the_target_is_left_alone(run: Run, home: Path, delivered: str) -> None:
    """It ends a pause, not a wait."""
    with open_stores(home / "eventsync" / "eventsync.db") as stores:
        stores.targets.set_back_off(delivered, WAIT)

    for words in ((), ("--dry-run",)):
        assert f"events go after {iso_time(WAIT.retry_at)}" in run("target", "grant", *words).out
