"""A home with files of old programs, and the command that brings them home."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import attrs
import pytest

from eventsync_adapters.sqlite import open_for_reading
from eventsync_cli.__main__ import main
from eventsync_core.journal import Entry


@attrs.frozen
class Ran:
    """How a command ended, and the JSON object that it answered with."""

    code: int
    document: Any
    err: str


@attrs.frozen
class Scene:
    """A home at `place`; `run` runs a command in it."""

    place: Path
    run: Callable[..., Ran]

    @property
    def queue(self) -> Path:
        """The queue that belonged to nobody."""
        return self.place / "queue.db"

    def scoped(self, digest: str) -> Path:
        """Return where the queue of *digest* is."""
        return self.place / "queues" / f"queue-{digest}.db"

    def migrate(self, *words: str) -> Ran:
        """Run `sync migrate`; a dry run just before says the same and changes nothing."""
        preview = self.run("sync", "migrate", "--dry-run", *words)
        ran = self.run("sync", "migrate", *words)
        assert _comparable(preview.document) == _comparable(ran.document)
        assert preview.code == ran.code
        return ran

    def check_sound(self) -> None:
        """Nobody who looks at all of it finds any damage."""
        verified = self.run("journal", "verify")
        assert (verified.code, verified.document["references"]["broken"]) == (0, [])
        found = self.run("sync", "doctor", "--thorough").document
        assert [each for each in found["findings"] if each["severity"] == "error"] == []

    def entries(self) -> dict[str, Entry]:
        """Return all that is stored, by id."""
        stores = open_for_reading(self.place / "eventsync" / "eventsync.db")
        if stores is None:
            return {}
        with stores:
            return {
                entry.event.event_id: entry
                for head in stores.journal.heads()
                for entry in stores.journal.entries(head.stream, limit=1_000_000)
            }


def _comparable(document: Any) -> Any:
    if isinstance(document, dict):
        left_out = {"dry_run", "number"}
        return {key: _comparable(value) for key, value in document.items() if key not in left_out}
    if isinstance(document, list):
        return sorted((_comparable(each) for each in document), key=repr)
    return document


@pytest.fixture
def scene(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> Scene:
    for name in ("SPEC_KITTY_SAAS_URL", "SPEC_KITTY_ENABLE_SAAS_SYNC", "PERSISTENCE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.delenv("PERSIST_DB_PATH", raising=False)
    place = tmp_path / "home"
    place.mkdir()

    def run(*words: str) -> Ran:
        capfd.readouterr()
        code = main(["--home", str(place), "--json", *map(str, words)])
        out, err = capfd.readouterr()
        assert "Traceback" not in err
        assert out.count("\n") == 1, out + err
        return Ran(code, json.loads(out), err)

    return Scene(place, run)
