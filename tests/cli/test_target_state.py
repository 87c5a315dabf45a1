"""`target show`, `target pause` and `target resume`, and what `sync status` says of a target."""

from pathlib import Path
from typing import Any

import pytest

from eventsync_adapters import machine
from eventsync_adapters.server import Serving
from eventsync_adapters.sqlite import SqliteStores, open_stores
from eventsync_core.clock import MINUTE, iso_time
from eventsync_core.receivers import RequestRule, Script
from eventsync_core.targets import BackOff, Deployment, Health, Limits
from tests.cli.conftest import Ran, Run

CANARY = "canary-4711"
FAULT = BackOff(failures=3, retry_at=machine.now() + 10 * MINUTE, reason="503: overloaded")


@pytest.fixture
def chosen(run: Run, home: Path, events: Path, receiver: Serving) -> str:
    """Capture twenty events and choose the receiver; return the target's id."""
    run("capture", str(events))
    ran = run("sync", "mode", "EXTERNAL_RECEIVER", "--endpoint", f"{receiver.url}/in", "--json")
    return str(ran.document["target"]["target_id"])


def opened(home: Path) -> SqliteStores:
    """Open the home's store as a drain would."""
    return open_stores(home / "eventsync" / "eventsync.db")


def shown(run: Run, *arguments: str) -> Any:
    """Return what `target show` says as JSON, but for the clock that runs in it."""
    ran = run("target", "show", *arguments, "--json")
    assert ran.code == 0
    return {name: said for name, said in ran.document.items() if name != "seconds_since_progress"}


def status_of(run: Run) -> Any:
    """Return what `sync status` says of the first target."""
    return run("sync", "status", "--json").document["targets"][0]


def test_an_operators_pause_stops_delivery_until_resumed(
    run: Run, chosen: str, receiver: Serving
) -> None:
    """The pause is counted and told, `sync now` names the command that ends it."""
    paused = run("target", "pause", "--reason", "moving\nhouse", "--json")
    assert paused.code == 0
    assert {key: paused.document[key] for key in ("paused", "was_paused", "dry_run")} == {
        "paused": "moving house",
        "was_paused": "",
        "dry_run": False,
    }
    assert (paused.document["will_not_send"], paused.document["target"]["target_id"]) == (
        20,
        chosen,
    )

    refused = run("sync", "now", "--json")
    assert (refused.code, refused.document["stopped_because"]) == (3, "paused")
    assert "moving house" in refused.document["error"]["message"]
    assert receiver.inbox.count() == 0

    fix = refused.document["error"]["fix"]["argv"]
    resumed = run(*fix[1:], "--json")
    assert (resumed.code, resumed.document["will_send"]) == (0, 20)
    assert resumed.document["ended"]["paused"] == "moving house"
    assert run("sync", "now").code == 0
    assert receiver.inbox.count() == 20


@pytest.mark.parametrize("reason", ["", " \n ", "\x1b"])
def test_a_pause_always_has_a_reason(run: Run, chosen: str, reason: str) -> None:
    """Without words of its own it says who paused."""
    run("target", "pause", chosen, "--reason", reason)

    assert shown(run)["paused"] == "paused by an operator"


def test_a_dry_run_changes_nothing(run: Run, chosen: str, home: Path) -> None:
    """It counts the same as the act."""
    before = shown(run)
    tried = run("target", "pause", "--dry-run", "--json").document
    assert (tried["will_not_send"], tried["dry_run"], shown(run)) == (20, True, before)

    run("target", "pause")
    with opened(home) as stores:
        stores.targets.set_back_off(chosen, FAULT)
    before = shown(run)
    tried = run("target", "resume", "--dry-run", "--json").document
    assert shown(run) == before
    acted = run("target", "resume", "--json").document
    assert {**tried, "dry_run": False} == acted
    assert acted["ended"]["back_off"] == {
        "breaker": "open",
        "failures": 3,
        "retry_at": iso_time(FAULT.retry_at),
        "reason": "503: overloaded",
        "of_bodies": False,
    }


def test_resuming_ends_the_rest_of_grants(run: Run, chosen: str, home: Path) -> None:
    """Where the server refused a project; a revoked grant stays revoked."""
    with opened(home) as stores:
        stores.grants.pause(
            chosen, "default", "the server does not take this project", actor="me", at=1
        )
        stores.grants.grant(chosen, "gone", from_position=0, actor="me", reason="", at=1)
        stores.grants.pause(chosen, "gone", "refused", actor="me", at=1)
        stores.grants.revoke(chosen, "gone", actor="me", reason="test", at=2)

    ran = run("target", "resume", chosen, "--json")

    ended = ran.document["ended"]
    assert ended["grants"] == [
        {"stream": "default", "paused": "the server does not take this project"}
    ]
    assert (ended["grants_count"], ended["paused"], ended["back_off"]) == (1, "", None)
    assert run("sync", "now").code == 0
    grants = {grant["stream"]: grant for grant in shown(run)["grants"]}
    assert (grants["gone"]["live"], grants["gone"]["paused"]) == (False, "refused")


def test_status_says_which_stream_is_paused(run: Run, chosen: str, home: Path) -> None:
    """With its reason, below its target; one that is revoked is not granted anyway."""
    with opened(home) as stores:
        stores.grants.pause(
            chosen, "default", "the server does not take this project", actor="me", at=1
        )

    assert "    default is paused: the server does not take this" in run("sync", "status").out

    run("target", "revoke")
    assert "is paused" not in run("sync", "status").out


def test_resuming_what_does_not_rest_says_so(run: Run, chosen: str) -> None:
    """It is no error, and nothing changes."""
    before = shown(run)

    ran = run("target", "resume")

    assert ran.code == 0
    assert "was not paused" in ran.out
    assert shown(run) == before


def test_choosing_a_target_ends_its_back_off_too(
    run: Run, chosen: str, home: Path, receiver: Serving
) -> None:
    """As it ends its pause."""
    with opened(home) as stores:
        stores.targets.set_back_off(chosen, FAULT)
        stores.targets.pause(chosen, "gone")

    run("sync", "mode", "EXTERNAL_RECEIVER", "--endpoint", f"{receiver.url}/in")

    assert (shown(run)["paused"], shown(run)["back_off"]) == ("", None)


@pytest.mark.parametrize("verb", ["show", "pause", "resume"])
def test_a_target_that_is_not_known(run: Run, home: Path, events: Path, verb: str) -> None:
    """Exit 64 and a command that helps; no store is made for it."""
    missing = run("target", verb, "tgt_0", "--json")
    assert (missing.code, missing.document["error"]["code"]) == (64, "target_unknown")
    assert not home.exists()
    nobody = run("target", verb, "--json")
    assert (nobody.code, nobody.document["error"]["code"]) == (64, "target_missing")
    run("capture", str(events))

    for words in [(verb, "tgt_0"), *((verb, "tgt_0", "--dry-run"),) * (verb != "show")]:
        ran = run("target", *words, "--json")
        assert (ran.code, ran.document["error"]["code"]) == (64, "target_unknown")
        assert run(*ran.document["error"]["fix"]["argv"][1:]).code == 0


@pytest.mark.parametrize("verb", ["show", "pause", "resume"])
@pytest.mark.parametrize("has_store", [False, True])
def test_a_current_target_that_is_not_registered(
    run: Run, home: Path, events: Path, verb: str, *, has_store: bool
) -> None:
    """As after a change by hand: granting registers it."""
    home.mkdir()
    (home / "config.toml").write_text(
        '[event_sync]\nmode = "external_receiver"\nexternal_endpoint = "https://a.example"\n'
    )
    if has_store:
        run("capture", str(events))

    ran = run("target", verb, "--json")

    assert (ran.code, ran.document["error"]["code"]) == (64, "target_unknown")
    assert run(*ran.document["error"]["fix"]["argv"][1:]).code == 0
    assert run("target", verb).code == 0


def test_show_tells_the_whole_story(run: Run, chosen: str, home: Path, receiver: Serving) -> None:
    """Requests, failures with reasons, classes per grant, and what the server said."""
    receiver.set_script(
        Script(
            requests=[RequestRule(status=503, body='{"error": "overloaded"}')],
            events={"e3": {"status": "rejected", "error": "no such thing"}},
        )
    )
    run("sync", "now")
    run("target", "resume")
    run("sync", "now")
    with opened(home) as stores:
        for name in ("s1", "s2"):
            stores.targets.observe(
                chosen,
                Health(
                    deployment=Deployment(server_instance_id=name),
                    limits=Limits(max_events=7, max_bytes=900, retry_most=2_000_000),
                ),
                at=machine.now(),
            )
    (home.parent / "big.jsonl").write_text(f'{{"event_id": "big", "x": "{"y" * 1_000}"}}\n')
    run("capture", str(home.parent / "big.jsonl"))
    receiver.set_script(Script(max_bytes=900))
    run("sync", "now")

    found = shown(run, chosen)

    assert found["is_current"] is True
    (grant,) = found["grants"]
    assert (grant["stream"], grant["live"], grant["coherent"], grant["sum"]) == (
        "default",
        True,
        True,
        21,
    )
    assert found["requests_count"] == len(found["requests"]) == 2
    assert found["requests"][-1]["status"] == 503
    assert "overloaded" in found["requests"][-1]["guidance"]
    assert found["terminal_failures_count"] == 1
    (failed,) = found["terminal_failures"]
    assert (failed["event_id"], failed["stream"], failed["position"]) == ("big", "default", 21)
    assert failed["reason"]
    assert found["limits"]["max_events_per_batch"] == 7
    assert found["limits"]["retry_after_max_seconds"] == 2
    assert found["deployment"]["server_instance_id"] == "s2"
    assert found["reset"]["changed_fields"] == ["server_instance_id"]
    text = run("target", "show").out
    for word in (chosen, "s2", "eventsync sync replay", "overloaded", "big", "900 bytes"):
        assert word in text


def test_show_names_no_secret(
    run: Run, home: Path, events: Path, receiver: Serving, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither a token nor a header, also not in what an echoing server said."""
    monkeypatch.setenv("SPEC_KITTY_ENABLE_SAAS_SYNC", "1")
    monkeypatch.setenv("ES_CANARY", CANARY)
    run("capture", str(events))
    echo = Script(requests=[RequestRule(status=401, body=f'{{"error": "bad token {CANARY}"}}')] * 2)
    ran: list[Ran] = []
    mode = ("sync", "mode", "EXTERNAL_RECEIVER", "--endpoint", receiver.url)
    for words in (
        (*mode, "--header", "X-Key=env:ES_CANARY"),
        ("sync", "server", receiver.url, "--team", "t", "--token", "env:ES_CANARY"),
    ):
        receiver.set_script(echo)
        ran.append(run(*words))
        ran.append(run("sync", "now"))
        ran += [run("target", "show", "--json"), run("target", "show")]
        ran += [run("target", "pause", "--json"), run("target", "resume", "--json")]
    ran.append(run("sync", "status", "--json"))

    assert all(each.code in (0, 3) for each in ran)
    assert [each for each in ran if CANARY in each.out + each.err] == []


def test_status_shows_a_back_off_and_a_reset(run: Run, chosen: str, home: Path) -> None:
    """In JSON and in words; neither is incoherent."""
    plain = status_of(run)
    assert (plain["paused"], plain["back_off"], plain["reset"]) == ("", None, None)
    with opened(home) as stores:
        stores.targets.set_back_off(chosen, FAULT)
        for name in ("test", "prod"):
            health = Health(deployment=Deployment(environment_name=name))
            stores.targets.observe(chosen, health, at=1_700_000_000_000_000)

    found = status_of(run)

    assert found["back_off"] == {
        "breaker": "open",
        "failures": 3,
        "retry_at": iso_time(FAULT.retry_at),
        "reason": "503: overloaded",
        "of_bodies": False,
    }
    reset = found["reset"]
    assert reset["changed_fields"] == ["environment_name"]
    assert (reset["previous"]["environment_name"], reset["current"]["environment_name"]) == (
        "test",
        "prod",
    )
    assert reset["seen_at"] == iso_time(1_700_000_000_000_000)
    assert "eventsync sync replay" in reset["recommendation"]
    text = run("sync", "status").out
    assert f"left alone until {iso_time(FAULT.retry_at)}; failed requests in a row: 3" in text
    assert "(environment_name): another server" in text
    assert run("sync", "status", "--check").code == 0


def test_a_breaker_that_may_be_tried_is_half_open(run: Run, chosen: str, home: Path) -> None:
    """The wait is over, and one request will tell."""
    with opened(home) as stores:
        stores.targets.set_back_off(chosen, BackOff(failures=1, retry_at=5, reason="503"))

    assert status_of(run)["back_off"]["breaker"] == "half_open"
    assert "the next request tries it; failed requests in a row: 1" in run("sync", "status").out
