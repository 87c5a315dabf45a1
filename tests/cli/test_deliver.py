from pathlib import Path

import pytest

from eventsync_adapters import machine
from eventsync_adapters.server import Serving
from eventsync_core.clock import SECOND, iso_time
from eventsync_core.receivers import RequestRule, Script
from tests.cli.conftest import Run


def test_the_whole_path(run: Run, events: Path, receiver: Serving) -> None:
    """Captured, delivered with the very bytes, and not sent again."""
    run("capture", str(events))
    chosen = run("sync", "mode", "EXTERNAL_RECEIVER", "--endpoint", f"{receiver.url}/in", "--json")
    assert (chosen.code, chosen.document["will_send"]) == (0, 20)

    first = run("sync", "now", "--json")
    again = run("sync", "now", "--json")

    assert (first.code, first.document["counts"]["delivered"]) == (0, 20)
    assert (again.code, again.document["requests"]) == (0, 0)
    held = [kept.text for kept in receiver.inbox.received()]
    assert held == events.read_text().splitlines()


def test_from_now_grants_only_later_events(run: Run, events: Path, receiver: Serving) -> None:
    """What was captured before stays here."""
    run("capture", str(events))

    arguments = ("sync", "mode", "EXTERNAL_RECEIVER", "--endpoint", receiver.url, "--from-now")
    assert run(*arguments, "--json").document["will_send"] == 0
    assert run("sync", "now", "--json").document["counts"]["selected"] == 0


def test_nothing_granted_is_refused_while_events_wait(
    run: Run, events: Path, receiver: Serving
) -> None:
    """Exit 4 with a fix that works: the command it names grants the stream."""
    run("sync", "mode", "EXTERNAL_RECEIVER", "--endpoint", receiver.url)
    run("target", "revoke")
    assert run("sync", "now").code == 0
    run("capture", str(events))

    ran = run("sync", "now", "--json")

    assert (ran.code, ran.document["stopped_because"]) == (4, "no_grant")
    fix = ran.document["error"]["fix"]["argv"]
    assert run(*fix[1:]).code == 0
    assert run("sync", "now").code == 0


def test_a_stream_without_a_grant_is_named(run: Run, events: Path, receiver: Serving) -> None:
    """Without --project ungranted streams are only named; asked for, they are refused."""
    run("capture", str(events), "--project", "other")
    run("sync", "mode", "EXTERNAL_RECEIVER", "--endpoint", receiver.url)

    ran = run("sync", "now")

    assert ran.code == 0
    assert "target grant --project other" in ran.err
    assert run("sync", "now", "--project", "other").code == 4


def test_a_rejected_event_leaves_work(run: Run, events: Path, receiver: Serving) -> None:
    """Rejected is exit 3, and show tells what the server said."""
    receiver.set_script(Script(events={"e3": {"status": "rejected", "error": "no such thing"}}))
    run("capture", str(events))
    run("sync", "mode", "EXTERNAL_RECEIVER", "--endpoint", receiver.url)

    ran = run("sync", "now", "--json")

    assert (ran.code, ran.document["counts"]["rejected"]) == (3, 1)
    shown = run("journal", "show", "e3", "--json").document
    assert shown["targets"][0]["history"][0]["reason"] == "no such thing"
    status = run("sync", "status", "--json").document
    assert status["delivery_ledger"]["rejected"] == 1
    assert status["targets"][0]["seconds_since_delivery"] is not None


def test_an_endpoint_that_refuses(run: Run, events: Path) -> None:
    """Nothing reached anybody: transient, exit 3, everything kept."""
    run("capture", str(events))
    run("sync", "mode", "EXTERNAL_RECEIVER", "--endpoint", "http://127.0.0.1:1/in")

    ran = run("sync", "now", "--json")

    assert (ran.code, ran.document["stopped_because"]) == (3, "target_backoff")
    assert ran.document["remaining_owed"] == 20


def test_a_short_back_off_is_waited_out(run: Run, events: Path, receiver: Serving) -> None:
    """Whoever runs sync now again after a first fault gets a delivery, not a refusal."""
    receiver.set_script(Script(requests=[RequestRule(status=503)]))
    run("capture", str(events))
    run("sync", "mode", "EXTERNAL_RECEIVER", "--endpoint", receiver.url)
    first = run("sync", "now", "--json")

    ran = run("sync", "now", "--json")

    assert (first.code, first.document["stopped_because"]) == (3, "target_backoff")
    assert (ran.code, ran.document["counts"]["delivered"]) == (0, 20)
    assert ran.document["retry_at"] is None


@pytest.mark.requirement("D12")
def test_a_server_that_asks_for_time_gets_it(run: Run, events: Path, receiver: Serving) -> None:
    """Not one more request before the time it asked for; the answer says until when."""
    rule = RequestRule(status=429, headers={"Retry-After": "600"})
    receiver.set_script(Script(requests=[rule]))
    run("capture", str(events))
    run("sync", "mode", "EXTERNAL_RECEIVER", "--endpoint", receiver.url)
    run("sync", "now")

    ran = run("sync", "now", "--json")

    assert (ran.code, ran.document["requests"]) == (3, 0)
    assert ran.document["stopped_because"] == "target_backoff"
    assert ran.document["retry_at"] > iso_time(machine.now() + 500 * SECOND)
    assert run("sync", "status", "--json").document["delivery_ledger"]["transient"] == 20


def test_a_budget_stops(run: Run, events: Path, receiver: Serving) -> None:
    """Stopped by budget is work left."""
    run("capture", str(events))
    run("sync", "mode", "EXTERNAL_RECEIVER", "--endpoint", receiver.url)

    ran = run("sync", "now", "--budget-events", "5", "--json")

    assert (ran.code, ran.document["stopped_because"]) == (3, "budget")
    assert ran.document["counts"]["delivered"] == 5


def test_teamspace_gates(run: Run, events: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Closed gates are exit 4 and stand in the status, computed now."""
    run("capture", str(events))
    run("sync", "server", "http://127.0.0.1:1", "--team", "t", "--token", "env:ES_TOKEN")
    assert run("sync", "now", "--json").document["stopped_because"] == "gate:saas_disabled"
    monkeypatch.setenv("SPEC_KITTY_ENABLE_SAAS_SYNC", "1")
    assert run("sync", "now", "--json").document["error"]["code"] == "missing_auth"
    status = run("sync", "status", "--check", "--json")
    assert (status.code, status.document["gates"]) == (2, ["missing_auth"])
    monkeypatch.setenv("ES_TOKEN", "opens nothing")

    ran = run("sync", "now", "--json")

    assert (ran.code, ran.document["stopped_because"]) == (3, "target_backoff")
    assert run("sync", "status", "--check").code == 0


def test_teamspace_delivers(
    run: Run, events: Path, receiver: Serving, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With all gates open the server's batch address takes the events."""
    monkeypatch.setenv("SPEC_KITTY_ENABLE_SAAS_SYNC", "yes")
    monkeypatch.setenv("ES_TOKEN", "opens nothing")
    run("capture", str(events))
    run("sync", "server", receiver.url, "--team", "t", "--token", "env:ES_TOKEN")

    assert run("sync", "now", "--json").document["counts"]["delivered"] == 20


def test_a_conflict_stops_before_any_socket(
    run: Run, home: Path, events: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two servers: delivering is refused, looking and capturing go on and name it."""
    run("sync", "server", "https://a.example")
    monkeypatch.setenv("SPEC_KITTY_SAAS_URL", "https://b.example")

    now = run("sync", "now", "--json")
    status = run("sync", "status", "--json")
    captured = run("capture", str(events))

    assert (now.code, now.document["error"]["code"]) == (4, "target_conflict")
    assert status.code == 4
    authority = status.document["target_authority"]
    assert (authority["override_mode"], authority["resolved_server_url"]) == ("setup_only", None)
    assert len(authority) == 9
    assert run("sync", "status", "--check").code == 2
    assert captured.code == 0
    assert "target_conflict" in captured.err
    assert run("target", "revoke").code == 0


def test_a_failed_choice_leaves_nothing_half_written(
    run: Run, home: Path, receiver: Serving
) -> None:
    """A configuration that cannot be read is left alone, and no target is registered."""
    home.mkdir()
    (home / "config.toml").write_text("= broken")

    ran = run("sync", "mode", "EXTERNAL_RECEIVER", "--endpoint", receiver.url, "--json")

    assert (ran.code, ran.document["error"]["code"]) == (4, "config_unreadable")
    assert (home / "config.toml").read_text() == "= broken"
    assert run("target", "list", "--json").document["targets"] == []
