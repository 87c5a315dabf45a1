"""External receivers as their operators want them, chosen and delivered to by command."""

import json
from base64 import b64encode
from pathlib import Path

import pytest
from standardwebhooks.webhooks import Webhook

from eventsync_adapters.server import Serving
from eventsync_cli.commands.sync_mode import command
from eventsync_core.receivers import BodyFormat
from tests.cli.bad_input import check_told, fails
from tests.cli.conftest import Run
from tests.cli.listeners import Heard, listening

KEYS = ["whsec_" + b64encode(bytes([n]) * 24).decode() for n in (3, 4)]
CHOOSE = ("sync", "mode", "EXTERNAL_RECEIVER")


@pytest.fixture
def keys(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Two signing keys in the environment, A_KEY and B_KEY."""
    for name, key in zip(("A_KEY", "B_KEY"), KEYS, strict=True):
        monkeypatch.setenv(name, key)
    return KEYS


@pytest.mark.parametrize("body_format", ["eventsync", "cloudevents"])
def test_a_signed_batch_is_verified_and_delivered(
    run: Run, events: Path, keys: list[str], body_format: str
) -> None:
    """With both keys of a rotation, over the bytes that arrived."""
    run("capture", str(events))
    with listening() as listener:
        endpoint = ("--endpoint", listener.url + "/hook", "--format", body_format)
        run(*CHOOSE, *endpoint, "--sign", "env:A_KEY", "--sign", "env:B_KEY")
        ran = run("sync", "now", "--json")

    assert (ran.code, ran.document["counts"]["delivered"]) == (0, 20)
    (heard,) = listener.heard
    for key in keys:
        Webhook(key).verify(heard.body, dict(heard.headers))


def test_cloudevents_arrive_at_our_own_receiver(run: Run, events: Path, receiver: Serving) -> None:
    """The envelopes are kept with the very bytes, and known the next time in either format."""
    run("capture", str(events))
    run(*CHOOSE, "--endpoint", receiver.url + "/in", "--format", "cloudevents")
    first = run("sync", "now", "--json")
    run("sync", "mode", "EXTERNAL_RECEIVER", "--endpoint", receiver.url + "/other")
    second = run("sync", "now", "--json")

    assert first.document["counts"]["delivered"] == 20
    assert second.document["counts"]["duplicate"] == 20
    assert [kept.text for kept in receiver.inbox.received()] == events.read_text().splitlines()


def test_the_present_choice_is_shown_by_reference(
    run: Run, tmp_path: Path, keys: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """References, file names and formats; nothing where nothing is chosen."""
    monkeypatch.setenv("PROXY", "http://me:hunter22@127.0.0.1:9")
    monkeypatch.chdir(tmp_path)
    assert run("sync", "mode", "--json").document["external"] == {}

    run(
        *CHOOSE,
        *("--endpoint", "https://a.example/x", "--header", "X-Key=env:A_KEY"),
        *("--sign", "env:A_KEY", "--sign", "file:b", "--format", "cloudevents"),
        *("--ca", "ca.pem", "--cert", "/c.pem", "--cert-key", "/k.pem", "--proxy", "env:PROXY"),
    )
    shown = run("sync", "mode", "--json")
    text = run("sync", "mode").out

    assert shown.document["external"] == {
        "headers": {"X-Key": "env:A_KEY"},
        "signing": ["env:A_KEY", f"file:{tmp_path / 'b'}"],
        "format": "cloudevents",
        "ca": str(tmp_path / "ca.pem"),
        "cert": str(Path("/c.pem").absolute()),
        "cert_key": str(Path("/k.pem").absolute()),
        "proxy": "env:PROXY",
    }
    assert f"env:A_KEY, file:{tmp_path / 'b'}" in text
    assert "hunter22" not in text + shown.out


@pytest.mark.parametrize("tail", ["?u=a@b", "/a@b", "/in?u=a@b"])
def test_an_endpoint_may_hold_the_mark_of_a_user_elsewhere(run: Run, tail: str) -> None:
    """What was accepted is understood again by every later command."""
    chosen = run(*CHOOSE, "--endpoint", f"http://127.0.0.1:9{tail}")

    assert (chosen.code, run("sync", "status", "--check").code) == (0, 0)
    assert run("sync", "mode", "--json").document["endpoint"].endswith(tail)


def test_another_endpoint_gets_nothing_that_was_meant_for_this_one(run: Run) -> None:
    """What is not named again is dropped, and a line says so; the same endpoint keeps it."""
    run(*CHOOSE, "--endpoint", "https://a.example/x", "--sign", "env:A", "--proxy", "http://p:1")

    same = run(*CHOOSE, "--format", "cloudevents")
    kept = run("sync", "mode", "--json").document["external"]
    other = run(*CHOOSE, "--endpoint", "https://b.example/x", "--proxy", "http://q:1")
    left = run("sync", "mode", "--json").document["external"]

    assert "previous endpoint" not in same.err
    assert kept == {"signing": ["env:A"], "format": "cloudevents", "proxy": "http://p:1"}
    assert "previous endpoint, not used for this one: signing keys, format\n" in other.err
    assert left == {"proxy": "http://q:1"}


def test_an_empty_text_takes_one_away(run: Run) -> None:
    """Without naming another endpoint."""
    files = ("--ca", "/a", "--cert", "/c", "--cert-key", "/k")
    run(*CHOOSE, "--endpoint", "https://a.example", "--sign", "env:A", "--proxy", "p:1", *files)

    empty = ("--ca", "", "--cert", "", "--cert-key", "", "--sign", "", "--proxy", "")
    run(*CHOOSE, *empty, "--format", "eventsync")

    assert run("sync", "mode", "--json").document["external"] == {}


@pytest.mark.parametrize(
    ("given", "left"),
    [
        (("--header", ""), {}),
        (("--header", "x-a="), {"X-B": "env:B"}),
        (("--header", "X-A=", "--header", "X-B="), {}),
        (("--header", "X-C=env:C", "--header", "X-A="), {"X-C": "env:C"}),
        (("--header", "", "--header", "X-C=env:C"), {"X-C": "env:C"}),
    ],
)
def test_headers_are_taken_away(run: Run, given: tuple[str, ...], left: dict[str, str]) -> None:
    """All, or by name; what is named with a reference replaces all."""
    two = ("--header", "X-A=env:A", "--header", "X-B=env:B")
    run(*CHOOSE, "--endpoint", "https://a.example", *two)

    assert run(*CHOOSE, *given).code == 0
    assert run("sync", "mode", "--json").document["external"].get("headers", {}) == left


def test_a_header_that_would_not_be_sent_is_refused(run: Run) -> None:
    """Those of signing only where what is sent is signed, in whatever order it is chosen."""
    signed, header = ("--sign", "env:A"), ("--header", "Webhook-Id=env:A")
    run(*CHOOSE, "--endpoint", "https://a.example", *header)

    fails(run, *CHOOSE, *signed, code=64, error="usage")
    assert run(*CHOOSE, *signed, "--header", "Webhook-Id=").code == 0
    fails(run, *CHOOSE, *header, code=64, error="usage")
    assert run(*CHOOSE, *header, "--sign", "").code == 0


@pytest.mark.parametrize(
    ("words", "error"),
    [
        (("--header", "Content-Length=env:A"), "usage"),
        (("--header", "transfer-encoding=env:A"), "usage"),
        (("--sign", KEYS[0]), "secret_not_a_reference"),
        (("--proxy", "http://me:hunter22@p:1"), "secret_not_a_reference"),
        (("--proxy", "me:hunter22@p:1"), "secret_not_a_reference"),
        (("--proxy", "http://me/hunter22@p:1"), "secret_not_a_reference"),
        (("--proxy", "http://me@p/x"), "secret_not_a_reference"),
        (("--ca", "~nobody_known/ca.pem"), "usage"),
        (("--cert", "~nobody_known/c.pem"), "usage"),
        (("--header", "A=file:~nobody_known/a"), "usage"),
        (("--proxy", "socks5://p:1"), "target_url_invalid"),
        (("--proxy", "env:"), "secret_not_a_reference"),
        (("--cert-key", "/k"), "usage"),
        (("--format", "xml"), "usage"),
    ],
)
def test_what_makes_no_sense_is_not_stored(
    run: Run, home: Path, words: tuple[str, ...], error: str
) -> None:
    """Exit 64; a secret on the command line is not repeated."""
    ran = fails(run, *CHOOSE, "--endpoint", "https://a.example", *words, code=64, error=error)

    assert not (home / "config.toml").exists()
    assert "hunter22" not in ran.out + ran.err
    assert KEYS[0] not in ran.out + ran.err


@pytest.mark.parametrize("option", ["--sign", "--ca", "--cert", "--proxy", "--format"])
def test_they_go_with_an_external_receiver_only(run: Run, option: str) -> None:
    """Another mode, or none, refuses them."""
    check_told(run("sync", "mode", "LOCAL_RETENTION", option, "eventsync"), 64, "usage")
    check_told(run("sync", "mode", option, "eventsync"), 64, "usage")


@pytest.mark.parametrize(
    ("words", "error", "names"),
    [
        (("--sign", "env:NOT_SET"), "secret_missing", "env:NOT_SET"),
        (("--sign", "env:NO_KEY"), "signing_key_invalid", "env:NO_KEY"),
        (("--ca", "/no/such/ca.pem"), "certificates_unreadable", "/no/such/ca.pem"),
        (("--cert", "/no/such/cert.pem"), "certificates_unreadable", "/no/such/cert.pem"),
        (("--proxy", "env:NOT_SET"), "secret_missing", "env:NOT_SET"),
        (("--proxy", "env:NO_PROXY_URL"), "proxy_invalid", "external_proxy"),
    ],
)
def test_what_cannot_be_used_sends_nothing(
    run: Run,
    events: Path,
    monkeypatch: pytest.MonkeyPatch,
    words: tuple[str, ...],
    error: str,
    names: str,
) -> None:
    """Exit 4, naming the reference or file; the value is not repeated."""
    monkeypatch.setenv("NO_KEY", "hunter22")
    monkeypatch.setenv("NO_PROXY_URL", "ftp://me:hunter22@p")
    run("capture", str(events))
    with listening() as listener:
        run(*CHOOSE, "--endpoint", listener.url, *words)
        ran = fails(run, "sync", "now", code=4, error=error)

    assert listener.heard == []
    assert names in ran.out
    assert "hunter22" not in ran.out + ran.err


def test_a_proxy_is_shown_the_way_and_its_password(
    run: Run, events: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is asked for the endpoint; the environment's proxy is not."""
    run("capture", str(events))
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    with listening() as proxy:
        monkeypatch.setenv("WAY", proxy.url.replace("://", "://me:hunter22@"))
        run(*CHOOSE, "--endpoint", "http://far.example/hook", "--proxy", "env:WAY")
        ran = run("sync", "now", "--json")

    assert ran.document["counts"]["delivered"] == 20
    (heard,) = proxy.heard
    assert heard.path == "http://far.example/hook"
    expected = b64encode(b"me:hunter22").decode()
    assert heard.headers["proxy-authorization"] == f"Basic {expected}"


def test_no_secret_is_found_anywhere(
    run: Run, home: Path, events: Path, keys: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of a receiver and proxy that quotes all it was sent, and more: not in any output or file."""
    basic = b64encode(b"me:hunter22").decode()
    canaries = [*keys, *(key[6:] for key in keys), "hunter22", basic, "s3cr3t-h3ader"]

    answers: dict[int, tuple[int, dict[str, str]]] = {
        1: (400, {}),
        2: (302, {"Location": f"/{canaries[0]}"}),
        3: (412, {}),
    }

    def quote_all(heard: Heard) -> tuple[int, dict[str, str], bytes]:
        said = " ".join((*canaries, *map(str, heard.headers.items())))
        status, headers = answers.get(len(proxy.heard), (500, {}))
        told = {"error": said, "category": said, "error_description": said}
        return status, headers, json.dumps(told).encode()

    run("capture", str(events))
    monkeypatch.setenv("HEADER", "s3cr3t-h3ader")
    looks = [("sync", "mode"), ("sync", "status"), ("target", "list"), ("journal", "show", "e0")]
    with listening(quote_all) as proxy:
        monkeypatch.setenv("WAY", proxy.url.replace("://", "://me:hunter22@"))
        named = ("--header", "Authorization=env:HEADER", "--proxy", "env:WAY")
        signed = ("--sign", "env:A_KEY", "--sign", "env:B_KEY")
        output = [run(*CHOOSE, "--endpoint", "http://far.example", *named, *signed)]
        for _ in range(4):
            output.append(run("sync", "now", "--budget-events", "1"))
            output.append(run("sync", "now", "--json", "--budget-events", "1"))
    assert len(proxy.heard) >= 4
    for words in looks:
        output += [run(*words), run(*words, "--json")]

    files = b"".join(path.read_bytes() for path in home.rglob("*") if path.is_file())
    text = "".join(ran.out + ran.err for ran in output)
    assert [canary for canary in canaries if canary in text or canary.encode() in files] == []


def test_the_formats_of_the_command_line_are_those_of_receivers() -> None:
    """One set of words."""
    (option,) = (each for each in command.params if each.name == "body_format")

    assert list(option.type.choices) == [each.value for each in BodyFormat]  # type: ignore[attr-defined]
