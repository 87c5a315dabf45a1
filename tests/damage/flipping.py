"""One bit of one file is flipped, and every command is asked what it makes of it."""

import contextlib
import io
import json
import os
import shutil
import sqlite3
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import attrs

from eventsync_cli.__main__ import main
from tests.cli.listeners import Heard

EVENTS = {
    f"e{n}": json.dumps(
        {
            "event_id": f"e{n}",
            "event_type": "WPCreated",
            "aggregate_id": f"WP{n % 3}",
            "project_uuid": f"project-{n % 2}",
            "payload": {"words": f"what was captured as {n}"},
        }
    )
    for n in range(12)
}
COMMANDS = (
    ("sync", "status", "--json"),
    ("sync", "status", "--check", "--json"),
    ("journal", "verify", "--json"),
    ("sync", "doctor", "--json"),
    ("target", "list", "--json"),
    ("journal", "list", "--json", "--project", "project-1"),
    ("sync", "now", "--json"),
    ("sync", "now", "--json"),
    ("sync", "retry", "--json"),
    ("journal", "show", "e3", "--json"),
    ("journal", "quarantine", "--damaged", "--json"),
    ("sync", "now", "--json"),
)


def ran(*words: str) -> tuple[int, str, str]:
    """Run one command in this process; return its code, and what it wrote."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = main(list(words))
    return code, out.getvalue(), err.getvalue()


@attrs.frozen
class Home:
    """A home that has seen a little of everything, kept as it was."""

    place: Path
    whole: Path

    def fresh(self) -> None:
        """Put everything back as it was."""
        shutil.rmtree(self.place, ignore_errors=True)
        shutil.copytree(self.whole, self.place)

    def flip(self, name: str, byte: int, bit: int) -> None:
        """Flip one bit of one file."""
        path = self.place / name
        content = bytearray(path.read_bytes())
        content[byte] ^= 1 << bit
        path.write_bytes(content)

    def files(self) -> dict[str, bytes]:
        """Return all there is."""
        return {
            str(path.relative_to(self.whole)): path.read_bytes()
            for path in sorted(self.whole.rglob("*"))
            if path.is_file()
        }


def make_home(folder: Path, url: str, *, wal: bool = False) -> Home:
    """
    Return a home with entries that are delivered, rejected, owed and held; *url* is the target.

    Where it is a WAL file, the last entries stand in the files beside it only.
    """
    home = Home(folder / "home", folder / "whole")
    os.environ["SPEC_KITTY_HOME"] = str(home.place)
    lines = [text + "\n" for text in EVENTS.values()]
    first, then = folder / "first.jsonl", folder / "then.jsonl"
    first.write_text("".join(lines[:6]))
    then.write_text("".join(lines[6:]))
    steps = [
        ("capture", str(first)),
        ("sync", "mode", "EXTERNAL_RECEIVER", "--endpoint", f"{url}/events"),
        ("target", "grant", "--project", "project-0"),
        ("target", "grant", "--project", "project-1"),
        ("sync", "now"),
        ("journal", "verify", "--incremental"),
    ]
    for step in steps:
        ran(*step)
    database = home.place / "eventsync" / "eventsync.db"
    with closing(sqlite3.connect(database)) as connection:
        if wal:
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("SELECT count(*) FROM entries").fetchall()
        ran("capture", str(then))
        ran("journal", "hold", "e7")
        shutil.copytree(home.place, home.whole)
    return home


def answer(heard: Heard) -> tuple[int, Mapping[str, str], bytes]:
    """Take every event but `e2`, which is rejected."""
    ids = [event["event_id"] for event in json.loads(heard.body)["events"]]
    results = [
        {"event_id": name, "status": "rejected" if name == "e2" else "success"} for name in ids
    ]
    return 200, {}, json.dumps({"results": results}).encode()


def not_captured(heard: list[Heard]) -> list[bytes]:
    """Return the bodies that hold anything but events exactly as they were captured."""
    return [each.body for each in heard if each.body and not _is_captured(each.body)]


def _is_captured(body: bytes) -> bool:
    try:
        ids = [event["event_id"] for event in json.loads(body)["events"]]
        return body == ('{"events":[' + ",".join(EVENTS[name] for name in ids) + "]}").encode()
    except (ValueError, KeyError):
        return False


def strange(home: Home) -> list[str]:
    """Run every command, and return what none of them should have done."""
    found = []
    for words in COMMANDS:
        code, out, err = ran(*words)
        what = f"{' '.join(words)} -> {code}"
        if code == 1 or "Traceback" in out + err:
            found.append(f"{what}: {err[-1500:]}")
        elif out.count("\n") != 1 or not (_is_told(words) or _agrees(out, code)):
            found.append(f"{what}: {out[:300]}")
        elif code not in (0, 3) and not _has_code(json.loads(out)):
            found.append(f"{what}: no code in {out[:300]}")
    return found


def _is_told(words: tuple[str, ...]) -> bool:
    """Say whether the command only tells what is not coherent; `--check` fails for it."""
    return words == ("sync", "status", "--json")


def _agrees(out: str, code: int) -> bool:
    return json.loads(out)["ok"] is (code == 0)


def _has_code(document: dict[str, Any]) -> bool:
    return bool(document.get("error") or document.get("reasons") or "check" in str(document))
