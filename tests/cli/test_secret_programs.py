"""Tokens and headers that programs and keyrings hold, as commands use them."""

import json
import shlex
import sys
from collections.abc import Mapping
from pathlib import Path

import attrs
import pytest

from tests.cli.conftest import Run
from tests.cli.listeners import Heard, accept, listening
from tests.keyrings import keyring_of

CHOOSE = ("sync", "mode", "EXTERNAL_RECEIVER")


@attrs.frozen
class Program:
    """A program that prints its argument, and counts how often it is run."""

    path: Path

    @property
    def reference(self) -> str:
        """What leads to it."""
        code = (
            "import sys, pathlib; p = pathlib.Path(sys.argv[1]); p.open('a').write('x');"
            "print('t0ken=\"1\" ' + str(len(p.read_text())))"
        )
        return "cmd:" + shlex.join((sys.executable, "-W", "ignore", "-c", code, str(self.path)))

    @property
    def runs(self) -> int:
        """How often it was run."""
        return len(self.path.read_text()) if self.path.exists() else 0


@pytest.fixture
def program(tmp_path: Path) -> Program:
    return Program(tmp_path / "runs of it")


def _healthy(heard: Heard) -> tuple[int, Mapping[str, str], bytes]:
    return (200, {}, b"{}") if heard.path.endswith("/health/") else accept(heard)


@pytest.fixture
def enabled(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SPEC_KITTY_ENABLE_SAAS_SYNC", "1")


@pytest.mark.usefixtures("enabled")
def test_one_drain_asks_a_program_once(run: Run, events: Path, program: Program) -> None:
    """For its gates, the health and several requests; status does not ask it at all."""
    run("capture", str(events))
    with listening(_healthy) as server:
        run("sync", "server", server.url, "--team", "t", "--token", program.reference)
        before = run("sync", "status", "--json")
        assert (before.document["auth_present"], before.document["gates"]) == (True, [])
        assert program.runs == 0

        ran = run("sync", "now", "--json")

    assert (ran.code, ran.document["counts"]["delivered"]) == (0, 20)
    assert {heard.headers["authorization"] for heard in server.heard} == {'Bearer t0ken="1" 1'}
    assert (len(server.heard), program.runs) == (2, 1)


@pytest.mark.usefixtures("enabled")
def test_a_token_that_is_turned_away_is_asked_for_again(
    run: Run, events: Path, program: Program
) -> None:
    """By the same drain, which then sends the new one."""

    def once(heard: Heard) -> tuple[int, Mapping[str, str], bytes]:
        return (401, {}, b"{}") if heard.path.endswith("/health/") else accept(heard)

    run("capture", str(events))
    with listening(once) as server:
        run("sync", "server", server.url, "--team", "t", "--token", program.reference)
        ran = run("sync", "now", "--json")

    assert ran.document["counts"]["delivered"] == 20
    sent = [heard.headers["authorization"] for heard in server.heard]
    assert sent == ['Bearer t0ken="1" 1', 'Bearer t0ken="1" 2']


@pytest.mark.usefixtures("enabled")
@pytest.mark.parametrize(
    ("token", "why", "present"),
    [
        (f"cmd:{sys.executable} -c 'raise SystemExit(7)'", "ended with exit code 7", True),
        ("cmd:/no/such/program x", "cannot be started: ", False),
        ("keyring:service/me", "is not in the keyring, or empty", True),
    ],
)
def test_a_token_that_cannot_be_had_closes_the_gate(
    run: Run, events: Path, token: str, why: str, *, present: bool
) -> None:
    """A line says why; status knows only whether anyone is there to be asked."""
    run("capture", str(events))
    run("sync", "server", "http://127.0.0.1:9", "--team", "t", "--token", token)
    with keyring_of({}):
        shown = run("sync", "now")
        told = run("sync", "now", "--json")

    assert (shown.code, told.document["error"]["code"]) == (4, "missing_auth")
    assert f"eventsync: token: {token} {why}" in shown.err
    assert run("sync", "status", "--json").document["auth_present"] is present


def test_nobody_is_asked_while_saas_sync_is_disabled(
    run: Run, events: Path, program: Program
) -> None:
    """Nothing would be sent, whatever they said."""
    run("capture", str(events))
    run("sync", "server", "http://127.0.0.1:9", "--team", "t", "--token", program.reference)
    ran = run("sync", "now", "--json")

    assert (ran.code, ran.document["error"]["code"]) == (4, "saas_disabled")
    assert program.runs == 0


def test_headers_and_keys_come_from_programs_and_keyrings(
    run: Run, events: Path, program: Program
) -> None:
    """A reference with quotes, spaces and equals signs is stored and used as it was given."""
    run("capture", str(events))
    key = "whsec_dG9rZW4tdG9rZW4="
    with listening() as server, keyring_of({("a b", "me@x"): key}):
        named = ("--header", f"X-Key={program.reference}", "--header", f"X-Two={program.reference}")
        run(*CHOOSE, "--endpoint", server.url, *named, "--sign", "keyring:a b/me@x")
        shown = run("sync", "mode", "--json").document["external"]
        ran = run("sync", "now", "--json")

    assert shown["headers"] == {"X-Key": program.reference, "X-Two": program.reference}
    assert (ran.code, ran.document["counts"]["delivered"]) == (0, 20)
    (heard,) = server.heard
    assert (heard.headers["x-key"], heard.headers["x-two"]) == ('t0ken="1" 1',) * 2
    assert heard.headers["webhook-signature"].startswith("v1,")
    assert program.runs == 1


def test_a_program_named_by_a_path_is_found_from_anywhere(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is stored with its whole path; one that is looked for on the path is not."""
    (tmp_path / "a b").mkdir()
    monkeypatch.chdir(tmp_path / "a b")

    run(*CHOOSE, "--endpoint", "http://a.example", "--header", "A=cmd:./get 'x y' --z='$Q'")
    run(*CHOOSE, "--header", "B=cmd:get 'x y' --z='$Q'", "--header", "A=cmd:./get 'x y' --z='$Q'")

    headers = run("sync", "mode", "--json").document["external"]["headers"]
    assert headers["B"] == "cmd:get 'x y' --z='$Q'"
    words = shlex.split(headers["A"].removeprefix("cmd:"))
    assert words == [str(tmp_path / "a b" / "get"), "x y", "--z=$Q"]
    assert json.dumps(headers)


def test_what_is_no_reference_names_all_four_kinds(run: Run) -> None:
    """And is not repeated."""
    ran = run("sync", "server", "https://a.example", "--token", "s3cret")

    assert ran.code == 64
    kinds = "env:NAME, file:PATH, cmd:PROGRAM or keyring:SERVICE/USER"
    assert ran.err.count(kinds) == 2
    assert "s3cret" not in ran.err
