"""Secrets and names that no header can carry are told before anything is sent or counted."""

from pathlib import Path

import pytest

from eventsync_adapters.server import Serving
from tests.cli.bad_input import fails
from tests.cli.conftest import Run
from tests.cli.listeners import listening

UNFIT = ["hunter2-ö", "hunter2\x7f", "☃hunter2"]


def requests(run: Run) -> list[object]:
    """Return what is known of requests to the only target, and of its faults."""
    (target,) = run("target", "list", "--json").document["targets"]
    shown = run("target", "show", target["target_id"], "--json").document
    return [shown["requests"], shown["back_off"]]


@pytest.mark.parametrize("secret", UNFIT)
def test_a_header_that_cannot_be_sent(
    run: Run, events: Path, monkeypatch: pytest.MonkeyPatch, secret: str
) -> None:
    """Exit 4, naming header and reference; no attempt is counted, the target is not at fault."""
    monkeypatch.setenv("KEY", secret)
    run("capture", str(events))
    with listening() as listener:
        run(
            "sync", "mode", "EXTERNAL_RECEIVER", "--endpoint", listener.url, "--header", "X=env:KEY"
        )
        before = requests(run)
        code = "header_invalid" if secret.isprintable() else "secret_missing"
        ran = fails(run, "sync", "now", code=4, error=code)

        assert "header X: env:KEY" in ran.document["error"]["message"]
        assert requests(run) == before
        assert listener.heard == []
        monkeypatch.setenv("KEY", "fits")
        assert run("sync", "now", "--json").document["counts"]["delivered"] == 20
    assert "hunter2" not in ran.out + ran.err


def test_a_token_that_cannot_be_sent(
    run: Run, events: Path, receiver: Serving, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It closes the gate of a missing one, also for status; the reason is told."""
    monkeypatch.setenv("SPEC_KITTY_ENABLE_SAAS_SYNC", "1")
    monkeypatch.setenv("ES_TOKEN", "hunter2-ö")
    run("capture", str(events))
    run("sync", "server", receiver.url, "--team", "t", "--token", "env:ES_TOKEN")
    before = requests(run)

    status = run("sync", "status", "--json")
    ran = run("sync", "now", "--json")

    assert "missing_auth" in status.out
    assert ran.document["stopped_because"] == "gate:missing_auth"
    assert "token: env:ES_TOKEN holds what no header can carry" in ran.err
    assert "hunter2" not in status.out + status.err + ran.out + ran.err
    assert requests(run) == before
    assert receiver.inbox.count() == 0


def test_a_team_that_cannot_be_sent(
    run: Run, home: Path, events: Path, receiver: Serving, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is refused on the command line, and where the file says it nothing is sent."""
    monkeypatch.setenv("SPEC_KITTY_ENABLE_SAAS_SYNC", "1")
    monkeypatch.setenv("ES_TOKEN", "t")
    run("capture", str(events))
    words = ("sync", "server", receiver.url, "--token", "env:ES_TOKEN", "--team")
    fails(run, *words, "blåe", code=64, error="usage")
    assert not (home / "config.toml").exists()
    run(*words, "blue")
    path = home / "config.toml"
    path.write_text(path.read_text().replace("blue", "blåe"), encoding="utf-8")

    ran = fails(run, "sync", "now", code=4, error="header_invalid")

    assert "config.toml [sync] team" in ran.document["error"]["message"]
    assert run("sync", "status").code == 4
    assert receiver.inbox.count() == 0
