"""What stands in the way of bodies, and what is said of it."""

from pathlib import Path

import pytest

from eventsync_adapters.server import Serving
from eventsync_core.receivers import RequestRule, Script
from tests.cli.bodies import NAMED, PROJECT, add, capture, states
from tests.cli.conftest import Run
from tests.damage.damaging import unguarded


@pytest.mark.parametrize("rule", [RequestRule(status=412), RequestRule(status=200, body="<html>")])
def test_what_stops_events_stops_bodies(
    run: Run, mission: Path, teamspace: Serving, rule: RequestRule
) -> None:
    """No body goes before an event that an answer of its endpoint kept back."""
    add(run, mission, "spec.md")
    capture(run, mission, "e1")
    teamspace.set_script(Script(requests=[rule]))

    synced = run("sync", "now", "--json")

    assert synced.code == 3
    assert synced.document["bodies"]["requests"] == 0
    assert states(run) == ["queued"]
    if synced.document["stopped_because"] == "protocol":
        assert synced.document["bodies"]["stopped_because"] == "protocol"
        assert synced.document["bodies"]["remaining"] == 1


def test_bodies_that_a_grant_leaves_out_are_named(
    run: Run, mission: Path, teamspace: Serving
) -> None:
    """They wait, everything says so, and the command that is named lets them go."""
    del teamspace
    run("target", "revoke", "--project", PROJECT)
    early = add(run, mission, "spec.md").document
    assert (early["enqueued"], early["not_granted"]) == (1, 1)
    assert early["files"][0]["granted"] is False
    run("target", "grant", "--project", PROJECT, "--from-now")

    again = add(run, mission, "spec.md", "plan.md")
    pushed = run("body", "push", "--json")
    (stream,) = run("sync", "status", "--json").document["body_streams"]
    listed = run("body", "list", "--json").document["bodies"]

    assert [each["granted"] for each in again.document["files"]] == [False, True]
    assert "target grant" in again.err
    assert (pushed.code, pushed.document["counts"]["uploaded"]) == (0, 1)
    assert "bodies added before it: 1" in pushed.err
    assert "bodies added before it: 1" in run("sync", "now").err
    assert (stream["waiting"], stream["left_out"], stream["granted"]) == (1, 1, True)
    assert "bodies added before it: 1" in stream["message"]
    assert [(each["state"], each["granted"]) for each in listed] == [
        ("queued", False),
        ("uploaded", True),
    ]
    assert "not granted" in run("body", "list").out

    assert run(*stream["fix"]["argv"][1:]).code == 0

    assert run("body", "push", "--json").document["counts"]["uploaded"] == 1
    assert run("sync", "status", "--json").document["body_streams"] == []


def test_a_grant_that_is_not_on_record_stops_bodies(
    run: Run, home: Path, mission: Path, teamspace: Serving
) -> None:
    """Where they are pushed, the command that ends it is named as one to run."""
    del teamspace
    add(run, mission, "spec.md")
    unguarded(
        home / "eventsync" / "eventsync.db",
        ("UPDATE grants SET generation = generation + 7", ()),
    )

    pushed = run("body", "push", "--json")

    assert (pushed.code, pushed.document["error"]["code"]) == (3, "grant_damaged")
    assert run(*pushed.document["error"]["fix"]["argv"][1:]).code == 0
    assert run("target", "grant", "--project", PROJECT).code == 0
    assert run("body", "push", "--json").document["counts"]["uploaded"] == 1


def test_a_file_s_name_is_told_in_one_line(run: Run, mission: Path) -> None:
    """Nothing of it reaches a terminal as a command."""
    added = run("body", "add", str(mission / "a\x1b[31m\nb.md"), *NAMED, "--project", PROJECT)

    assert added.code == 3
    assert "\x1b" not in added.out + added.err
    assert "a [31m b.md" in added.out
