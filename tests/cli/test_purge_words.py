"""`journal purge` leaves no word of a project in its home, wherever a person or server put it."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from eventsync_adapters import machine
from eventsync_adapters.server import serve
from eventsync_adapters.sqlite import open_stores
from eventsync_core.receivers import RequestRule, Script
from tests.cli.canaries import Canary, leaks_of_files
from tests.cli.conftest import Run

PROJECT = "0f8fad5b-d9cb-469f-a165-70867728950e"
SECRET = Canary("zyzzogeton", "-", "quetzalcoatlus")
HERE = ("--project", PROJECT)


@pytest.fixture
def told(run: Run, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Run]:
    """A home where aggregates, reasons, answers, back-off and bodies hold the secret."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SPEC_KITTY_ENABLE_SAAS_SYNC", "1")
    monkeypatch.setenv("TOKEN", "a-token-value")
    said = json.dumps({"error": SECRET.text, "category": SECRET.text})
    word = {"status": "rejected", "error": SECRET.text, "category": SECRET.text}
    script = Script(
        events={"p1": word},
        requests=[RequestRule(), RequestRule(status=503, body=said)],
        pushes=[RequestRule(status=503, body=said)],
    )
    with serve(None, clock=machine.now, script=script) as receiver:
        receiver.start()
        chosen = ("sync", "server", receiver.url, "--team", "t", "--token", "env:TOKEN")
        assert run(*chosen, *HERE).code == 0
        capture(run, tmp_path / "a.jsonl", range(5))
        run("journal", "hold", "p2", "p3", "--reason", SECRET.text)
        run("journal", "release", "p3")
        (tmp_path / "spec.md").write_text(f"# {SECRET.text}")
        added = run(
            *("body", "add", "spec.md", *HERE, "--mission", SECRET.text),
            *("--mission-type", "t", "--manifest-version", "1"),
        )
        assert added.code == 0, added.err
        run("body", "push")
        run("target", "resume")
        run("sync", "now", *HERE)
        capture(run, tmp_path / "b.jsonl", range(5, 8))
        run("sync", "now", *HERE)
        with open_stores(home / "eventsync" / "eventsync.db") as stores:
            (target,) = stores.targets.targets()
            assert SECRET.text in target.back_off.reason
            stores.targets.set_body_back_off(target.target_id, target.back_off)
        yield run


def capture(run: Run, path: Path, numbers: range) -> None:
    """Capture events whose aggregate is the secret."""
    lines = [
        {
            "event_id": f"p{number}",
            "event_type": "T",
            "project_uuid": PROJECT,
            "aggregate_type": "A",
            "aggregate_id": SECRET.text,
        }
        for number in numbers
    ]
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    assert run("capture", str(path)).code == 0
    path.unlink()


def test_no_word_is_left(told: Run, home: Path) -> None:
    """The preview counts what the act does; that something was held or said stays known."""
    leaking = leaks_of_files(home, [SECRET])
    assert leaking
    assert SECRET.text in told("sync", "status", *HERE).out + told("target", "show").out
    known = holds(told)

    preview = told("journal", "purge", *HERE, "--dry-run", "--json").document
    done = told("journal", "purge", *HERE, "--json").document

    assert {**preview, "dry_run": False} == done
    assert (done["payloads"], done["reasons"], done["aggregates"]) == (8, 2, 8)
    assert done["words"] == 4
    assert leaks_of_files(home, [SECRET]) == {}
    assert holds(told) == [[{**hold, "reason": ""} for hold in each] for each in known]
    entries = told("journal", "list", "--json").document["entries"]
    assert {(each["event_type"], each["aggregate"]) for each in entries} == {("T", None)}
    assert told("journal", "verify").code == 0
    assert told("sync", "status", "--json").document["ok"] is True
    again = told("journal", "purge", *HERE, "--json").document
    assert not any(value for name, value in again.items() if name not in ("stream", "schema", "ok"))


def holds(run: Run) -> list[list[dict[str, object]]]:
    """Return what is on record of the holds of the events that were held."""
    return [run("journal", "show", name, "--json").document["holds"] for name in ("p2", "p3")]


def test_aggregates_come_back_with_payloads(told: Run, tmp_path: Path) -> None:
    """From an export that was made before, for order counts again then."""
    copy = tmp_path / "copy.jsonl"
    told("journal", "export", str(copy), *HERE)
    told("journal", "purge", *HERE)

    assert told("journal", "import", str(copy), "--json").document["brought_back"] == 8

    entries = told("journal", "list", "--json").document["entries"]
    assert {each["aggregate"] for each in entries} == {f"A:{SECRET.text}"}
