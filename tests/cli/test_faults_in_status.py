"""Status says beforehand what `sync now` would say, and commands say what can be typed."""

from pathlib import Path

import pytest

from eventsync_adapters.server import Serving
from tests.cli.conftest import Run
from tests.cli.gates import EXTERNAL

_FILE = {
    "a header's variable": ('external_headers = {X-K = "env:ES_NOT_SET"}', "secret_missing"),
    "a header's program": ('external_headers = {X-K = "cmd:es-no-such"}', "secret_missing"),
    "a header's value": ('external_headers = {X-K = "env:ES_NO_ASCII"}', "header_invalid"),
    "a signing key": ('external_signing = ["env:ES_BAD_KEY"]', "signing_key_invalid"),
    "the CA": ('external_ca = "/no/such"', "certificates_unreadable"),
    "the certificate": ('external_cert = "/no/such"', "certificates_unreadable"),
    "the proxy": ('external_proxy = "http://["', "proxy_invalid"),
    "the proxy's variable": ('external_proxy = "env:ES_NOT_SET"', "secret_missing"),
    "a proxy's variable": ('external_proxy = "env:ES_BAD_KEY"', "proxy_invalid"),
}
_ENVIRONMENT = {
    "HTTP_PROXY": ("http://[", "proxy_invalid"),
    "SSL_CERT_FILE": ("/no/such", "certificates_unreadable"),
}


def _check(run: Run, code: str) -> None:
    status, checked = run("sync", "status", "--json"), run("sync", "status", "--check", "--json")
    now = run("sync", "now", "--json")
    assert (status.code, status.document["error"]["code"]) == (4, code)
    assert (checked.code, checked.document["reasons"][0]["code"]) == (2, code)
    assert (now.code, now.document["error"]["code"]) == (4, code)


@pytest.mark.parametrize("cause", _FILE)
def test_what_an_external_receiver_lacks(
    run: Run,
    home: Path,
    events: Path,
    receiver: Serving,
    monkeypatch: pytest.MonkeyPatch,
    cause: str,
) -> None:
    """A header, a key, a proxy or a certificate: as far as nobody has to be asked."""
    words, code = _FILE[cause]
    monkeypatch.setenv("ES_BAD_KEY", "http://[")
    monkeypatch.setenv("ES_NO_ASCII", "clé")
    run("capture", str(events))
    run(*EXTERNAL, receiver.url)
    assert run("sync", "status").code == 0
    with (home / "config.toml").open("a") as file:
        file.write(f"{words}\n")

    _check(run, code)


@pytest.mark.parametrize("kind", ["teamspace", "external"])
@pytest.mark.parametrize("name", _ENVIRONMENT)
def test_what_the_environment_spoils(
    run: Run,
    events: Path,
    receiver: Serving,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    kind: str,
) -> None:
    """Proxies and certificates, for either kind of target."""
    run("capture", str(events))
    run(*(("sync", "server") if kind == "teamspace" else EXTERNAL), receiver.url)
    text, code = _ENVIRONMENT[name]
    monkeypatch.setenv(name, text)

    _check(run, code)


def test_a_program_is_not_run_to_tell(run: Run, receiver: Serving, tmp_path: Path) -> None:
    """It counts that it is there."""
    program = tmp_path / "tell"
    program.write_text(f"#!/bin/sh\ntouch {tmp_path}/ran\necho x\n")
    program.chmod(0o755)
    run(*EXTERNAL, receiver.url, "--header", f"X-K=cmd:{program}", "--sign", f"cmd:{program}")

    assert run("sync", "status", "--check").code == 0
    assert not (tmp_path / "ran").exists()


def test_the_grant_of_the_stream_that_is_asked_for(
    run: Run, events: Path, receiver: Serving, tmp_path: Path
) -> None:
    """It alone counts, where something waits in it; the command that status names opens it."""
    run("capture", str(events))
    run(*EXTERNAL, receiver.url)
    assert run("--project", "foo", "sync", "status", "--json").document["gates"] == []
    (tmp_path / "foo").write_text('{"event_id": "f1", "project_uuid": "foo"}\n')
    run("capture", str(tmp_path / "foo"))
    assert run("sync", "status", "--json").document["gates"] == []

    asked = run("--project", "foo", "sync", "status", "--json").document

    assert asked["gates"] == ["no_grant"]
    assert run("--project", "foo", "sync", "now").code == 4
    (reason,) = asked["gate_reasons"]
    assert "stream foo is not granted" in reason["message"]
    assert run(*reason["fix"]["argv"][1:]).code == 0
    assert run("--project", "foo", "sync", "status", "--json").document["gates"] == []


@pytest.mark.parametrize(
    "lines",
    [
        '[event_sync]\nmode = "external_receiver"\nexternal_endpoint = "ftp://x"\n',
        '[event_sync]\nmode = "teamspace"\n[sync]\nserver_url = "http://remote.example"\n',
    ],
)
def test_an_address_that_cannot_be_used(run: Run, home: Path, lines: str) -> None:
    """The settings name it as a problem, and the mode is shown all the same."""
    home.mkdir()
    (home / "config.toml").write_text(lines)

    shown, mode = run("config", "show", "--json"), run("sync", "mode", "--json")

    (problem,) = shown.document["problems"]
    assert (shown.code, problem["code"]) == (0, "target_url_invalid")
    assert (mode.code, mode.document["target"]) == (0, None)
    assert "target_url_invalid" in mode.err
    assert run("sync", "status", "--json").document["error"]["code"] == "target_url_invalid"
    assert run("target", "grant", "--json").document["error"]["code"] == "target_url_invalid"


@pytest.mark.parametrize(
    "command",
    [("target", "show"), ("target", "grant"), ("target", "revoke"), ("sync", "retry")],
)
def test_where_no_target_was_ever_chosen(
    run: Run, home: Path, receiver: Serving, command: tuple[str, ...]
) -> None:
    """The fix is to choose one; once one is known, to look at the list."""
    fix = run("--home", str(home), *command, "--json").document["error"]["fix"]
    assert f"eventsync --home {home} sync server URL" in fix["text"]

    run(*EXTERNAL, receiver.url)
    run("sync", "mode", "LOCAL_RETENTION")

    assert run(*command, "--json").document["error"]["fix"]["argv"][1:] == ["target", "list"]


def test_commands_in_prose_are_for_the_home_that_was_named(
    run: Run,
    home: Path,
    events: Path,
    receiver: Serving,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Fixes, talk and data; each once, also where the home has a blank in its name."""
    place = tmp_path / "a home"
    here = f"eventsync --home '{place}'"
    (tmp_path / "foo").write_text('{"event_id": "f1", "project_uuid": "foo"}\n')

    def at_home(*words: str) -> str:
        ran = run("--home", str(place), *words)
        assert "eventsync sync" not in ran.out + ran.err
        assert "eventsync target" not in ran.out + ran.err
        assert f"{here} --home" not in ran.out + ran.err
        return ran.out + ran.err

    at_home("capture", str(events))
    at_home("capture", str(tmp_path / "foo"))
    assert f"{here} sync server URL" in at_home("target", "show")
    at_home(*EXTERNAL, receiver.url)
    assert f"{here} target grant --project foo" in at_home("sync", "now")
    at_home("target", "revoke")
    assert f"{here} target grant;" in at_home(*EXTERNAL, receiver.url)
    at_home("target", "grant")
    at_home("sync", "now")
    at_home("target", "pause")
    assert f"after {here} target resume" in at_home("sync", "replay", "--all")
    monkeypatch.setenv("SPEC_KITTY_ENABLE_SAAS_SYNC", "1")
    at_home("sync", "server", receiver.url)
    assert f"{here} sync server {receiver.url} --token" in at_home("sync", "status")
    assert f"{here} sync server {receiver.url} --token" in at_home("sync", "now")
    monkeypatch.setenv("SPEC_KITTY_SAAS_URL", "https://other.example")
    for command in (("sync", "status"), ("sync", "now"), ("config", "show")):
        assert f"{here} sync server https://other.example" in at_home(*command)
    checked = run("--home", str(place), "sync", "status", "--check", "--json").document
    assert checked["error"]["fix"]["argv"].count("--home") == 1
    assert checked["reasons"][0]["fix"] == checked["error"]["fix"]
