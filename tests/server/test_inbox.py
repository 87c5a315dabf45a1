"""The inbox in a file."""

import sqlite3
import stat
import sys
from contextlib import closing
from pathlib import Path
from threading import Thread

import pytest

from eventsync_adapters.server import SqliteInbox
from eventsync_core.ingest import Inbox, Kept, MemoryInbox


def open_inbox(path: Path) -> SqliteInbox:
    return SqliteInbox(path, clock=lambda: 7)


def test_it_agrees_with_the_one_in_memory(tmp_path: Path) -> None:
    """New, known, twice in one batch, paged: the same answers."""
    batches = [
        [("a", "1"), ("b", "2"), ("a", "3")],
        [],
        [("c", "4"), ("b", "5")],
        [(f"n{number}", str(number)) for number in range(1_200)],
        [(f"n{number}", str(number)) for number in range(1_100, 1_300)],
    ]
    with open_inbox(tmp_path / "r.db") as subject:
        model = MemoryInbox()
        both: tuple[Inbox, Inbox] = (subject, model)

        for batch in batches:
            assert subject.take(batch) == model.take(batch)

        for page in [(0, 2), (1, 1), (1_303, 5), (0, 5_000)]:
            one, other = (inbox.received(after=page[0], limit=page[1]) for inbox in both)
            assert one == other
        assert subject.count() == model.count() == 1_303
        assert subject.get("a") == model.get("a") == "1"
        assert subject.get("z") is model.get("z") is None


def test_what_was_taken_is_there_after_reopening(tmp_path: Path) -> None:
    """Exactly the text, line breaks and all characters included."""
    text = '{"event_id": "a",\r\n "t": "é\u2028\U0001f600"}'
    with open_inbox(tmp_path / "r.db") as inbox:
        inbox.take([("a", text)])

    with open_inbox(tmp_path / "r.db") as inbox:
        assert [Kept(1, "a", text)] == inbox.received()
        assert inbox.take([("a", "other")]) == [False]


def test_the_table_can_be_read_by_others(tmp_path: Path) -> None:
    """Names and types of the columns are public."""
    with open_inbox(tmp_path / "r.db") as inbox:
        inbox.take([("a", "x")])

    with closing(sqlite3.connect(tmp_path / "r.db")) as connection:
        rows = connection.execute("SELECT seq, event_id, text, received_at FROM received")
        assert rows.fetchall() == [(1, "a", "x", 7)]


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such modes")
def test_only_this_user_can_read_it(tmp_path: Path) -> None:
    """Mode 0600."""
    with open_inbox(tmp_path / "r.db"):
        assert stat.S_IMODE((tmp_path / "r.db").stat().st_mode) == 0o600


def test_a_batch_is_stored_whole_or_not_at_all(tmp_path: Path) -> None:
    """What cannot be stored takes its batch with it; the inbox works on."""
    with open_inbox(tmp_path / "r.db") as inbox:
        with pytest.raises(UnicodeEncodeError):
            inbox.take([("a", "x"), ("b", "\ud800")])

        assert inbox.count() == 0
        assert inbox.take([("a", "x")]) == [True]


def test_threads_do_not_lose_or_double_anything(tmp_path: Path) -> None:
    """Each id is new exactly once."""
    answers: list[bool] = []
    events = [(str(number), "x") for number in range(50)]
    with open_inbox(tmp_path / "r.db") as inbox:
        threads = [Thread(target=lambda: answers.extend(inbox.take(events))) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

        assert inbox.count() == 50
    assert answers.count(True) == 50


def test_a_file_that_is_no_database_is_not_touched(tmp_path: Path) -> None:
    """The error is the driver's, the file stays."""
    (tmp_path / "r.db").write_bytes(b"no database" * 100)

    with pytest.raises(sqlite3.DatabaseError):
        open_inbox(tmp_path / "r.db")

    assert (tmp_path / "r.db").read_bytes() == b"no database" * 100
