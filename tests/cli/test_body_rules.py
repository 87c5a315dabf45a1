"""Bodies under grants, faults, gates and operators, against a receiver that verifies them."""

import json
import os
import threading
from pathlib import Path

import attrs
import pytest

from eventsync_adapters import machine
from eventsync_adapters.server import Serving
from eventsync_adapters.sqlite import open_stores
from eventsync_core.receivers import RequestRule, Script
from eventsync_core.targets import Deployment, Health
from tests.cli.bodies import (
    NAMED,
    PROJECT,
    STREAM,
    add,
    capture,
    compatibility,
    current,
    states,
)
from tests.cli.conftest import Run

_FAULT = RequestRule(status=500)
_REFUSAL = RequestRule(status=400, body='{"detail": "not yet"}')


def _sent(teamspace: Serving) -> list[str]:
    return [json.loads(kept.text)["artifact_path"] for kept in teamspace.bodies.received()]


@pytest.mark.parametrize("with_events", [False, True])
@pytest.mark.usefixtures("teamspace")
def test_a_grant_from_now_on_leaves_out_bodies_from_before(
    run: Run, mission: Path, teamspace: Serving, *, with_events: bool
) -> None:
    """Whether the stream holds events or not; a wider grant lets them go."""
    run("target", "revoke", "--project", PROJECT)
    if with_events:
        capture(run, mission, "e1")
    add(run, mission, "spec.md")
    granted = run("target", "grant", "--project", PROJECT, "--from-now", "--json")
    add(run, mission, "plan.md")

    assert granted.document["grant"]["from_body"] == 1
    planned = run("body", "push", "--dry-run", "--json").document
    pushed = run("body", "push", "--json")
    assert (pushed.code, planned["counts"]["selected"], _sent(teamspace)) == (0, 1, ["plan.md"])
    (shown,) = run("target", "show", "--json").document["grants"]
    assert shown["from_body"] == 1
    assert "and body 2" in run("target", "show").out

    run("target", "grant", "--project", PROJECT)
    assert run("sync", "now").code == 0
    assert sorted(_sent(teamspace)) == ["plan.md", "spec.md"]


def _reset(home: Path, target_id: str) -> None:
    with open_stores(home / "eventsync" / "eventsync.db") as stores:
        for name in ("one", "two"):
            health = Health(deployment=Deployment(server_instance_id=name))
            stores.targets.observe(target_id, health, at=machine.now())


def test_a_replay_offers_bodies_again(
    run: Run, home: Path, mission: Path, teamspace: Serving
) -> None:
    """After a reset of the server, with the events; the preview counts what is done."""
    capture(run, mission, "e1")
    add(run, mission, "spec.md", "plan.md")
    target_id = run("sync", "now", "--json").document["target"]["target_id"]
    _reset(home, target_id)

    planned = run("sync", "replay", "--all", "--dry-run", "--json").document
    assert states(run) == ["uploaded"] * 2
    done = run("sync", "replay", "--all", "--json").document

    assert {**planned, "dry_run": False} == done
    assert (done["replayed"], done["bodies"], done["settled"]) == (
        1,
        {"replayed": 2, "not_granted": 0},
        True,
    )
    assert compatibility(run) == (2, 0)
    (first, _) = run("body", "list", "--json").document["bodies"]
    (before,) = first["before"]
    assert (first["before_count"], before["state"], before["act"]) == (
        1,
        "uploaded",
        "delivered_before",
    )
    assert before["settled_at"] is not None
    synced = run("sync", "now", "--json")
    assert (synced.code, synced.document["bodies"]["counts"]["already_exists"]) == (0, 2)
    assert run("sync", "replay", "--type", "X", "--json").document["bodies"] is None
    none = run("sync", "replay", "--until", "2001-01-01T00:00:00Z", "--json").document
    assert none["bodies"] == {"replayed": 0, "not_granted": 0}


@pytest.mark.usefixtures("teamspace")
def test_retries_open_failed_bodies(run: Run, mission: Path, teamspace: Serving) -> None:
    """`sync retry` as `body retry`, and the latter those that are there as well."""
    add(run, mission, "spec.md", "plan.md")
    teamspace.set_script(Script(pushes=[_REFUSAL]))
    run("body", "push")

    assert run("sync", "retry", "--reason", "other", "--json").document["bodies"]["retried"] == 0
    planned = run("sync", "retry", "--dry-run", "--json").document
    done = run("sync", "retry", "--json").document
    assert {**planned, "dry_run": False} == done
    assert done["bodies"] == {"retried": 1, "not_granted": 0}
    assert run("body", "push", "--json").document["counts"]["uploaded"] == 1

    again = run("body", "retry", "--uploaded", "1", "--json").document
    assert (again["retried"], again["uploaded"], again["failed"]) == (1, 1, 0)
    assert run("body", "push", "--json").document["counts"]["already_exists"] == 1
    (first, _) = run("body", "list", "--json").document["bodies"]
    assert [each["state"] for each in first["before"]] == ["uploaded", "failed"]
    assert compatibility(run) == (0, 1)


def test_a_project_is_one_however_it_is_spelt(run: Run, mission: Path) -> None:
    """The same file of the same project is one body of one stream."""
    for project in (PROJECT, STREAM, PROJECT.upper()):
        add(run, mission, "spec.md", project=project)

    listed = run("body", "list", "--json").document

    assert listed["bodies_count"] == 1
    assert (listed["bodies"][0]["stream"], listed["bodies"][0]["project_uuid"]) == (STREAM, STREAM)


def test_an_event_of_unknown_effect_holds_no_body_up_for_ever(
    run: Run, mission: Path, teamspace: Serving
) -> None:
    """Status names it and the commands; the run that offers it sends the bodies too."""
    capture(run, mission, "stuck")
    teamspace.set_script(Script(events={"stuck": {"status": "perhaps"}}))
    add(run, mission, "spec.md")

    status = run("sync", "status", "--json").document
    (waiting,) = status["body_streams"]
    assert (waiting["waits_for"], waiting["waiting"], waiting["granted"]) == ("stuck", 1, True)
    assert "journal hold stuck" in waiting["message"]
    assert waiting["fix"] == {"argv": ["eventsync", "sync", "now"]}
    assert "wait for its event stuck" in run("sync", "status").out

    synced = run("sync", "now", "--json")

    assert (synced.code, synced.document["counts"]["unknown_effect"]) == (3, 1)
    assert synced.document["bodies"]["counts"]["uploaded"] == 1
    assert _sent(teamspace) == ["spec.md"]
    assert run("sync", "status", "--json").document["body_streams"] == []


def test_a_hold_lets_bodies_go_without_their_event(
    run: Run, mission: Path, teamspace: Serving
) -> None:
    """That is the command that the message names."""
    capture(run, mission, "stuck")
    add(run, mission, "spec.md")
    early = run("body", "push", "--json").document
    assert (early["stopped_because"], "journal hold stuck" in early["message"]) == (
        "events_first",
        True,
    )

    assert run("journal", "hold", "stuck").code == 0

    assert run("body", "push").code == 0
    assert (_sent(teamspace), teamspace.inbox.count()) == (["spec.md"], 0)


@pytest.mark.parametrize("words", [("sync", "now"), ("body", "push")])
@pytest.mark.parametrize("with_events", [False, True])
@pytest.mark.usefixtures("teamspace")
def test_a_closed_gate_ends_with_4(
    run: Run,
    mission: Path,
    monkeypatch: pytest.MonkeyPatch,
    words: tuple[str, ...],
    *,
    with_events: bool,
) -> None:
    """Whether events wait or bodies alone."""
    add(run, mission, "spec.md")
    if with_events:
        capture(run, mission, "e1")
    monkeypatch.delenv("TOKEN")

    ran = run(*words, "--json")

    assert (ran.code, ran.document["error"]["code"]) == (4, "missing_auth")


@pytest.mark.parametrize("words", [("sync", "now"), ("body", "push")])
def test_streams_that_are_not_granted_are_named(
    run: Run, mission: Path, teamspace: Serving, words: tuple[str, ...]
) -> None:
    """With the command that grants them; the others go."""
    add(run, mission, "spec.md")
    add(run, mission, "plan.md", project="other")

    ran = run(*words, "--json")

    line = "stream other is not granted to"
    assert (ran.code, line in ran.err, "target grant --project other" in ran.err) == (0, True, True)
    assert "bodies waiting: 1" in ran.err
    assert _sent(teamspace) == ["spec.md"]
    (other,) = run("sync", "status", "--json").document["body_streams"]
    assert (other["stream"], other["granted"]) == ("other", False)
    assert run(*other["fix"]["argv"][1:]).code == 0
    again = run(*words, "--json")
    assert (again.code, "not granted" in again.err) == (0, False)
    assert sorted(_sent(teamspace)) == ["plan.md", "spec.md"]


@pytest.mark.parametrize("words", [("sync", "now"), ("body", "push")])
@pytest.mark.parametrize("asked", [(), ("--project", PROJECT)])
@pytest.mark.usefixtures("teamspace")
def test_bodies_without_any_grant_end_with_4(
    run: Run, mission: Path, words: tuple[str, ...], asked: tuple[str, ...]
) -> None:
    """The fix grants the stream, and then they go."""
    run("target", "revoke", "--project", PROJECT)
    add(run, mission, "spec.md")

    ran = run(*words, *asked, "--json")

    assert (ran.code, ran.document["stopped_because"]) == (4, "no_grant")
    assert words != ("body", "push") or ran.document["remaining"] == 1
    gates = run("sync", "status", *asked, "--json").document["gate_reasons"]
    assert gates[0]["fix"]["argv"][:3] == ["eventsync", "target", "grant"]
    assert STREAM in gates[0]["fix"]["argv"]
    assert run(*ran.document["error"]["fix"]["argv"][1:]).code == 0
    assert run(*words, *asked).code == 0
    assert states(run) == ["uploaded"]


@pytest.mark.usefixtures("teamspace")
def test_what_failed_for_good_is_not_in_the_queue(
    run: Run, mission: Path, teamspace: Serving
) -> None:
    """Adding it again says so and names what lets it go; what is there is there."""
    add(run, mission, "spec.md", "plan.md")
    teamspace.set_script(Script(pushes=[_REFUSAL]))
    run("body", "push")

    again = add(run, mission, "spec.md", "plan.md")

    assert (again.code, again.document["failed"], again.document["already_uploaded"]) == (3, 1, 1)
    assert again.document["already_in_queue"] == 0
    assert [(each["status"], each["reason"]) for each in again.document["files"]] == [
        ("failed", "failed: bad_request: not yet"),
        ("uploaded", "already_uploaded"),
    ]
    assert again.document["error"]["fix"] == {"argv": ["eventsync", "body", "retry", "1"]}
    assert run(*again.document["error"]["fix"]["argv"][1:]).code == 0
    assert run("body", "push").code == 0
    assert states(run) == ["uploaded", "uploaded"]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no named pipes here")
def test_a_pipe_is_refused_at_once(run: Run, mission: Path) -> None:
    """Nobody writes to it, and the command does not wait for one; nor is a folder read."""
    os.mkfifo(mission / "research" / "pipe.md")
    (mission / "research" / "folder.md").mkdir()
    (mission / "research" / "null.md").symlink_to("/dev/null")
    added: list[object] = []

    def act() -> None:
        names = ("research/pipe.md", "research/folder.md", "research/null.md")
        added.append(add(run, mission, *names))

    acting = threading.Thread(target=act, daemon=True)
    acting.start()
    acting.join(20)

    (ran,) = added
    assert [each["reason"].partition(":")[0] for each in ran.document["files"]] == [  # type: ignore[attr-defined]
        "read_error",
        "read_error",
        "leads_out",
    ]


@pytest.mark.parametrize("with_root", [False, True])
def test_a_link_that_leads_out_is_not_followed(
    run: Run, mission: Path, monkeypatch: pytest.MonkeyPatch, *, with_root: bool
) -> None:
    """One within the folder is, under its own name; --root names a folder that holds both."""
    secret = mission.parent / "research" / "secret.md"
    secret.parent.mkdir()
    secret.write_text("not of this mission")
    (mission / "research" / "out.md").symlink_to(secret)
    (mission / "research" / "in.md").symlink_to(mission / "plan.md")
    (mission / "contracts").symlink_to(secret.parent)
    monkeypatch.chdir(mission)
    root = ("--root", str(mission)) if with_root else ()
    names = ("research/out.md", "research/in.md", "contracts/secret.md")

    ran = run("body", "add", *names, *NAMED, *root, "--project", PROJECT, "--json")

    reasons = {each["file"]: each["reason"] for each in ran.document["files"]}
    assert ran.code == 3
    assert reasons["research/in.md"] == "enqueued"
    assert reasons["research/out.md"].startswith("leads_out: ")
    assert reasons["contracts/secret.md"] in ("unsupported_surface", reasons["research/out.md"])
    assert b"not of this" not in (mission.parent / "home/eventsync/eventsync.db").read_bytes()
    monkeypatch.chdir(mission.parent)
    whole = ("--root", str(mission.parent))
    both = run("body", "add", "research/secret.md", *NAMED, *whole, "--project", PROJECT, "--json")
    assert both.document["enqueued"] == 1


def test_an_echo_of_a_body_is_kept_nowhere(
    run: Run, mission: Path, teamspace: Serving, home: Path
) -> None:
    """Neither in the failure log nor in what is listed, said or stored of the answer."""
    text = "# Plan\nthe launch code is swordfish-7\nand nobody may know\n"
    (mission / "spec.md").write_text(text)
    add(run, mission, "spec.md")
    echo = json.dumps({"content_body": text, "artifact_path": ["is not indexed"]})
    teamspace.set_script(Script(pushes=[RequestRule(status=400, body=echo)]))

    pushed = run("body", "push", "--json")

    log = run("body", "list", "--failures", "--json")
    (failure,) = log.document["failures"]
    assert "is not indexed" in failure["failure_reason"]
    everything = pushed.out + pushed.err + log.out + run("body", "list", "--json").out
    assert "swordfish" not in everything
    stored = (home / "eventsync" / "eventsync.db").read_bytes()
    assert stored.count(b"swordfish-7") == 1


def test_a_failing_body_endpoint_backs_off_and_stops_no_event(
    run: Run, mission: Path, teamspace: Serving
) -> None:
    """The wait stands on the target, grows, and holds bodies back; events go on."""
    teamspace.set_script(Script(pushes=[_FAULT] * 20))
    add(run, mission, "spec.md", "plan.md")
    for failures in range(1, 8):
        ran = run("body", "push", "--json")
        assert (ran.code, ran.document["stopped_because"]) == (3, "target_backoff")
        assert (ran.document["requests"], ran.document["retry_at"] is None) == (1, False)
        assert current(run)["back_off"]["failures"] == failures
        if failures < 7:
            run("body", "retry")
            _rewind(run)
    assert run("body", "push", "--json").document["requests"] == 0

    for number in range(3):
        capture(run, mission, f"e{number}")
        synced = run("sync", "now", "--json").document
        assert synced["counts"]["delivered"] == 1
    assert teamspace.inbox.count() == 3
    assert current(run)["back_off"]["failures"] == 7

    teamspace.set_script(Script())
    assert run("target", "resume").code == 0
    assert run("body", "retry").code == 0
    assert run("body", "push").code == 0
    assert current(run)["back_off"] is None
    assert teamspace.bodies.count() == 2


def _rewind(run: Run) -> None:
    """Let the wait of the target be over, as time would."""
    home = Path(os.environ["SPEC_KITTY_HOME"])
    with open_stores(home / "eventsync" / "eventsync.db") as stores:
        (target,) = stores.targets.targets()
        over = attrs.evolve(target.body_back_off, retry_at=machine.now() - 1, probe_until=0)
        stores.targets.set_body_back_off(target.target_id, over)


def test_events_back_bodies_off(run: Run, mission: Path, teamspace: Serving) -> None:
    """There is one wait for both when the server fails as a whole."""
    capture(run, mission, "e1")
    add(run, mission, "spec.md")
    teamspace.set_script(Script(requests=[RequestRule(status=503, headers={"Retry-After": "60"})]))

    first = run("sync", "now", "--json")

    assert (first.code, first.document["bodies"]["stopped_because"]) == (3, "target_backoff")
    assert run("body", "push", "--json").document["requests"] == 0
    assert teamspace.bodies.count() == 0
