"""A server that the environment or a hand names: no token in the clear, no word of a password."""

from pathlib import Path

import pytest

from eventsync_adapters.server import Serving
from tests.cli.bad_input import fails
from tests.cli.conftest import Run
from tests.cli.test_bad_input_settings import write

TOKEN = 'team = "t"\ntoken = "env:ES_TOKEN"\n'
MODE = '[event_sync]\nmode = "teamspace"\n[sync]\n'


@pytest.fixture(autouse=True)
def enabled(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing else keeps a request from leaving."""
    monkeypatch.setenv("SPEC_KITTY_ENABLE_SAAS_SYNC", "1")
    monkeypatch.setenv("ES_TOKEN", "CANARY")


@pytest.mark.parametrize("where", ["environment", "file"])
def test_a_token_does_not_go_in_the_clear(
    run: Run, home: Path, events: Path, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    """Exit 4 before anything is contacted; status says so; a revocation works."""
    line = ""
    if where == "environment":
        monkeypatch.setenv("SPEC_KITTY_SAAS_URL", "http://far.example")
    else:
        line = 'server_url = "http://far.example"\n'
    path = write(home, MODE + line + TOKEN)
    source = str(path) if line else "SPEC_KITTY_SAAS_URL"
    run("capture", str(events))

    for words in [("sync", "now"), ("target", "grant"), ("target", "show")]:
        ran = fails(run, *words, code=4, error="target_url_invalid")
        assert ran.document["error"]["message"].startswith(f"{source}: ")
    assert run("sync", "status").code == 4
    assert run("target", "revoke").code == 0


@pytest.mark.parametrize("place", ["user:CANARYpw@b.example", "https:/user:CANARYpw@b.example"])
def test_the_user_in_an_odd_url_is_not_shown(
    run: Run, home: Path, events: Path, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    """Neither alone nor in a conflict."""
    monkeypatch.setenv("SPEC_KITTY_SAAS_URL", place)
    looks: list[tuple[str, ...]] = [
        ("capture", str(events)),
        ("sync", "status"),
        ("sync", "server"),
        ("sync", "now"),
    ]
    looks += [("target", "grant"), ("target", "revoke"), ("sync", "mode", "TEAMSPACE")]
    shown = ""
    for line in ("", 'server_url = "https://a.example"\n'):
        write(home, MODE + line + TOKEN)
        for words in looks:
            for form in ((), ("--json",)):
                ran = run(*words, *form)
                shown += ran.out + ran.err

    assert "CANARY" not in shown


@pytest.mark.parametrize("env", ["http://far.example", "b.example", "https:/u:p@b.example", "%"])
def test_a_conflict_with_what_no_command_accepts(
    run: Run, home: Path, monkeypatch: pytest.MonkeyPatch, env: str
) -> None:
    """The fix is words, and the file's server can be revoked."""
    run("sync", "server", "https://a.example")
    monkeypatch.setenv("SPEC_KITTY_SAAS_URL", env)

    ran = fails(run, "sync", "now", code=4, error="target_conflict")
    revoked = run("target", "revoke", "--json")

    assert set(ran.document["error"]["fix"]) == {"text"}
    assert revoked.code == 0
    assert "https://a.example" in [each["url"] for each in revoked.document["targets"]]


def test_a_conflict_with_a_server_is_ended_by_its_fix(
    run: Run, receiver: Serving, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The command it names chooses the environment's server."""
    run("sync", "server", "https://a.example", "--team", "t")
    monkeypatch.setenv("SPEC_KITTY_SAAS_URL", receiver.url)
    ran = fails(run, "sync", "now", code=4, error="target_conflict")

    assert run(*ran.document["error"]["fix"]["argv"][1:]).code == 0
    assert run("sync", "server", "--json").document["server_url"] == receiver.url
    assert run("sync", "status").code == 0
