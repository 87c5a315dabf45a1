"""Settings and command lines that cannot be used: capture goes on, nothing is contacted."""

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from eventsync_adapters.server import Serving
from tests.cli.bad_input import fails, keeps
from tests.cli.conftest import Run

CONFIGS: dict[str, tuple[str | bytes, str]] = {
    "not TOML": ("[event_sync\n", "config_unreadable"),
    "not UTF-8": (b"[event_sync]\nmode = '\xff'\n", "config_unreadable"),
    "a NUL byte": (b"\0\0\0\0", "config_unreadable"),
    "a table that is none": ("event_sync = 3\n", "config_unreadable"),
    "another table that is none": ("sync = [1]\n", "config_unreadable"),
    "a mode that is no text": ("[event_sync]\nmode = 7\n", "config_unreadable"),
    "an unknown mode": ('[event_sync]\nmode = "teamspce"\n', "mode_unknown"),
    "an empty key": ('[sync]\n"server_url" = 1\n', "config_unreadable"),
    "a secret": ('[sync]\ntoken = "hunter2"\n', "secret_not_a_reference"),
    "a secret header": (
        '[event_sync]\nmode = "external_receiver"\n[event_sync.external_headers]\nA = "hunter2"\n',
        "secret_not_a_reference",
    ),
    "deep nesting": ("a = " + "[" * 5_000 + "]" * 5_000, "config_unreadable"),
}


@pytest.fixture
def no_socket() -> Iterator[None]:
    """Fail the test when anything is connected to."""

    def refuse(*_: object, **__: object) -> None:
        pytest.fail("something was connected to")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket, "create_connection", refuse)
        patch.setattr(socket.socket, "connect", refuse)
        yield


def write(home: Path, content: str | bytes) -> Path:
    """Write the configuration and return its path."""
    home.mkdir(parents=True, exist_ok=True)
    path = home / "config.toml"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


@pytest.mark.parametrize("kind", CONFIGS)
def test_a_configuration_that_cannot_be_used(
    run: Run, home: Path, events: Path, no_socket: None, kind: str
) -> None:
    """Capture stores under LOCAL_RETENTION and names it; choosing and delivering are exit 4."""
    content, code = CONFIGS[kind]
    path = write(home, content)
    before = path.read_bytes()

    captured = run("capture", str(events))

    assert captured.code == 0
    (line,) = [line for line in captured.err.splitlines() if f"[{code}]" in line]
    assert line.startswith("eventsync: ")
    assert "hunter2" not in captured.out + captured.err
    fails(run, "sync", "now", code=4, error=code)
    fails(run, "target", "grant", code=4, error=code)
    status = run("sync", "status", "--json")
    assert status.code == 4
    assert status.document["event_journal"]["retained_event_count"] == 20
    assert run("sync", "status", "--check").code == 2
    assert run("sync", "mode", "--json").document["mode"] == "LOCAL_RETENTION"
    for words in [("journal", "list"), ("target", "list"), ("sync", "doctor"), ("sync", "server")]:
        ran = run(*words, "--json")
        assert (ran.code, f"[{code}]" in ran.err) == (0, True), ran
    assert "hunter2" not in status.out + status.err
    assert path.read_bytes() == before
    keeps(run, 20)


def test_a_configuration_that_is_a_folder(run: Run, home: Path, events: Path) -> None:
    """It cannot be read and is left alone."""
    (home / "config.toml").mkdir(parents=True)

    assert run("capture", str(events)).code == 0
    fails(run, "sync", "now", code=4, error="config_unreadable")
    fails(run, "sync", "mode", "LOCAL_RETENTION", code=4, error="config_unreadable")
    keeps(run, 20)


def test_an_endpoint_in_the_file_that_is_none(
    run: Run, home: Path, events: Path, no_socket: None
) -> None:
    """Exit 4: the file is named."""
    write(home, '[event_sync]\nmode = "external_receiver"\nexternal_endpoint = "ftp://x"\n')

    assert run("capture", str(events)).code == 0
    ran = fails(run, "sync", "now", code=4, error="target_url_invalid")
    assert "config.toml" in ran.document["error"]["message"]
    keeps(run, 20)


def test_two_servers(
    run: Run,
    home: Path,
    events: Path,
    receiver: Serving,
    no_socket: None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Environment and file disagree: exit 4 before any socket, and capture names it."""
    monkeypatch.setenv("SPEC_KITTY_ENABLE_SAAS_SYNC", "1")
    monkeypatch.setenv("ES_TOKEN", "opens nothing")
    run("capture", str(events))
    run("sync", "server", receiver.url, "--team", "t", "--token", "env:ES_TOKEN")
    monkeypatch.setenv("SPEC_KITTY_SAAS_URL", "https://other.example")

    fails(run, "sync", "now", code=4, error="target_conflict")
    fails(run, "target", "grant", code=4, error="target_conflict")
    captured = run("capture", str(events))

    assert captured.code == 0
    assert "[target_conflict]" in captured.err
    assert "opens nothing" not in captured.out + captured.err
    assert receiver.inbox.count() == 0
    keeps(run, 20)


URLS = ["", "x", "ftp://h", "//h/p", "https://", "https://:443", "http:/h", "https://h:99999"]
URLS += ["https://h h/", "https://h/\u0007", "https://[::1", "https://u:p@h", "javascript:alert(1)"]


@pytest.mark.parametrize("url", URLS)
def test_urls_that_name_nothing(run: Run, home: Path, url: str) -> None:
    """Exit 64 from both commands, and nothing is written."""
    for words in [
        ("sync", "mode", "EXTERNAL_RECEIVER", "--endpoint", url),
        ("sync", "server", url),
    ]:
        ran = run(*words, "--json")
        assert (ran.code, ran.document["ok"]) == (64, False), ran
        assert set(ran.document["error"]["fix"]) in ({"argv"}, {"text"})
        plain = run(*words)
        assert plain.err.splitlines()[-1].startswith("fix: ")
    assert not home.exists()


def test_a_server_elsewhere_needs_https(run: Run, home: Path) -> None:
    """Loopback may do without."""
    for url in ("http://far.example", "http://10.0.0.1", "http://localhost.example"):
        fails(run, "sync", "server", url, code=64, error="target_url_invalid")
    assert not home.exists()
    for url in ("http://127.0.0.1:1", "http://localhost:1", "http://[::1]:1"):
        assert run("sync", "server", url).code == 0


WRONG = [
    ("nope",),
    ("sync", "nope"),
    ("capture", "--nope"),
    ("capture", "a", "b"),
    ("sync", "mode", "NOPE"),
    ("sync", "mode", "LOCAL_RETENTION", "--endpoint", "https://h"),
    ("sync", "now", "--budget-requests", "0"),
    ("sync", "doctor", "--journal-mode", "memory"),
    ("journal", "list", "--limit", "0"),
    ("journal", "list", "--limit", "1001"),
    ("journal", "show"),
    ("--home",),
]


@pytest.mark.parametrize("words", WRONG, ids=" ".join)
def test_command_lines_that_mean_nothing(run: Run, home: Path, words: tuple[str, ...]) -> None:
    """Exit 64, one line and a fix, and nothing is made."""
    plain = run(*words)
    told = run("--json", *words)

    assert (plain.code, plain.out) == (64, "")
    assert plain.err.splitlines()[-1].startswith("fix: ")
    assert (told.code, told.document["ok"]) == (64, False)
    assert told.document["error"]["message"]
    assert not home.exists()


def test_a_stream_of_lines_is_no_json_object(run: Run) -> None:
    """`serve` goes on for ever and refuses to be one object."""
    ran = run("serve", "--json")

    assert (ran.code, ran.document["ok"]) == (64, False)


def test_an_unknown_kind_of_store(
    run: Run, home: Path, events: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is stored where nobody asked for it."""
    monkeypatch.setenv("PERSISTENCE", "oracle")

    for words in [("capture", str(events)), ("journal", "verify"), ("sync", "doctor")]:
        fails(run, *words, code=4, error="persistence_unknown")
    assert run("sync", "status").code == 4
    assert not home.exists()
