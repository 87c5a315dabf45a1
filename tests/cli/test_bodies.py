"""Bodies on the command line, against a receiver that verifies them."""

import json
from pathlib import Path

import pytest

from eventsync_adapters.server import Serving
from eventsync_core.receivers import RequestRule, Script
from tests.cli.bodies import NAMED, PROJECT, STREAM, add, compatibility, states
from tests.cli.conftest import Run


def test_files_are_kept_with_their_reasons(run: Run, mission: Path) -> None:
    """Artifacts are queued once; anything else is skipped, and said why."""
    names = ("spec.md", "research/b.md", "research/c.py", "tasks.md", "README.md", "gone.md")

    added = add(run, mission, *names, "no utf-8 \udcff.md")

    assert added.code == 3
    assert (added.document["enqueued"], added.document["skipped"]) == (1, 6)
    assert added.document["stream"] == STREAM
    assert [item["reason"] for item in added.document["files"]] == [
        "enqueued",
        "not_valid_utf8",
        "unsupported_format: .py",
        "oversized: 524289 bytes > 524288 limit",
        "unsupported_surface",
        "not_present: gone.md",
        "not_present: no utf-8 \udcff.md",
    ]
    again = add(run, mission, "spec.md")
    assert (again.code, again.document["already_in_queue"]) == (0, 1)
    (body,) = run("body", "list", "--json").document["bodies"]
    assert (body["artifact_path"], body["project_uuid"], body["size_bytes"]) == (
        "spec.md",
        STREAM,
        11,
    )


def test_a_changed_file_is_another_body(run: Run, mission: Path) -> None:
    """The text that was kept before stays."""
    add(run, mission, "spec.md")
    (mission / "spec.md").write_text("new")
    add(run, mission, "spec.md")

    assert run("body", "list", "--json").document["bodies_count"] == 2


def test_files_outside_of_the_mission_are_skipped(run: Run, mission: Path) -> None:
    """Also by a path that leads out of it, or a link."""
    outside = mission.parent / "spec.md"
    outside.write_text("x")

    added = add(run, mission, "../spec.md", "research/../../spec.md")

    assert (added.code, added.document["skipped"]) == (3, 2)


def test_a_body_needs_a_project(run: Run, mission: Path, home: Path) -> None:
    """64, and nothing is made."""
    ran = run("body", "add", str(mission / "spec.md"), *NAMED)

    assert (ran.code, home.exists()) == (64, False)
    assert "--project" in ran.err


@pytest.mark.requirement("S9")
def test_bodies_go_after_their_events(run: Run, mission: Path, teamspace: Serving) -> None:
    """`sync now` delivers, then uploads; counts stand apart."""
    event = json.dumps({"event_id": "e1", "project_uuid": PROJECT})
    (mission / "events.jsonl").write_text(event)
    run("capture", str(mission / "events.jsonl"))
    add(run, mission)
    assert compatibility(run) == (3, 0)

    early = run("body", "push", "--json")
    planned = run("body", "push", "--dry-run", "--json")
    synced = run("sync", "now", "--json")

    assert (early.code, early.document["stopped_because"]) == (3, "events_first")
    assert run(*early.document["error"]["fix"]["argv"][1:]).code == 0
    assert planned.document["counts"]["selected"] == early.document["counts"]["selected"] == 0
    assert (synced.code, synced.document["counts"]["selected"]) == (0, 1)
    assert synced.document["bodies"]["counts"]["uploaded"] == 3
    contents = [json.loads(kept.text)["content_body"] for kept in teamspace.bodies.received()]
    assert contents == ["# spec ü\r\n", "# plan\n", "a,b\n"]
    assert teamspace.inbox.count() == 1
    assert states(run) == ["uploaded"] * 3
    assert compatibility(run) == (0, 0)
    assert run("sync", "status", "--json").document["active_queue"]["body_upload_count"] == 0


def test_a_refused_body_is_logged_and_goes_again(
    run: Run, mission: Path, teamspace: Serving
) -> None:
    """The preview of a push and of a retry is what they do."""
    add(run, mission)
    teamspace.set_script(Script(pushes=[RequestRule(status=400, body='{"detail": "not yet"}')]))
    planned = run("body", "push", "--dry-run", "--json").document
    pushed = run("body", "push", "--json")

    assert planned["counts"]["selected"] == pushed.document["counts"]["selected"] == 3
    assert (pushed.code, pushed.document["counts"]["failed"]) == (3, 1)
    assert pushed.document["error"]["code"] == "bodies_left"
    assert run(*pushed.document["error"]["fix"]["argv"][1:]).code == 0
    assert compatibility(run) == (0, 1)
    (failure,) = run("body", "list", "--failures", "--json").document["failures"]
    assert (failure["failure_reason"], failure["failure_count"]) == ("bad_request: not yet", 1)
    assert run("body", "push").code == 0

    plan = run("body", "retry", "--dry-run", "--json").document
    done = run("body", "retry", "--json").document

    assert plan | {"dry_run": False} == done
    assert (done["retried"], done["already_there"]) == (1, 2)
    assert run("body", "push", "--json").document["counts"]["uploaded"] == 1
    assert run("body", "retry", "99").code == 64


def test_a_server_that_fails_loses_nothing(run: Run, mission: Path, teamspace: Serving) -> None:
    """Exit 3 as long as bodies are left; a later push uploads them."""
    add(run, mission, "spec.md", "plan.md")
    teamspace.set_script(Script(pushes=[RequestRule(status=500), RequestRule(cut="before")]))

    first = run("sync", "now", "--json")

    assert (first.code, first.document["bodies"]["remaining"]) == (3, 2)
    assert first.document["bodies"]["stopped_because"] == "target_backoff"
    assert compatibility(run) == (2, 0)
    for _ in range(2):
        assert run("target", "resume").code == 0
        assert run("body", "retry").code == 0
        done = run("body", "push", "--json")
    assert (done.code, done.document["remaining"]) == (0, 0)
    assert teamspace.bodies.count() == 2


def test_a_redirection_is_not_followed(run: Run, mission: Path, teamspace: Serving) -> None:
    """The token goes nowhere else."""
    add(run, mission, "spec.md")
    away = RequestRule(status=307, headers={"Location": f"{teamspace.url}/elsewhere"})
    teamspace.set_script(Script(pushes=[away]))

    ran = run("body", "push", "--json")

    assert (ran.code, ran.document["stopped_because"]) == (3, "protocol")
    assert (teamspace.bodies.count(), teamspace.inbox.count()) == (0, 0)


def test_nothing_leaves_without_a_grant(run: Run, mission: Path, teamspace: Serving) -> None:
    """Exit 4; the fix grants the stream."""
    add(run, mission, "spec.md", project="other")

    ran = run("body", "push", "--project", "other", "--json")

    assert (ran.code, ran.document["stopped_because"]) == (4, "no_grant")
    assert run(*ran.document["error"]["fix"]["argv"][1:]).code == 0
    assert run("body", "push", "--project", "other").code == 0
    assert teamspace.bodies.count() == 1


def test_a_closed_gate_keeps_bodies_here(
    run: Run, mission: Path, teamspace: Serving, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Exit 4 with its word; the same body goes when it opens."""
    add(run, mission, "spec.md")
    monkeypatch.delenv("TOKEN")

    assert run("body", "push", "--json").document["stopped_because"] == "gate:missing_auth"
    planned = run("body", "push", "--dry-run", "--json").document
    assert (planned["counts"]["selected"], planned["stopped_because"]) == (0, "gate:missing_auth")
    monkeypatch.setenv("TOKEN", "a-token-value")
    assert run("body", "push").code == 0
    assert "a-token-value" not in (mission.parent / "home" / "config.toml").read_text()


def test_an_external_receiver_takes_no_bodies(run: Run, mission: Path, receiver: Serving) -> None:
    """They stay here; events go as ever."""
    add(run, mission, "spec.md")
    endpoint = ("--endpoint", f"{receiver.url}/in", "--project", PROJECT)
    run("sync", "mode", "EXTERNAL_RECEIVER", *endpoint)

    pushed = run("body", "push", "--json")
    synced = run("sync", "now", "--json")

    assert (pushed.code, pushed.document["stopped_because"]) == (4, "gate:endpoint_missing")
    assert (synced.code, synced.document["bodies"]) == (0, None)
    assert states(run) == ["queued"]


def test_looking_makes_nothing(run: Run, home: Path) -> None:
    """On a fresh home lists are empty, and no file appears."""
    listed = run("body", "list", "--json").document

    assert (listed["bodies"], listed["bodies_count"], listed["failures_count"]) == ([], 0, 0)
    assert run("body", "push").code == 0
    assert not home.exists()


def test_lists_page(run: Run, mission: Path) -> None:
    """By number, and of one stream with --project."""
    add(run, mission)
    add(run, mission, "spec.md", project="other")

    first = run("body", "list", "--limit", "2", "--json").document
    rest = run("body", "list", "--after", str(first["next_after"]), "--json").document
    other = run("body", "list", "--project", "other", "--json").document

    assert [body["number"] for body in first["bodies"]] == [1, 2]
    assert ([body["number"] for body in rest["bodies"]], rest["next_after"]) == ([3, 4], None)
    assert (other["bodies_count"], other["bodies"][0]["number"]) == (1, 4)


def test_servers_that_disagree_stop_no_file(
    run: Run, mission: Path, teamspace: Serving, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is kept, and the disagreement is named."""
    monkeypatch.setenv("SPEC_KITTY_SAAS_URL", "https://other.example")

    added = add(run, mission, "spec.md")

    assert (added.code, added.document["enqueued"]) == (0, 1)
    assert "[target_conflict]" in added.err
