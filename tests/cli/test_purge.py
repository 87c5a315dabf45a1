"""`journal purge`: nothing of a project's content is left in any byte of the home."""

import json
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from eventsync_adapters import machine
from eventsync_adapters.server import serve
from eventsync_adapters.sqlite import open_stores
from eventsync_cli.commands import journal_purge
from eventsync_cli.compose import App
from eventsync_core.ledger import Lease
from eventsync_core.receivers import Script
from tests.cli.bad_input import check_told
from tests.cli.canaries import Canary, leaks_of_files
from tests.cli.conftest import Run
from tests.legacy import journal_era

PROJECT = "0f8fad5b-d9cb-469f-a165-70867728950e"
SECRET = Canary("zyzzogeton", "-", "quetzalcoatlus")


def text(number: int, **more: object) -> str:
    """Return an event of the project that holds the secret."""
    return json.dumps(
        {"event_id": f"p{number}", "project_uuid": PROJECT.upper(), "x": SECRET.text * 9, **more}
    )


def test_copies_in_the_home_are_named(run: Run, home: Path, tmp_path: Path) -> None:
    """They hold what was erased; doctor and the support bundle know them too."""
    lines, copy = tmp_path / "secret.jsonl", tmp_path / "copy.db"
    lines.write_text(text(1))
    run("capture", str(lines))
    run("journal", "backup", str(copy))
    put_aside = run("journal", "restore", str(copy), "--replace", "--json").document["put_aside"]
    unfinished = home / "eventsync" / ".eventsync-unfinished-0011223344556677"
    unfinished.write_bytes(copy.read_bytes())
    purge = ("--project", PROJECT, "journal", "purge", "--json")
    expected = [str(unfinished), put_aside]

    would = run(*purge, "--dry-run")
    did = run(*purge)

    assert (would.code, would.document["copies"]) == (0, expected)
    assert (did.code, did.document["error"]["code"]) == (3, "copies_left")
    assert (did.document["copies"], did.document["copies_count"]) == (expected, 2)
    codes = [each["code"] for each in run("sync", "doctor", "--json").document["findings"]]
    assert codes == ["copies_left"]
    assert run("sync", "support-bundle", str(tmp_path / "bundle.json")).code == 0
    shown = (tmp_path / "bundle.json").read_text()
    assert all(Path(each).name in shown for each in expected)

    for each in expected:
        Path(each).unlink()
    assert run(*purge).code == 0


@pytest.fixture
def filled(
    run: Run, home: Path, events: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Run:
    """A home that holds the secret wherever one can stand; return how to run a command."""
    home.mkdir()
    monkeypatch.chdir(tmp_path)
    lines = tmp_path / "secret.jsonl"
    lines.write_text("\n".join(text(number) for number in range(300)))
    with closing(sqlite3.connect(home / "queue.db")) as queue, queue:
        queue.execute(
            "CREATE TABLE queue (id INTEGER PRIMARY KEY AUTOINCREMENT, event_id TEXT UNIQUE "
            "NOT NULL, event_type TEXT NOT NULL, data TEXT NOT NULL, timestamp INTEGER NOT NULL, "
            "retry_count INTEGER DEFAULT 0, beside TEXT)"
        )
        rows = [("p1", text(1)), ("p2", text(2, other=1)), ("bad", SECRET.text + PROJECT)]
        queue.executemany(
            "INSERT INTO queue (event_id, event_type, data, timestamp, beside) "
            "VALUES (?, 'T', ?, 1, ?)",
            [(*row, SECRET.text) for row in rows],
        )
    asked = journal_era.target()
    journal_era.targets(home, [asked])
    failed = {"status": "rejected", "last_error": SECRET.text}
    journal_era.ledger(home, [journal_era.delivery("p4", asked["target_id"], **failed)])
    body = tmp_path / "spec.md"
    body.write_text(f"# {SECRET.text}")
    script = Script(events={"p3": {"status": "rejected", "error": SECRET.text}})
    with serve(None, clock=machine.now, script=script) as receiver:
        receiver.start()
        run("capture", str(events))
        run("capture", str(lines))
        run("sync", "migrate")
        added = run(
            *("body", "add", body.name, "--project", PROJECT, "--mission", "m"),
            *("--mission-type", "t", "--manifest-version", "1"),
        )
        assert added.code == 0, added.err
        run("sync", "mode", "EXTERNAL_RECEIVER", "--endpoint", receiver.url)
        run("target", "grant", "--project", PROJECT)
        run("sync", "now")
    (asked_now,) = (
        each["target_id"]
        for each in run("target", "list", "--json").document["targets"]
        if each["kind"] == "external_receiver"
    )
    run("sync", "gc", "--apply", "--keep", "290", "--target", asked_now)
    (home / "queue.db").unlink()
    shutil.rmtree(home / "delivery")
    return run


def test_no_byte_is_left(filled: Run, home: Path) -> None:
    """The preview counts what the act does; others stay; ids and outcomes are known."""
    assert leaks_of_files(home, [SECRET])
    outcomes = filled("target", "show", "--json").document["grants"]

    preview = filled("journal", "purge", "--project", PROJECT, "--dry-run", "--json").document
    assert leaks_of_files(home, [SECRET])
    ran = filled("journal", "purge", "--project", PROJECT, "--json")

    done = ran.document
    assert ran.code == 0, ran.err
    assert {**preview, "dry_run": False} == done
    assert done["payloads"] >= 290
    assert (done["set_aside"], done["bodies"]) == (2, 1)
    assert done["provenance"] >= 1
    assert done["words"] >= 1
    assert leaks_of_files(home, [SECRET]) == {}
    assert filled("journal", "verify").code == 0
    assert filled("journal", "export", "-").out.count("\n") == 20
    shown = filled("journal", "show", "p3", "--json").document
    assert (shown["text"], shown["purged"]["act"]) == (None, "purge")
    acts = filled("audit", "purges", "--json").document["purges"]
    assert [each["act"] for each in acts] == ["gc", "purge"]
    assert acts[1]["detail"] == PROJECT
    after = filled("target", "show", "--json").document["grants"]
    delivered = [grant["classes"]["delivered"] for grant in outcomes]
    assert [grant["classes"]["delivered"] for grant in after] == delivered
    again = filled("journal", "purge", "--project", PROJECT, "--json").document
    assert sum(value for value in again.values() if type(value) is int) - 1 == 0


def test_no_byte_is_left_in_wal_mode(run: Run, home: Path, events: Path, tmp_path: Path) -> None:
    """Its log, which stays while anybody has the database open, is emptied."""
    database, lines = home / "eventsync" / "eventsync.db", tmp_path / "secret.jsonl"
    run("capture", str(events))
    lines.write_text("\n".join(text(number) for number in range(300)))
    with closing(sqlite3.connect(database)) as somebody:
        somebody.execute("PRAGMA journal_mode = WAL")
        somebody.execute("SELECT head FROM streams").fetchall()
        run("capture", str(lines))
        assert database.with_name("eventsync.db-wal").stat().st_size
        assert leaks_of_files(home, [SECRET])

        assert run("journal", "purge", "--project", PROJECT).code == 0

        assert leaks_of_files(home, [SECRET]) == {}
        assert database.with_name("eventsync.db-wal").stat().st_size == 0


def test_other_projects_stay(run: Run, home: Path) -> None:
    """A project whose name is a piece of other names takes nothing of theirs along."""
    home.mkdir()
    with closing(sqlite3.connect(home / "queue.db")) as queue, queue:
        queue.execute(
            "CREATE TABLE queue (id INTEGER PRIMARY KEY AUTOINCREMENT, event_id TEXT UNIQUE "
            "NOT NULL, event_type TEXT NOT NULL, data TEXT NOT NULL, timestamp INTEGER NOT NULL, "
            "retry_count INTEGER DEFAULT 0)"
        )
        for name in ("alpha", "alpha2", "beta"):
            whole = json.dumps({"event_id": f"{name}-e", "project_uuid": name})
            broken = f'{{"event_id": "bad-{name}", "project_uuid": "{name}", "oops'
            queue.executemany(
                "INSERT INTO queue (event_id, event_type, data, timestamp) VALUES (?, 'T', ?, 1)",
                [(f"{name}-e", whole), (f"bad-{name}", broken)],
            )
    run("sync", "migrate", "--take-quarantined")

    nobody = run("journal", "purge", "--project", "e")
    error = run("journal", "purge", "--project", "e", "--json").document["error"]
    ran = run("journal", "purge", "--project", "alpha", "--json").document

    check_told(nobody, 64, "project_unknown")
    assert "alpha, alpha2, beta" in nobody.err
    assert "alpha2" in run(*error["fix"]["argv"][1:]).out
    assert (ran["payloads"], ran["provenance"], ran["set_aside"]) == (1, 1, 1)
    rows = run("journal", "quarantine", "--json").document["set_aside"]
    assert [row["event_id"] for row in rows] == ["bad-alpha2", "bad-beta"]
    assert run("journal", "show", "alpha2-e", "--json").document["came_from"]
    with open_stores(home / "eventsync" / "eventsync.db") as stores:
        assert [head.stream for head in stores.journal.heads()] == ["alpha", "alpha2", "beta"]


def test_what_is_captured_again_afterwards(run: Run, tmp_path: Path) -> None:
    """It is not kept, which is said, and how to bring it back; also where nothing is retained."""
    lines = tmp_path / "again.jsonl"
    lines.write_text(text(1) + "\n")
    run("capture", str(lines))
    run("journal", "purge", "--project", PROJECT)

    plain, said = run("capture", str(lines)), run("capture", str(lines), "--json").document
    assert plain.out.endswith("payloads gone 1: journal import brings them back\n")
    assert (said["duplicates"], said["payloads_gone"]) == (1, 1)

    back = run("journal", "import", str(lines), "--json").document
    assert back["brought_back"] == 1
    assert run("audit", "purges", "--json").document["purges"][-1]["act"] == "import"
    assert run("capture", str(lines), "--json").document["payloads_gone"] == 0


def test_without_a_project(run: Run) -> None:
    """It erases nothing by default."""
    check_told(run("journal", "purge"), 64, "usage")


def test_while_somebody_sends_it(filled: Run, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is erased, and it is said who is at work; also who began since it was looked."""
    target = filled("target", "list", "--json").document["targets"][0]["target_id"]
    with open_stores(home / "eventsync" / "eventsync.db") as stores:
        lease = stores.leases.acquire(target, PROJECT, machine.this_process(), at=machine.now())
        assert isinstance(lease, Lease)
        ran = filled("journal", "purge", "--project", PROJECT, "--json")
        assert (ran.code, ran.document["error"]["code"]) == (3, "busy")
        assert sum(value for value in ran.document.values() if type(value) is int) - 1 == 0
        said = filled("journal", "purge", "--project", PROJECT)
        assert "nothing is erased; there are: payloads 2" in said.out
        monkeypatch.setattr(journal_purge, "sender_of", lambda *_, **__: None)
        later = filled("journal", "purge", "--project", PROJECT, "--json")
        assert (later.code, later.document["error"]["code"]) == (3, "busy")
        assert "nothing is erased" in later.document["error"]["message"]
        assert sum(value for value in later.document.values() if type(value) is int) - 1 == 0
        stores.leases.release(lease)

    assert leaks_of_files(home, [SECRET])


def test_what_cannot_be_compacted_is_told(
    filled: Run, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Exit 3, and the command it names does the rest."""
    with monkeypatch.context() as patched:
        patched.setattr("shutil.disk_usage", lambda _: type("Usage", (), {"free": 0})())
        ran = filled("journal", "purge", "--project", PROJECT, "--json")
    assert (ran.code, ran.document["error"]["code"]) == (3, "not_compacted")

    assert filled(*ran.document["error"]["fix"]["argv"][1:]).code == 0

    assert leaks_of_files(home, [SECRET]) == {}


def test_interrupted(run: Run, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It does not say that all is kept; done again it erases what is left."""
    (tmp_path / "secret.jsonl").write_text(text(1))
    run("capture", str(tmp_path / "secret.jsonl"))

    def interrupted(_: App) -> None:
        raise KeyboardInterrupt

    purge = ("--project", PROJECT, "journal", "purge")
    with monkeypatch.context() as patched:
        patched.setattr(App, "compact", interrupted)
        ran = check_told(run(*purge), 3, "interrupted")

    assert "what is erased stays so" in ran.err
    assert run(*purge).code == 0
    assert leaks_of_files(home, [SECRET]) == {}


def test_where_the_database_is_a_link(run: Run, home: Path, tmp_path: Path) -> None:
    """Copies stand beside what it leads to."""
    (tmp_path / "real").mkdir()
    (tmp_path / "secret.jsonl").write_text(text(1))
    run("capture", str(tmp_path / "secret.jsonl"))
    run("journal", "backup", str(tmp_path / "copy.db"))
    database = home / "eventsync" / "eventsync.db"
    database.rename(tmp_path / "real" / "store.db")
    database.symlink_to(tmp_path / "real" / "store.db")
    restored = run("journal", "restore", str(tmp_path / "copy.db"), "--replace", "--json")

    ran = run("--project", PROJECT, "journal", "purge", "--json")

    assert (ran.code, ran.document["copies"]) == (3, [restored.document["put_aside"]])


@pytest.mark.parametrize(
    "table",
    ["provenance", "set_aside", "bodies", "body_contents", "payloads", "past_deliveries"],
)
def test_nothing_else_can_erase(filled: Run, home: Path, table: str) -> None:
    """A plain connection cannot, whichever table it tries."""
    with closing(sqlite3.connect(home / "eventsync" / "eventsync.db")) as stranger:
        assert stranger.execute(f"SELECT COUNT(*) FROM {table}").fetchone() != (0,)  # noqa: S608
        with pytest.raises(sqlite3.IntegrityError, match=r"never|record"):
            stranger.execute(f"DELETE FROM {table}")  # noqa: S608


def test_only_words_can_be_taken_out_of_the_past(filled: Run, home: Path) -> None:
    """Not without the permit, and with it nothing else."""
    assert filled("journal", "verify").code == 0
    with closing(sqlite3.connect(home / "eventsync" / "eventsync.db")) as stranger:
        with pytest.raises(sqlite3.IntegrityError, match="never changes"):
            stranger.execute("UPDATE past_deliveries SET error = ''")
        stranger.execute(
            "UPDATE purging SET is_whole = 1, stream_id = (SELECT stream_id FROM past_deliveries)"
        )
        for change in ("status = 'success'", "error = 'x'", "attempts = attempts + 1"):
            with pytest.raises(sqlite3.IntegrityError, match="never changes"):
                stranger.execute(f"UPDATE past_deliveries SET {change}")  # noqa: S608
        assert stranger.execute("UPDATE past_deliveries SET error = ''").rowcount == 1
