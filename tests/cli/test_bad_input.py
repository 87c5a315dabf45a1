"""Input that is broken: every line that can be stored is, and the rest is named."""

import gzip
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.cli.bad_input import PROGRAM, fails, keeps
from tests.cli.conftest import Run

GOOD = b'{"event_id": "good%d"}'


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """Where the input is."""
    return tmp_path / "input.jsonl"


def captured(run: Run, source: Path) -> Any:
    """Capture *source* and return the document."""
    return run("capture", str(source), "--json").document


def test_input_that_cannot_be_opened(run: Run, events: Path, tmp_path: Path) -> None:
    """A missing file, a folder, a path through a file, a name that is too long: all exit 64."""
    run("capture", str(events))
    for place in (tmp_path / "missing", tmp_path, events / "below", tmp_path / ("n" * 300)):
        ran = fails(run, "capture", str(place), code=64, error="input_unusable")
        assert str(place) in ran.document["error"]["message"]
    keeps(run, 20)


def test_a_file_that_may_not_be_read(
    run: Run, events: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Permission denied is exit 64 like any other input that cannot be opened."""
    run("capture", str(events))
    plain = Path.open

    def refuse(self: Path, *arguments: Any, **more: Any) -> Any:
        if self == events:
            raise PermissionError(13, "Permission denied")
        return plain(self, *arguments, **more)

    monkeypatch.setattr(Path, "open", refuse)

    fails(run, "capture", str(events), code=64, error="input_unusable")
    keeps(run, 20)


def test_reading_that_fails_in_the_middle(
    run: Run, events: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What came before the fault is stored; the fault is named with the line reached."""

    class Failing:
        def __init__(self) -> None:
            self.left = [b'{"event_id": "a"}\n{"event_id": "b"}\n{"event', None]

        def read1(self, _: int) -> bytes:
            piece = self.left.pop(0)
            if piece is None:
                raise OSError(5, "Input/output error")
            return piece

    monkeypatch.setattr(sys, "stdin", type("Stdin", (), {"buffer": Failing()}))

    ran = run("capture", "--json")

    assert (ran.code, ran.document["stored"]) == (3, 2)
    (item,) = ran.document["refused"]
    assert (item["line"], item["code"]) == (2, "input_broke_off")
    assert "Input/output error" in item["message"]
    keeps(run, 2)


@pytest.mark.parametrize("kind", ["cut", "crc", "head only"])
def test_damaged_gzip(run: Run, events: Path, source: Path, kind: str) -> None:
    """What could be read is stored and verified; the rest is one refused item."""
    run("capture", str(events))
    lines = b"".join(b'{"event_id":"g%d","x":"%x"}\n' % (n, 7**n) for n in range(2_000))
    raw = bytearray(gzip.compress(lines, mtime=0))
    if kind == "cut":
        raw = raw[: len(raw) // 2]
    elif kind == "crc":
        raw[-5] ^= 0xFF
    else:
        raw = raw[:10]
    source.write_bytes(raw)

    found = captured(run, source)

    assert [item["code"] for item in found["refused"]] == ["input_broke_off"]
    assert found["refused"][0]["line"] == found["stored"] == found["lines"]
    fails(run, "capture", str(source), code=3, error="lines_left")
    keeps(run, 20 + found["stored"])
    source.write_bytes(gzip.compress(lines))
    assert captured(run, source)["stored"] == 2_000 - found["stored"]


def test_gzip_damaged_in_the_middle(run: Run, source: Path) -> None:
    """Whatever came out of the damage, the end says that the data is damaged."""
    lines = b"".join(b'{"event_id":"g%d"}\n' % n for n in range(2_000))
    raw = bytearray(gzip.compress(lines, mtime=0))
    raw[len(raw) // 2 : len(raw) // 2 + 40] = b"\xff" * 40
    source.write_bytes(raw)

    found = fails(run, "capture", str(source), code=3, error="lines_left").document

    assert found["refused"][-1]["code"] == "input_broke_off"
    keeps(run, found["duplicates"])


BAD_LINES = {
    "not UTF-8": (b'{"event_id": "\xff"}', "not_json"),
    "a surrogate in UTF-8": (b'{"event_id": "\xed\xa0\x80"}', "not_json"),
    "UTF-16": ('{"event_id": "a"}'.encode("utf-16-le"), "not_json"),
    "a NUL byte": (b'{"event_id": "a\0b"}', "not_json"),
    "NUL bytes only": (b"\0" * 10, "not_json"),
    "text": (b"hello", "not_json"),
    "cut off": (b'{"event_id": "a"', "not_json"),
    "two objects": (b'{"event_id": "a"} {"event_id": "b"}', "not_json"),
    "an array": (b'[{"event_id": "a"}]', "not_json"),
    "NaN": (b'{"event_id": "a", "x": NaN}', "not_json"),
    "nothing but brackets": (b"[" * 30_000, "not_json"),
    "no id": (b'{"id": "a"}', "no_event_id"),
    "a null id": (b'{"event_id": null}', "no_event_id"),
    "an empty id": (b'{"event_id": ""}', "no_event_id"),
    "a number as id": (b'{"event_id": 7}', "no_event_id"),
    "an object as id": (b'{"event_id": {"a": 1}}', "no_event_id"),
    "an id of 201": (b'{"event_id": "%s"}' % (b"a" * 201), "no_event_id"),
    "an id with a newline": (b'{"event_id": "a\\nb"}', "no_event_id"),
    "an id with a NUL": (b'{"event_id": "a\\u0000"}', "no_event_id"),
    "an id with a lone surrogate": (b'{"event_id": "a\\ud800"}', "no_event_id"),
}


@pytest.mark.parametrize("kind", BAD_LINES)
def test_a_bad_line_harms_no_other(run: Run, source: Path, kind: str) -> None:
    """It is refused with its number and a word, before and after it all is stored."""
    line, code = BAD_LINES[kind]
    source.write_bytes(b"\n".join([GOOD % 1, line, GOOD % 2]))

    found = fails(run, "capture", str(source), code=3, error="lines_left").document

    assert (found["duplicates"], found["lines"]) == (2, 3)
    assert [(item["line"], item["code"]) for item in found["refused"]] == [(2, code)]
    assert len(found["refused"][0]["message"]) < 200
    keeps(run, 2)


def test_unusual_but_good_lines(run: Run, source: Path) -> None:
    """CRLF, blank lines, a byte order mark and a missing last newline are no faults."""
    source.write_bytes(
        b"\xef\xbb\xbf" + GOOD % 1 + b"\r\n   \t \r\n\n" + b'  {"event_id" : "b" }  \r\n' + GOOD % 3
    )

    found = captured(run, source)

    assert (found["ok"], found["stored"], found["lines"]) == (True, 3, 5)
    shown = run("journal", "show", "b", "--json").document
    assert shown["text"].strip() == '{"event_id" : "b" }'
    source.write_bytes(b" \n\t\n\r\n\n")
    assert captured(run, source)["stored"] == 0
    source.write_bytes(b"")
    assert captured(run, source)["lines"] == 0
    keeps(run, 3)


HELD = {
    "deep": b'{"event_id": "h", "x": ' + b"[" * 30_000 + b"]" * 30_000 + b"}",
    "deep objects": b'{"event_id": "h", "x": ' + b'{"a":' * 8_000 + b"1" + b"}" * 8_001,
    "duplicate keys": b'{"event_id": "h", "a": 1, "a": 2}',
    "duplicate keys below": b'{"event_id": "h", "x": [{"a": 1, "a": 2}]}',
}


@pytest.mark.parametrize("kind", HELD)
def test_what_is_valid_json_but_unfit_is_held(run: Run, source: Path, kind: str) -> None:
    """It is stored byte for byte with its reason, and offered to nobody."""
    source.write_bytes(HELD[kind])

    found = captured(run, source)

    assert (found["ok"], found["stored"], found["held"]) == (True, 1, 1)
    shown = run("journal", "show", "h", "--json").document
    assert (shown["hold"], shown["text"]) == ("invalid", HELD[kind].decode())
    assert shown["hold_reason"]
    assert captured(run, source)["duplicates"] == 1
    keeps(run, 1)


EXACT = {
    "a huge integer": b'{"event_id": "x", "n": ' + b"9" * 10_000 + b"}",
    "a huge exponent": b'{"event_id": "x", "n": 1e999999, "m": -0.0}',
    "a lone surrogate": b'{"event_id": "x", "event_type": "\\ud800", "t": "\\udfff"}',
    "a NUL escape": b'{"event_id": "x", "event_type": "a\\u0000b", "aggregate_id": "\\u0000"}',
    "an id of 200": b'{"event_id": "x", "other_id": "%s"}' % (b"a" * 200),
    "types all wrong": b'{"event_id":"x","event_type":7,"project_uuid":null,"aggregate_id":{}}',
    "line separators": '{"event_id": "x", "t": "\u2028\u2029\x85"}'.encode(),
}


@pytest.mark.parametrize("kind", EXACT)
def test_strange_values_are_stored_exactly(run: Run, source: Path, kind: str) -> None:
    """No number, escape or letter is rewritten, and every look at it is one JSON object."""
    source.write_bytes(EXACT[kind] + b"\n")

    assert captured(run, source)["stored"] == 1

    shown = run("journal", "show", "x", "--json").document
    assert (shown["text"], shown["hold"]) == (EXACT[kind].decode(), None)
    assert run("journal", "list", "--json").document["entries_count"] == 1
    assert run("journal", "show", "x").code == 0
    keeps(run, 1)


def test_ids_of_one_to_two_hundred_characters(run: Run, source: Path) -> None:
    """Both ends are good, in any script."""
    ids = ["a", "b" * 200, "\U0001f600" * 200, "\u00e9 \u4e2d"]
    source.write_text(
        "".join(json.dumps({"event_id": each}, ensure_ascii=False) + "\n" for each in ids), "utf-8"
    )

    assert captured(run, source)["stored"] == 4
    for each in ids:
        assert run("journal", "show", each, "--json").document["event_id"] == each


MEASURED = """
import sys, tracemalloc
from eventsync_cli.__main__ import main
tracemalloc.start()
code = main(sys.argv[1:])
print(tracemalloc.get_traced_memory()[1], file=sys.stderr)
sys.exit(code)
"""


def test_a_line_of_a_hundred_megabytes(run: Run, home: Path, source: Path) -> None:
    """It is refused by its number within bounded memory; its neighbours are stored."""
    with source.open("wb") as file:
        file.write(GOOD % 1 + b'\n{"event_id": "')
        for _ in range(100):
            file.write(b"x" * 1_000_000)
        file.write(b'"}\n' + GOOD % 2)
    done = subprocess.run(
        [sys.executable, "-c", MEASURED, "capture", str(source), "--json"],
        capture_output=True,
        check=False,
    )
    found = json.loads(done.stdout)

    assert (done.returncode, found["stored"]) == (3, 2)
    assert [(item["line"], item["code"]) for item in found["refused"]] == [(2, "line_too_long")]
    assert int(done.stderr.split()[-1]) < 80 * 1024 * 1024
    keeps(run, 2)


def test_a_pipe_that_never_says_a_newline(run: Run, home: Path) -> None:
    """Compressed a thousandfold, the longest line still meets the same bound."""
    bomb = gzip.compress(b"[" * 70_000_000, compresslevel=1)
    done = subprocess.run(
        [*PROGRAM, "capture", "-", "--json"], input=bomb, capture_output=True, check=False
    )
    found = json.loads(done.stdout)

    assert (done.returncode, found["stored"]) == (3, 0)
    assert [item["code"] for item in found["refused"]] == ["line_too_long"]
    keeps(run, 0)
