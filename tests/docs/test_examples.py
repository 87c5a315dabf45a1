"""The Python in the documents runs as it stands there."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner

from eventsync_core.ingest import answer_health
from eventsync_core.receivers import Batch, Permit, cloudevents_body
from eventsync_core.targets import Deployment
from tests.docs.conftest import blocks

_EXAMPLES = [
    ("README.md", "example"),
    ("docs/embedding.md", "unit"),
    ("docs/embedding.md", "coalesce"),
    ("docs/embedding.md", "http"),
    ("docs/embedding.md", "transform"),
    ("docs/embed-in-a-cli.md", "app"),
    ("docs/embed-in-a-cli.md", "capture"),
    ("docs/embed-in-a-cli.md", "rules"),
    ("docs/embed-in-a-cli.md", "home-rules"),
    ("docs/embed-in-a-cli.md", "resolve"),
    ("docs/embed-in-a-cli.md", "deliver"),
    ("docs/embed-in-a-cli.md", "export"),
    ("docs/embed-in-a-cli.md", "join"),
    ("docs/embed-in-a-cli.md", "tests"),
    ("docs/telemetry.md", "observe"),
    ("docs/what-leaves-the-machine.md", "hooks"),
]


def _text(root: Path, page: str, name: str) -> str:
    (text,) = (block.text for block in blocks(root / page) if block.mark == f"python: {name}")
    return text


@pytest.mark.parametrize(("page", "name"), _EXAMPLES)
def test_an_example_runs(root: Path, plain_environment: Path, page: str, name: str) -> None:
    """In an empty folder, with warnings as errors, without output."""
    ran = subprocess.run(
        [sys.executable, "-W", "error", "-c", _text(root, page, name)],
        cwd=plain_environment,
        capture_output=True,
        text=True,
        check=False,
    )

    assert (ran.returncode, ran.stdout, ran.stderr) == (0, "", "")


@pytest.mark.usefixtures("plain_environment")
def test_a_command_mounted_with_typer_forwards_everything(
    root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Options, output and exit code are those of eventsync."""
    names: dict[str, Any] = {"__name__": "typer_host"}
    code = compile(_text(root, "docs/embed-in-a-cli.md", "typer"), "embed-in-a-cli.md", "exec")
    exec(code, names)  # noqa: S102 - the example of our own document

    ends = []
    home = ["--home", str(tmp_path)]
    for arguments in (
        [*home, "--json", "sync", "mode"],
        ["sync", "mode", "X"],
        [*home, "journal", "show", "--", "--an-id"],
    ):
        with pytest.raises(SystemExit) as caught:
            names["app"](["events", *arguments])
        ends.append(caught.value.code)

    shown = capsys.readouterr()
    assert json.loads(shown.out)["mode"] == "LOCAL_RETENTION"
    assert ends == [0, 64, 64]
    assert "--an-id is stored here" in shown.err


@pytest.mark.usefixtures("plain_environment")
def test_a_mounted_command_forwards_everything(
    root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Options, output and exit code are those of eventsync."""
    names: dict[str, object] = {}
    code = compile(_text(root, "docs/embed-in-a-cli.md", "mount"), "embed-in-a-cli.md", "exec")
    exec(code, names)  # noqa: S102 - the example of our own document
    events = names["events"]
    assert isinstance(events, click.Command)

    done = CliRunner().invoke(events, ["--home", str(tmp_path), "--json", "sync", "mode"])
    failed = CliRunner().invoke(events, ["sync", "mode", "NONSENSE"])
    apart = CliRunner().invoke(events, ["--home", str(tmp_path), "journal", "show", "--", "--id"])

    captured = capsys.readouterr()
    printed = done.output or captured.out
    assert "--id is stored here" in apart.output + captured.err
    assert json.loads(printed)["mode"] == "LOCAL_RETENTION"
    assert (done.exit_code, failed.exit_code) == (0, 64)


def test_every_example_is_run(root: Path) -> None:
    """No Python block of the documents is left out."""
    pages = [root / "README.md", *sorted((root / "docs").glob("*.md"))]
    found = {
        (page.relative_to(root).as_posix(), block.mark)
        for page in pages
        for block in blocks(page)
        if block.kind == "python"
    }

    known = {(page, f"python: {name}") for page, name in _EXAMPLES}
    mounted = {("docs/embed-in-a-cli.md", f"python: {name}") for name in ("mount", "typer")}
    assert found == known | mounted


def test_the_health_document_is_what_the_server_says(root: Path) -> None:
    """The contract shows the document of a deployment that says nothing of itself."""
    found = blocks(root / "docs/batch-contract.md")
    (text,) = (block.text for block in found if block.mark == "example: health")

    assert json.loads(text) == answer_health(Deployment())


def test_the_cloudevent_is_what_is_sent(root: Path) -> None:
    """The contract shows the body for the envelope that is its data."""
    found = blocks(root / "docs/batch-contract.md")
    (text,) = (block.text for block in found if block.mark == "example: cloudevents")
    shown = json.loads(text)
    envelope = json.dumps(shown[0]["data"])

    body = cloudevents_body(Batch(Permit("t", "default", 1), ("e-1",), (envelope,)))

    assert json.loads(body) == shown
