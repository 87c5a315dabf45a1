"""A flipped bit lets nothing go that may not: not granted, revoked, held or altered."""

import json
import os
import random
import shutil
from pathlib import Path

import pytest

from tests.cli.listeners import Listener, listening
from tests.damage.flipping import EVENTS, Home, ran
from tests.damage.test_flipped_bits import plain, spots

__all__ = ["plain"]

_FEW, _MANY = 40, 1_500
_STREAM_OF = {name: ("open", "secret", "never")[number % 3] for number, name in enumerate(EVENTS)}


def make_home(folder: Path, url: str) -> Home:
    """Return a home with streams that are granted, revoked and neither, and a held event."""
    home = Home(folder / "home", folder / "whole")
    os.environ["SPEC_KITTY_HOME"] = str(home.place)
    lines = [
        json.dumps({**json.loads(EVENTS[name]), "project_uuid": stream}) + "\n"
        for name, stream in _STREAM_OF.items()
    ]
    first, then = folder / "first.jsonl", folder / "then.jsonl"
    first.write_text("".join(lines[:6]))
    then.write_text("".join(lines[6:]))
    for step in (
        ("capture", str(first)),
        ("sync", "mode", "EXTERNAL_RECEIVER", "--endpoint", f"{url}/events"),
        ("target", "grant", "--project", "open"),
        ("target", "grant", "--project", "secret"),
        ("sync", "now"),
        ("target", "revoke", "--project", "secret"),
        ("capture", str(then)),
        ("journal", "hold", "e9"),
    ):
        ran(*step)
    # That note alone would keep the revoked stream here.
    shutil.rmtree(home.place / "eventsync" / "revoked", ignore_errors=True)
    shutil.copytree(home.place, home.whole)
    return home


def sent(listener: Listener) -> list[str]:
    """Return what left, each as it was captured, with its stream."""
    bodies = [json.loads(each.body)["events"] for each in listener.heard if each.body]
    return [event["event_id"] for events in bodies for event in events if _is_whole(event)]


def _is_whole(event: dict[str, object]) -> bool:
    name = str(event["event_id"])
    captured = {**json.loads(EVENTS[name]), "project_uuid": _STREAM_OF[name]}
    assert event == captured
    return True


@pytest.mark.parametrize(
    ("seed", "count"), [(1, _FEW), pytest.param(2, _MANY, marks=pytest.mark.long)]
)
@pytest.mark.timeout(1200)
def test_a_flipped_bit_frees_nothing(plain: None, tmp_path: Path, seed: int, count: int) -> None:
    """Only what is granted ever leaves: `e6` is owed, `e0` and `e3` were delivered before."""
    print(f"seed {seed}")  # noqa: T201
    with listening() as listener:
        home = make_home(tmp_path, listener.url)
        listener.heard.clear()
        home.fresh()
        ran("sync", "now")
        assert sent(listener) == ["e6"]
        for name, byte, bit in spots(home, random.Random(seed), count):
            home.fresh()
            listener.heard.clear()
            home.flip(name, byte, bit)

            ran("sync", "now")

            assert set(sent(listener)) <= {"e0", "e3", "e6"}, (seed, name, byte, bit)
