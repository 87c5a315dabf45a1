import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import attrs
import pytest

from eventsync_adapters import machine
from eventsync_adapters.server import Serving, serve
from eventsync_cli.__main__ import main
from tests.cli.schema_of import check_answer

_VARIABLES = (
    "SPEC_KITTY_SAAS_URL",
    "SPEC_KITTY_ENABLE_SAAS_SYNC",
    "PERSISTENCE",
    "PERSIST_DB_PATH",
    "NO_COLOR",
    *(name for base in ("HTTP", "HTTPS", "ALL", "NO") for name in (f"{base}_PROXY",)),
    *(name for base in ("http", "https", "all", "no") for name in (f"{base}_proxy",)),
)


@attrs.frozen
class Ran:
    """How a command ended, and what it wrote."""

    code: int
    out: str
    err: str

    @property
    def document(self) -> Any:
        """The one JSON object on stdout."""
        assert self.out.count("\n") == 1
        found = json.loads(self.out)
        assert found["schema"] == 1
        return found


Run = Callable[..., Ran]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in _VARIABLES:
        monkeypatch.delenv(name, raising=False)
    place = tmp_path / "home"
    monkeypatch.setenv("SPEC_KITTY_HOME", str(place))
    return place


@pytest.fixture
def run(home: Path, capfd: pytest.CaptureFixture[str]) -> Run:
    def act(*arguments: str) -> Ran:
        capfd.readouterr()
        code = main([str(argument) for argument in arguments])
        out, err = capfd.readouterr()
        assert "Traceback" not in err
        if "--json" in arguments and out.startswith("{"):
            check_answer([str(argument) for argument in arguments], out)
        return Ran(code, out, err)

    return act


@pytest.fixture
def events(tmp_path: Path) -> Path:
    """Twenty events of no project."""
    path = tmp_path / "events.jsonl"
    path.write_text("".join(f'{{"event_id": "e{n}", "n": {n}}}\n' for n in range(20)))
    return path


@pytest.fixture
def receiver() -> Iterator[Serving]:
    with serve(None, clock=machine.now) as serving:
        serving.start()
        yield serving


@pytest.fixture
def mission(tmp_path: Path) -> Path:
    """A mission with three artifacts and files that are none."""
    place = tmp_path / "mission"
    (place / "research").mkdir(parents=True)
    (place / "spec.md").write_bytes("# spec ü\r\n".encode())
    (place / "plan.md").write_bytes(b"# plan\n")
    (place / "research" / "a.csv").write_bytes(b"a,b\n")
    (place / "research" / "b.md").write_bytes(b"\xff\xfe")
    (place / "research" / "c.py").write_bytes(b"pass")
    (place / "tasks.md").write_bytes(b"x" * 524_289)
    (place / "README.md").write_bytes(b"x")
    return place


@pytest.fixture
def teamspace(run: Run, receiver: Serving, monkeypatch: pytest.MonkeyPatch) -> Serving:
    """A Teamspace to which the project's stream is granted."""
    monkeypatch.setenv("SPEC_KITTY_ENABLE_SAAS_SYNC", "1")
    monkeypatch.setenv("TOKEN", "a-token-value")
    project = ("--project", "0F8FAD5B-d9cb-469f-a165-70867728950e")
    token = ("--token", "env:TOKEN")
    chosen = run("sync", "server", receiver.url, "--team", "t", *token, *project)
    assert chosen.code == 0
    return receiver
