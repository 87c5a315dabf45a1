"""One damaged entry is named by every command that meets it, and hides no other."""

import gzip
from pathlib import Path

import pytest

from eventsync_adapters.server import Serving
from tests.cli.conftest import Ran, Run
from tests.damage.damaging import spoil, unguarded
from tests.damage.test_quarantine import classes, deliver

NOT_UTF8 = b'{"event_id": "e3", "n": "\xff"}'
OTHER = '{"event_id": "e3", "n": 4}'
TEXTS = {"not UTF-8": NOT_UTF8, "another text": OTHER, "empty": "", "missing": None}


@pytest.fixture
def database(run: Run, home: Path, events: Path) -> Path:
    """Twenty events are stored."""
    run("capture", str(events))
    return home / "eventsync" / "eventsync.db"


def damage(database: Path, text: bytes | str | None) -> None:
    """Let *text* stand where that of e3 stood, or with None nothing."""
    if text is None:
        unguarded(database, ("DELETE FROM payloads WHERE entry_id = 4", ()))
    else:
        spoil(database, ["e3"], text)


def damage_column(database: Path, column: str) -> None:
    """Let no UTF-8 stand in a column of the entry of e3."""
    sql = f"UPDATE entries SET {column} = CAST(x'ff' AS TEXT) WHERE event_id = 'e3'"  # noqa: S608
    unguarded(database, (sql, ()))


def check_left_out(ran: Ran, done: str) -> None:
    """It ended with exit 3, and named the only entry that was left out."""
    assert ran.code == 3, ran.err
    assert f"not {done}, for their text is missing or damaged: 1 events" in ran.err
    assert "  default:4  e3  " in ran.err + ran.out


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_a_damaged_text(
    run: Run, database: Path, tmp_path: Path, text: bytes | str | None, receiver: Serving
) -> None:
    """It is named in the list, left out of an export and an archive; all else goes on."""
    before = run("journal", "export", "-").out.splitlines()
    damage(database, text)

    listed = run("journal", "list", "--json").document["entries"]
    assert [each["event_id"] for each in listed if each["damaged"]] == ["e3"]
    assert listed[3]["damaged"]["flaw"] in ("digest", "unreadable")
    shown = run("journal", "show", "e3", "--json")
    assert (shown.code, shown.document["damaged"]) == (0, listed[3]["damaged"])
    assert run("journal", "show", "e3").code == 0
    assert run("sync", "status").code == 0

    exported = run("journal", "export", "-")
    check_left_out(exported, "exported")
    assert exported.out.splitlines() == [*before[:3], *before[4:]]

    deliver(run, receiver)
    out = tmp_path / "out.jsonl.gz"
    preview = run("sync", "archive", str(out), "--include-undelivered", "--dry-run", "--json")
    done = run("sync", "archive", str(out), "--include-undelivered", "--json")
    assert (preview.code, done.code) == (3, 3)
    for name in ("archived", "archived_bytes", "undelivered", "damaged", "damaged_count"):
        assert preview.document[name] == done.document[name]
    assert (done.document["archived"], done.document["damaged_count"]) == (19, 1)
    assert done.document["damaged"][0]["position"] == 4
    kept = gzip.decompress(out.read_bytes()).decode().splitlines()
    assert [line for line in kept if "eventsync_manifest" not in line] == [
        *before[:3],
        *before[4:],
    ]
    tombs = [each["purged"] for each in run("journal", "list", "--json").document["entries"]]
    assert tombs == [True] * 3 + [False] + [True] * 16


def test_an_archive_of_nothing_but_damage(run: Run, database: Path, tmp_path: Path) -> None:
    """No file is made, and nothing goes."""
    spoil(database, [f"e{n}" for n in range(20)], OTHER)

    ran = run("sync", "archive", str(tmp_path / "a.gz"), "--include-undelivered", "--json")

    assert (ran.code, ran.document["archived"], ran.document["damaged_count"]) == (3, 0, 20)
    assert not (tmp_path / "a.gz").exists()


@pytest.mark.parametrize("column", ["event_id", "event_type", "aggregate"])
def test_a_damaged_column(
    run: Run, database: Path, tmp_path: Path, column: str, receiver: Serving
) -> None:
    """What is noted of an event hides no other; its text is whole, and goes out."""
    before = run("journal", "export", "-").out
    damage_column(database, column)

    listed = run("journal", "list", "--json").document["entries"]
    assert [each["position"] for each in listed if each["damaged"]] == [4]
    assert run("journal", "show", "e4").code == 0
    exported = run("journal", "export", "-")
    assert (exported.code, exported.out) == (0, before)
    assert run("sync", "gc", "--json").code == 0
    assert run("journal", "quarantine", "--damaged", "--json").document["quarantined"] == 1
    assert deliver(run, receiver)["delivered"] == 19
    assert classes(run) == {"delivered": 19, "quarantined": 1}
    archived = run("sync", "archive", str(tmp_path / "a.gz"), "--json").document["archived"]
    assert archived == (19 if column == "event_id" else 0)


def test_a_damaged_reason(run: Run, database: Path) -> None:
    """Words that cannot be read any more keep nobody from being listed or let go."""
    run("journal", "hold", "e3", "--reason", "mine")
    unguarded(database, ("UPDATE holds SET reason = CAST(x'ff' AS TEXT)", ()))

    assert run("journal", "list", "--json").document["entries"][3]["hold"] == "operator"
    assert run("journal", "show", "e3").code == 0
    assert run("journal", "release", "e3", "--json").document["released"] == 1
    assert run("journal", "show", "e3", "--json").document["damaged"] is None


def test_an_id_that_is_another(run: Run, database: Path, tmp_path: Path) -> None:
    """Its text is not archived: taken in again it would be an event of its own."""
    unguarded(database, ("UPDATE entries SET event_id = 'x' WHERE event_id = 'e3'", ()))
    out = tmp_path / "out.gz"

    ran = run("sync", "archive", str(out), "--include-undelivered")

    assert ran.code == 3, ran.err
    assert "default:4  x  the text names another event_id" in ran.err + ran.out
    assert run("journal", "import", str(out), "--json").document["stored"] == 0


def test_a_text_that_became_bytes(run: Run, database: Path, tmp_path: Path) -> None:
    """The lines of an export mend it too."""
    out = tmp_path / "lines.jsonl"
    assert run("journal", "export", str(out)).code == 0
    turned = "UPDATE payloads SET text = CAST(text AS BLOB) WHERE entry_id = 4"
    unguarded(database, (turned, ()))
    assert run("journal", "verify").code == 5

    assert run("journal", "import", str(out), "--json").document["brought_back"] == 1
    assert run("journal", "verify").code == 0
    journal = run("sync", "status", "--json").document["event_journal"]
    assert journal["retained_event_count"] == 20
