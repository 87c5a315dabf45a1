"""`sync support-bundle`: what helps, and no byte of what is private."""

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from eventsync_adapters.server import Serving
from eventsync_core.receivers import Script
from tests.cli.bad_input import fails
from tests.cli.canaries import Canary, leaks
from tests.cli.conftest import Run

SECRETS = {
    name: Canary(f"c4n4ry{name}", "-", f"t4il{name}")
    for name in ("text", "token", "header", "path", "reason", "guidance", "proxy", "body", "id")
}
NAMES = {name: Canary(f"c4n4ry{name}", "-", f"t4il{name}") for name in ("project", "team", "user")}


@pytest.fixture
def full(
    run: Run, home: Path, tmp_path: Path, receiver: Serving, monkeypatch: pytest.MonkeyPatch
) -> Path:
    """A home that has something private everywhere; returns where the bundle goes."""
    told = {name: canary.text for name, canary in (SECRETS | NAMES).items()}
    monkeypatch.setenv("SPEC_KITTY_ENABLE_SAAS_SYNC", "1")
    monkeypatch.setenv("TOKEN", told["token"])
    monkeypatch.setenv("HEADER", told["header"])
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setenv("HTTPS_PROXY", f"http://me:{told['proxy']}@127.0.0.1:9")
    project = ("--project", told["project"])
    events = tmp_path / "events.jsonl"
    ids = [f"{told['id']}{number}" for number in range(4)]
    events.write_text(
        "".join(json.dumps({"event_id": each, "text": told["text"]}) + "\n" for each in ids)
    )
    run("capture", str(events), *project, "--producer-user", told["user"])
    (tmp_path / "spec.md").write_text(told["body"])
    mission = ("--mission", told["project"], "--mission-type", "t")
    run("body", "add", str(tmp_path / "spec.md"), *mission, *project)
    refused = {"status": "rejected", "detail": told["guidance"]}
    receiver.set_script(Script(events={ids[0]: refused}))
    server = ("sync", "server", receiver.url, "--team", told["team"], "--token", "env:TOKEN")
    assert run(*server, *project).code == 0
    run("sync", "now", *project)
    place = f"{receiver.url}/{told['path']}?key={told['path']}"
    header = ("--header", "X-A=env:HEADER")
    run("sync", "mode", "EXTERNAL_RECEIVER", "--endpoint", place, *header, *project)
    run("sync", "now", *project)
    run("journal", "hold", ids[1], "--reason", told["reason"])
    run("target", "pause", "--reason", told["reason"])
    (home / f"{told['project']}.toml").write_text(told["text"])
    (home / "eventsync" / told["path"]).mkdir()
    return tmp_path / "bundle.json"


def _strings(value: Any) -> list[str]:
    if isinstance(value, dict):
        return [text for each in value.items() for text in _strings(list(each))]
    if isinstance(value, list):
        return [text for each in value for text in _strings(each)]
    return [value] if isinstance(value, str) else []


def test_nothing_private_is_in_any_byte(run: Run, full: Path) -> None:
    """Neither in the file nor in what is said."""
    ran = run("sync", "support-bundle", str(full))

    assert ran.code == 0
    known = [*SECRETS.values(), *NAMES.values()]
    assert leaks(full.read_bytes(), known) == []
    assert leaks(ran.out.encode(), known) == []
    assert sys.platform == "win32" or full.stat().st_mode & 0o777 == 0o600


def test_names_are_there_if_they_are_asked_for(run: Run, full: Path) -> None:
    """And still no secret."""
    assert run("sync", "support-bundle", str(full), "--with-names").code == 0

    assert leaks(full.read_bytes(), SECRETS.values()) == []
    assert {NAMES["project"].text, NAMES["team"].text} <= set(
        _strings(json.loads(full.read_text()))
    )


def test_what_helps_is_there(run: Run, full: Path, receiver: Serving) -> None:
    """Versions, settings with their sources, counts, the shapes of requests, files."""
    told = run("sync", "support-bundle", str(full), "--json").document
    found = json.loads(full.read_text())

    assert told["file_bytes"] == full.stat().st_size
    assert set(told["sections"]) < set(found)
    assert found["versions"]["sqlite"]
    settings = {each["name"]: each for each in found["settings"]}
    assert settings["mode"]["value"] == "EXTERNAL_RECEIVER"
    assert settings["mode"]["source"] == "config.toml [event_sync] mode"
    assert settings["external_headers"]["value"] == {"count": 1}
    assert settings["external_endpoint"]["value"].startswith(f"{receiver.url}/#")
    assert found["status"]["event_journal"]["retained_event_count"] == 4
    classes = [each["streams"][0]["classes"] for each in found["status"]["targets"]]
    assert all(sum(each.values()) == 4 for each in classes)
    assert {each["event_count"] for each in found["requests"]} >= {4}
    assert found["versions"]["journal_mode"] == "truncate"
    assert found["status"]["daemon_owner_record"]["status"] == "absent"
    paths = {each["path"] for each in found["files"]}
    assert {"config.toml", "eventsync/", "eventsync/eventsync.db"} <= paths


def test_equal_texts_have_equal_marks(run: Run, full: Path) -> None:
    """Within a bundle, and not in the next one."""
    marks = []
    for _ in range(2):
        assert run("sync", "support-bundle", str(full), "--force").code == 0
        found = json.loads(full.read_text())
        streams = {each["stream"] for each in found["requests"]}
        shown = {
            each["stream"] for target in found["status"]["targets"] for each in target["streams"]
        }
        assert streams == shown
        marks.append(streams)
    assert marks[0] != marks[1]


def test_of_a_home_that_is_not_there(run: Run, home: Path, tmp_path: Path) -> None:
    """It is written, and makes no home."""
    place = tmp_path / "bundle.json"

    assert run("sync", "support-bundle", str(place)).code == 0
    assert json.loads(place.read_text())["files"] == []
    assert not home.exists()


def test_of_a_store_that_cannot_be_read(run: Run, home: Path, events: Path, tmp_path: Path) -> None:
    """That is what it says."""
    run("capture", str(events))
    (home / "eventsync" / "eventsync.db").write_bytes(b"junk" * 4_000)
    place = tmp_path / "bundle.json"

    assert run("sync", "support-bundle", str(place)).code == 0
    found = json.loads(place.read_text())
    assert found["status"]["event_journal"]["retained_event_count"] is None
    assert found["status"]["reasons"][0]["code"] == "store_unreadable"
    assert found["status"]["exit_code"] == run("sync", "status").code == 5
    assert found["requests"] == []


def test_the_commands_that_help_can_be_read(run: Run, home: Path, tmp_path: Path) -> None:
    """Their words are ours; a project in them is not, also where it is called as they are."""
    (tmp_path / "e.jsonl").write_text('{"event_id": "e1"}\n')
    run("--project", "sync", "capture", str(tmp_path / "e.jsonl"))
    run("sync", "mode", "EXTERNAL_RECEIVER", "--endpoint", "http://127.0.0.1:9")
    place = tmp_path / "bundle.json"

    words = ("--home", str(home), "--project", "sync", "sync", "support-bundle", str(place))
    assert run(*words).code == 0

    gates = json.loads(place.read_text())["status"]["gate_reasons"]
    (argv,) = (each["fix"]["argv"] for each in gates if each["gate"] == "no_grant")
    assert [word for word in argv if not word.startswith("#")] == [
        *("eventsync", "--home", "target", "grant", "--project"),
    ]


def test_what_is_there_stays(run: Run, tmp_path: Path) -> None:
    """Unless --force; and a bundle is a file, whatever is there."""
    fails(run, "sync", "support-bundle", "-", code=64, error="output_unusable")
    assert not Path("-").exists()
    place = tmp_path / "bundle.json"
    place.write_text("precious")

    fails(run, "sync", "support-bundle", str(place), code=64, error="output_exists")
    assert place.read_text() == "precious"


def test_a_store_that_is_none_of_ours(
    run: Run, full: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the environment names so may be anything."""
    monkeypatch.setenv("PERSISTENCE", SECRETS["token"].text)

    run("sync", "support-bundle", str(full))

    assert leaks(full.read_bytes(), SECRETS.values()) == []
