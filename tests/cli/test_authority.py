"""Which server commands go by, and what they do when its sources disagree."""

import socket
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

import click
import pytest

from eventsync_adapters.server import Serving
from eventsync_cli.main import program
from tests.cli.bad_input import fails
from tests.cli.conftest import Run

_A, _B = "https://a.example", "https://b.example"
_CREDENTIALS = """
[server]
url = "https://A.example/"
[user]
username = "U@e "
team_slug = "Team"
[tokens]
access = "CANARY"
"""
# Refused before any socket is opened.
_CHOOSES = [
    ("sync", "now"),
    ("sync", "retry"),
    ("sync", "replay", "--all"),
    ("sync", "replay", "--nothing"),
    ("body", "push"),
    ("body", "push", "--dry-run"),
    ("body", "retry"),
    ("target", "grant"),
    ("target", "pause"),
    ("target", "resume"),
    ("target", "show"),
]
# Does its work, and names the disagreement on stderr.
_WORKS = [
    ("body", "list"),
    ("capture", "{events}"),
    ("config", "show"),
    ("journal", "backup", "{events}.db", "--force"),
    ("journal", "hold", "e0"),
    ("journal", "import", "{events}"),
    ("journal", "list"),
    ("journal", "purge", "--project", "default"),
    ("journal", "quarantine"),
    ("journal", "release", "e0"),
    ("journal", "show", "e0"),
    ("journal", "verify"),
    ("sync", "archive", "a.gz", "--include-undelivered", "--dry-run"),
    ("sync", "doctor"),
    ("sync", "doctor", "--journal-mode", "truncate"),
    ("sync", "gc"),
    ("sync", "gc", "--apply"),
    ("sync", "migrate"),
    ("sync", "mode"),
    ("sync", "mode", "TEAMSPACE"),
    ("sync", "mode", "LOCAL_RETENTION"),
    ("sync", "server"),
    ("sync", "server", _A),
    ("sync", "support-bundle", "{events}.json", "--force"),
    ("target", "list"),
    ("target", "revoke"),
]
# Has nothing to do with a target, or is tested by itself.
_ELSEWHERE = {
    "audit list",
    "audit purges",
    "body add",
    "demo",
    "family list",
    "journal export",
    "journal restore",
    "serve",
    "sync status",
}


class _Sockets:
    """Every address that a socket was asked to reach, or a name that was looked up."""

    def __init__(self) -> None:
        self.asked: list[object] = []

    def refuse(self, *arguments: object, **_: object) -> None:
        self.asked.append(arguments)
        raise OSError("no socket here")


@pytest.fixture
def sockets(monkeypatch: pytest.MonkeyPatch) -> _Sockets:
    guard = _Sockets()
    for name in ("connect", "connect_ex", "sendto"):
        monkeypatch.setattr(socket.socket, name, guard.refuse)
    monkeypatch.setattr(socket, "getaddrinfo", guard.refuse)
    monkeypatch.setattr(socket, "create_connection", guard.refuse)
    return guard


@pytest.fixture
def split(run: Run, home: Path, events: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A home that delivers to one server, in an environment that names another."""
    monkeypatch.setenv("SPEC_KITTY_ENABLE_SAAS_SYNC", "1")
    monkeypatch.setenv("ES_TOKEN", "CANARY")
    run("capture", str(events))
    assert run("sync", "server", _A, "--team", "t", "--token", "env:ES_TOKEN").code == 0
    monkeypatch.setenv("SPEC_KITTY_SAAS_URL", _B)


def _commands(group: click.Group, before: str = "") -> Iterator[str]:
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        if isinstance(command, click.Group):
            yield from _commands(command, f"{before}{name} ")
        else:
            yield f"{before}{name}"


def test_every_command_is_tested_below() -> None:
    """A new command must say how it takes a disagreement."""
    tested = {
        words[0] if words[0] == "capture" else " ".join(words[:2]) for words in _CHOOSES + _WORKS
    }

    assert set(_commands(program())) <= tested | _ELSEWHERE


@pytest.mark.requirement("T5")
@pytest.mark.parametrize("words", _CHOOSES, ids=" ".join)
def test_a_conflict_stops_what_needs_a_target(
    run: Run, split: None, sockets: _Sockets, words: tuple[str, ...]
) -> None:
    """Exit 4 before any socket; both servers and both ways out are named."""
    ran = fails(run, *words, code=4, error="target_conflict")

    error = ran.document["error"]
    for part in (_A, _B, "unset SPEC_KITTY_SAAS_URL", f"eventsync sync server {_B}"):
        assert part in error["message"]
    assert error["fix"] == {"argv": ["eventsync", "sync", "server", _B]}
    assert sockets.asked == []


def test_the_guard_sees_what_is_contacted(
    run: Run, split: None, sockets: _Sockets, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without the disagreement the same command asks for a socket."""
    monkeypatch.delenv("SPEC_KITTY_SAAS_URL")

    run("sync", "now")

    assert sockets.asked != []


@pytest.mark.requirement("T5")
@pytest.mark.parametrize("words", _WORKS, ids=" ".join)
def test_a_conflict_is_named_by_what_works_anyway(
    run: Run, split: None, sockets: _Sockets, events: Path, words: tuple[str, ...]
) -> None:
    """Exit 0, and one line on stderr."""
    given = [word.format(events=events) for word in words]

    ran = run(*given)
    again = run(*given, "--json")

    assert (ran.code, again.code) == (0, 0)
    assert again.document["ok"]
    for each in (ran, again):
        (line,) = [line for line in each.err.splitlines() if "[target_conflict]" in line]
        assert _A in line
        assert _B in line
    assert sockets.asked == []


@pytest.mark.requirement("T5")
def test_the_status_of_a_conflict_shows_everything(
    run: Run, split: None, sockets: _Sockets
) -> None:
    """Exit 4 and all that is known; with --check 2."""
    ran = run("sync", "status", "--json")
    told = run("sync", "status")

    authority = ran.document["target_authority"]
    assert (ran.code, told.code, run("sync", "status", "--check").code) == (4, 4, 2)
    assert ran.document["error"]["code"] == "target_conflict"
    assert len(authority) == 9
    assert authority["override_mode"] == "setup_only"
    assert authority["resolved_server_url"] is None
    assert ran.document["event_journal"]["retained_event_count"] == 20
    assert "Retained events" in told.out
    assert sockets.asked == []


@pytest.mark.requirement("T5")
def test_the_way_out_by_the_variable(
    run: Run, split: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Unset, or aligned."""
    for value in ("", f" {_A}:443/ "):
        monkeypatch.setenv("SPEC_KITTY_SAAS_URL", value)

        assert run("sync", "status").code == 0


@pytest.mark.requirement("T1")
@pytest.mark.requirement("T7")
@pytest.mark.requirement("T8")
@pytest.mark.parametrize("env", [_A, "", "  ", "HTTPS://A.example:443/", f" {_A}/ "])
def test_sources_that_agree(
    run: Run, home: Path, monkeypatch: pytest.MonkeyPatch, env: str
) -> None:
    """Other spellings and blank text are no difference."""
    run("sync", "server", _A)
    monkeypatch.setenv("SPEC_KITTY_SAAS_URL", env)

    found = run("sync", "status", "--json").document["target_authority"]

    assert (found["override_mode"], found["resolved_server_url"]) == ("none", _A)


@pytest.mark.requirement("T2")
@pytest.mark.requirement("T3")
def test_without_configuration_the_environment_is_used(
    run: Run, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """There is no built-in server, so nothing is overridden."""
    before = run("sync", "status", "--json").document
    monkeypatch.setenv("SPEC_KITTY_SAAS_URL", _B)

    after = run("sync", "status", "--json").document

    assert before["target_authority"]["resolved_server_url"] is None
    assert before["target_authority_provenance"]["resolved_server_url"] == "default"
    assert after["target_authority"]["override_mode"] == "none"
    assert after["target_authority"]["resolved_server_url"] == _B
    assert after["target_authority_provenance"]["resolved_server_url"] == "SPEC_KITTY_SAAS_URL"


@pytest.mark.requirement("T6")
@pytest.mark.parametrize("text", ["[sync", "sync = 3", "[sync]\nserver_url = 3", "\xff"])
def test_a_configuration_that_is_none(run: Run, home: Path, text: str) -> None:
    """Nothing is configured, and the file is named; nothing else is taken for it."""
    home.mkdir()
    (home / "config.toml").write_text(text, encoding="latin-1")

    ran = run("sync", "status", "--json")

    assert (ran.code, ran.document["error"]["code"]) == (4, "config_unreadable")
    assert str(home / "config.toml") in ran.document["error"]["message"]
    assert ran.document["target_authority"]["configured_server_url"] is None
    assert ran.document["mode"] == "LOCAL_RETENTION"


@pytest.mark.requirement("T9")
@pytest.mark.requirement("T10")
@pytest.mark.requirement("T11")
def test_scope_and_path_are_of_server_user_and_team(run: Run, home: Path) -> None:
    """Other ones for others, the same for the same, in ASCII."""
    found = []
    for words in ([_A], [_A, "--user", "ü@e"], [_A, "--team", "t"], [_B], [_A, "--team", ""]):
        run("sync", "server", *words)
        authority = run("sync", "status", "--json").document["target_authority"]
        found.append((authority["derived_queue_scope"], authority["queue_db_path"]))

    scopes = [scope for scope, _ in found]
    assert scopes == [
        f"{_A}||",
        f"{_A}|_u00fc_@e|",
        f"{_A}|_u00fc_@e|t",
        f"{_B}|_u00fc_@e|t",
        f"{_A}|_u00fc_@e|",
    ]
    assert len({path for _, path in found}) == 4
    assert all(path.startswith(str(home / "queues" / "queue-")) for _, path in found)


@pytest.mark.requirement("T12")
@pytest.mark.parametrize(
    ("noted", "expected"),
    [
        (None, "absent"),
        (b"\xff", "absent"),
        (f"{_A}|u@e|t\n".encode(), "matches"),
        (b"https://old|u@e|t", "stale_non_authoritative"),
    ],
)
def test_the_marker_is_only_compared(
    run: Run, home: Path, noted: bytes | None, expected: str
) -> None:
    """What cannot be read is absent."""
    run("sync", "server", _A, "--user", "u@e", "--team", "t")
    before = run("sync", "status", "--json").document["target_authority"]
    if noted is not None:
        (home / "active_queue_scope").write_bytes(noted)

    after = run("sync", "status", "--json").document["target_authority"]

    assert after == {**before, "active_queue_scope_status": expected}


@pytest.mark.requirement("T12")
def test_a_marker_that_is_no_file_is_absent(run: Run, home: Path) -> None:
    """Nor are credentials that are none."""
    (home / "active_queue_scope").mkdir(parents=True)
    (home / "credentials").write_text("[user")

    found = run("sync", "status", "--json").document["target_authority"]

    assert found["active_queue_scope_status"] == "absent"
    assert found["user_id"] is None


def test_credentials_name_user_and_team_of_their_server(
    run: Run, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of no other; where the configuration is silent; and never a token."""
    home.mkdir()
    (home / "credentials").write_text(_CREDENTIALS)
    monkeypatch.setenv("SPEC_KITTY_SAAS_URL", _A)
    here = run("sync", "status", "--json")
    monkeypatch.setenv("SPEC_KITTY_SAAS_URL", _B)
    there = run("sync", "status", "--json").document["target_authority"]
    monkeypatch.delenv("SPEC_KITTY_SAAS_URL")
    chosen = run("sync", "server", _A, "--team", "mine", "--json").document["target"]
    shown = run("target", "show", "--json").document

    authority = here.document["target_authority"]
    assert (authority["user_id"], authority["team_slug"]) == ("U@e", "Team")
    assert here.document["target_authority_provenance"]["team_slug"].startswith("credentials ")
    assert authority["active_queue_scope_status"] == "matches"
    assert (there["user_id"], there["team_slug"]) == (None, None)
    assert (chosen["user"].lower(), chosen["team"]) == ("u@e", "mine")
    assert shown["target_id"] == chosen["target_id"]
    assert "CANARY" not in here.out


@pytest.mark.requirement("T14")
def test_old_queues_are_listed_with_whose_they_are(run: Run, home: Path) -> None:
    """By the digest in their names; no file is opened."""
    run("sync", "server", _A, "--user", "u@e")
    digests = [
        sha256(scope.encode()).hexdigest()[:16]
        for scope in (f"{_A}|u@e|no-team", "https://nobody|x|y")
    ]
    names = [f"queue-{digest}.db" for digest in digests]
    (home / "queues").mkdir()
    for name in [*names, "queue-xyz.db", "other.db"]:
        (home / "queues" / name).write_bytes(b"no database")

    found = run("sync", "status", "--json").document

    spelt = {each["digest"]: each["spelling"] for each in found["queue_files"]}
    paths = {each["path"] for each in found["queue_files"]}
    assert found["queue_files_count"] == 2
    assert paths == {str(home / "queues" / name) for name in names}
    assert spelt[digests[1]] is None
    assert spelt[digests[0]].endswith("team: no-team; raw")
    assert "Queues of old programs" in run("sync", "status").out


@pytest.mark.requirement("T14")
def test_a_private_team_is_known_where_its_id_is_told(run: Run, home: Path) -> None:
    """Old queues of a session were named by it."""
    home.mkdir(parents=True, exist_ok=True)
    (home / "config.toml").write_text(
        f'[sync]\nserver_url = "{_A}"\nuser = "u@e"\nprivate_team_id = "PT-1"\n'
    )
    digest = sha256(f"{_A}|u@e|pt-1".encode()).hexdigest()[:16]
    (home / "queues").mkdir()
    (home / "queues" / f"queue-{digest}.db").touch()

    (found,) = run("sync", "status", "--json").document["queue_files"]

    assert found["spelling"].endswith("team: config.toml [sync] private_team_id; raw")


def test_many_old_queues_are_counted(run: Run, home: Path) -> None:
    """A list ends at a thousand, its count does not."""
    (home / "queues").mkdir(parents=True)
    for n in range(1_001):
        (home / "queues" / f"queue-{n:016x}.db").touch()

    found = run("sync", "status", "--json").document

    assert (len(found["queue_files"]), found["queue_files_count"]) == (1_000, 1_001)


@pytest.mark.requirement("T13")
@pytest.mark.parametrize("words", [("sync", "status"), ("config", "show")])
def test_looking_makes_nothing(run: Run, home: Path, words: tuple[str, str]) -> None:
    """Not even the home."""
    ran = run(*words, "--json")

    assert ran.code == 0
    assert not home.exists()
    if words == ("sync", "status"):
        found = ran.document
        assert len(found["target_authority"]) == 9
        assert found["target_authority_provenance"].keys() == found["target_authority"].keys()
        assert found["queue_files_count"] == 0


def test_a_server_that_is_chosen_is_delivered_to(
    run: Run, home: Path, events: Path, receiver: Serving, monkeypatch: pytest.MonkeyPatch
) -> None:
    """User and team of credentials are those of the target that was granted."""
    home.mkdir()
    (home / "credentials").write_text(_CREDENTIALS.replace("https://A.example", receiver.url))
    monkeypatch.setenv("SPEC_KITTY_ENABLE_SAAS_SYNC", "1")
    monkeypatch.setenv("ES_TOKEN", "CANARY")
    run("capture", str(events))
    run("sync", "server", receiver.url, "--token", "env:ES_TOKEN")

    ran = run("sync", "now", "--json")

    assert (ran.code, ran.document["counts"]["delivered"]) == (0, 20)
    assert ran.document["target"]["team"] == "Team"
