import os
import subprocess
import sys
from pathlib import Path

import pytest

from eventsync_cli.demo import make_lines
from tests.cli.bad_input import fails
from tests.cli.conftest import Run

READING = [
    ("sync", "status"),
    ("sync", "now"),
    ("sync", "mode"),
    ("sync", "server"),
    ("sync", "doctor"),
    ("target", "list"),
    ("journal", "list"),
    ("journal", "verify"),
]


@pytest.mark.parametrize("words", READING)
@pytest.mark.parametrize("before", [True, False])
def test_looking_at_a_fresh_home_makes_nothing(
    run: Run, home: Path, words: tuple[str, ...], *, before: bool
) -> None:
    """One JSON object, exit 0, no file; --json may stand on either side."""
    ran = run("--json", *words) if before else run(*words, "--json")

    assert ran.code == 0
    assert ran.document["ok"] is True
    assert not home.exists()


@pytest.mark.parametrize(
    "words",
    [
        ("capture", "--nope"),
        ("nope",),
        (),
        ("sync",),
        ("sync", "mode", "NOPE"),
        ("sync", "mode", "EXTERNAL_RECEIVER"),
        ("sync", "mode", "EXTERNAL_RECEIVER", "--endpoint", "ftp://h"),
        ("sync", "mode", "EXTERNAL_RECEIVER", "--endpoint", "https://u:p@h"),
        ("sync", "mode", "TEAMSPACE"),
        ("sync", "server", "http://far.example"),
        ("sync", "server", "https://h", "--token", "s3cret"),
        ("sync", "now", "--budget-events", "many"),
        ("sync", "now", "--budget-seconds", "nan"),
        ("sync", "now", "--budget-seconds", "inf"),
        ("sync", "now", "--budget-seconds", "1e400"),
        ("sync", "now", "--budget-seconds", "1e308"),
        ("sync", "status", "--project", "a\nb"),
        ("capture", "--project", "\x1b[31m"),
        ("journal", "show", "unknown"),
        ("journal", "list", "--after", "x"),
        ("target", "grant", "tgt_0"),
        ("serve",),
        ("journal", "export", "-"),
    ],
)
def test_usage_errors_are_64_and_json(run: Run, home: Path, words: tuple[str, ...]) -> None:
    """Every misunderstanding has a code, a message and a fix, and writes nothing."""
    ran = run(*words, "--json")

    assert ran.code == 64
    error = ran.document["error"]
    assert ran.document["ok"] is False
    assert error["code"]
    assert error["message"]
    assert set(error["fix"]) in ({"argv"}, {"text"})
    assert "s3cret" not in ran.out + ran.err
    assert not (home / "config.toml").exists()


@pytest.mark.parametrize(
    "words",
    [
        ("sync", "gc", "--target"),
        ("journal", "hold"),
        ("journal", "quarantine"),
        ("journal", "show"),
    ],
)
def test_words_that_are_no_utf_8(run: Run, words: tuple[str, ...]) -> None:
    """Also where a word may be given several times."""
    fails(run, *words, "a\udcff", code=64, error="usage")


def test_errors_for_people_are_two_lines(run: Run) -> None:
    """The message with its code, and a fix; nothing on stdout."""
    ran = run("sync", "mode", "NOPE")

    assert ran.out == ""
    first, second = ran.err.splitlines()
    assert first.startswith("eventsync: unknown sync mode 'NOPE'")
    assert first.endswith("[mode_unknown]")
    assert second.startswith("fix: ")


def test_home_may_stand_on_either_side(run: Run, home: Path, tmp_path: Path, events: Path) -> None:
    """--home wins over the environment, the later mention over the earlier."""
    run("--home", str(tmp_path / "a"), "capture", str(events), "--home", str(tmp_path / "b"))

    assert not home.exists()
    assert not (tmp_path / "a").exists()
    assert (tmp_path / "b" / "eventsync" / "eventsync.db").exists()


def test_help_lists_all_commands_without_importing_them() -> None:
    """The table is written from names alone."""
    code = (
        "import sys; from eventsync_cli.__main__ import main; main(['sync', '--help']);"
        "assert not [m for m in sys.modules if m.startswith('eventsync_cli.commands')]"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert all(word in ran.stdout for word in ("doctor", "mode", "now", "server", "status"))


def test_version_imports_nothing_else() -> None:
    """The version costs nearly nothing."""
    code = (
        "import sys; from eventsync_cli.__main__ import main; main(['--version']);"
        "assert not {'click', 'attrs', 'attr', 'json', 'sqlite3'} & set(sys.modules)"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert ran.stdout == "eventsync 0.1.0\n"


def test_capture_stays_lean(tmp_path: Path, events: Path) -> None:
    """One capture imports none of the heavy packages, nor what only delivery needs."""
    heavy = (
        "{'httpx', 'structlog', 'rich', 'sqlite_utils', 'cattrs', 'importlib.metadata',"
        "'eventsync_core.ledger', 'eventsync_core.receivers', 'eventsync_core.migration'}"
    )
    code = (
        "import sys; from eventsync_cli.__main__ import main;"
        f"main(['capture', {str(events)!r}, '--home', {str(tmp_path / 'h')!r}]);"
        f"assert not {heavy} & set(sys.modules), {heavy} & set(sys.modules)"
    )

    subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)


def test_a_reader_that_goes_away_is_no_error(home: Path, tmp_path: Path) -> None:
    """A closed pipe neither shows a traceback nor changes the exit code."""
    many = tmp_path / "many.jsonl"
    many.write_text("".join(f'{{"event_id":"{n:0150}"}}\n' for n in range(1_000)))
    reading, writing = os.pipe()
    os.close(reading)
    program = [sys.executable, "-m", "eventsync_cli"]
    subprocess.run([*program, "capture", str(many)], check=True, capture_output=True)
    ran = subprocess.run(
        [*program, "journal", "list", "--limit", "1000"],
        stdout=writing,
        stderr=subprocess.PIPE,
        check=False,
    )
    os.close(writing)

    assert (ran.returncode, ran.stderr) == (0, b"")


def test_journal_pages(run: Run, events: Path) -> None:
    """Pages follow each other by next_after, beside the exact count."""
    run("capture", str(events))
    run("capture", str(events), "--project", "p")
    seen: list[str] = []
    after: list[str] = []
    while True:
        page = run("journal", "list", "--limit", "7", "--json", *after).document
        seen += [entry["event_id"] for entry in page["entries"]]
        assert page["entries_count"] == 20
        if page["next_after"] is None:
            break
        after = ["--after", page["next_after"]]

    assert seen == [f"e{n}" for n in range(20)]


def test_verify_names_the_first_flaw(run: Run, events: Path) -> None:
    """A sound journal verifies entry by entry."""
    run("capture", str(events))

    found = run("journal", "verify", "--json").document

    assert (found["verified"], found["broken_count"]) == (20, 0)


def test_demo(run: Run, home: Path) -> None:
    """Both receivers hold the very bytes captured, and nothing is left behind."""
    ran = run("demo", "--json")

    assert ran.code == 0
    assert all(each["is_identical"] for each in ran.document["receivers"])
    assert not home.exists()
    assert make_lines(5) == make_lines(5)
