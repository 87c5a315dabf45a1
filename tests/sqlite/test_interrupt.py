"""An interrupt at a bad moment leaves no transaction open and no doubt about what is stored."""

from pathlib import Path

import pytest

from eventsync_adapters.sqlite import is_in_unit, open_stores
from eventsync_adapters.sqlite._connection import Database
from eventsync_core.testing import make_event


def test_an_interrupt_right_after_begin_undoes_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The store works again, and so does a second one on the same file."""
    path = tmp_path / "eventsync.db"
    with open_stores(path) as stores, open_stores(path, busy_seconds=0) as other:
        run = Database.run

        def interrupted(self: Database, sql: str, values: tuple[object, ...] = ()) -> int:
            result = run(self, sql, values)
            if sql.startswith("BEGIN"):
                raise KeyboardInterrupt
            return result

        with monkeypatch.context() as patched:
            patched.setattr(Database, "run", interrupted)
            with pytest.raises(KeyboardInterrupt):
                stores.journal.append("default", [make_event("e1")], at=1)

        assert not is_in_unit()
        assert stores.journal.append("default", [make_event("e2")], at=1)[0].position == 1
        assert other.journal.append("default", [make_event("e3")], at=1)[0].position == 2


def test_a_unit_is_known_while_it_is_open(tmp_path: Path) -> None:
    """From before BEGIN until after COMMIT, so that a signal handler can wait."""
    with open_stores(tmp_path / "eventsync.db") as stores:
        assert not is_in_unit()
        with stores.atomic():
            assert is_in_unit()
        assert not is_in_unit()
