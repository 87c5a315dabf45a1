"""What was done to grants is on record for ever, also where an older program granted."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from eventsync_adapters.schema import VERSIONS
from eventsync_adapters.sqlite import _migrate as migrating
from eventsync_adapters.sqlite import open_for_reading, open_stores
from eventsync_core.stores import Stores
from eventsync_core.testing import make_stub_target

_TARGET = make_stub_target()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Return where the database is."""
    return tmp_path / "eventsync.db"


@pytest.mark.parametrize("change", ["DELETE FROM grant_acts", "UPDATE grant_acts SET actor = 'x'"])
def test_nobody_changes_the_record(path: Path, change: str) -> None:
    """Not even through a plain connection."""
    with open_stores(path) as stores:
        stores.targets.register(_TARGET, at=1)
        stores.grants.grant(
            _TARGET.target_id, "s", from_position=0, actor="me", reason="test", at=1
        )
        before = stores.grants.acts(_TARGET.target_id)
        with (
            closing(sqlite3.connect(path)) as connection,
            pytest.raises(sqlite3.IntegrityError, match="done to grants"),
        ):
            connection.execute(change)
        assert stores.grants.acts(_TARGET.target_id) == before


def told(stores: Stores | None) -> list[tuple[int, str, str, int, str, str, int, int]]:
    """Return the acts on record, oldest first."""
    assert stores is not None
    acts = stores.grants.acts(_TARGET.target_id)[::-1]
    return [
        (
            act.number,
            act.stream,
            act.act.value,
            act.at,
            act.actor,
            act.reason,
            act.from_position,
            act.generation,
        )
        for act in acts
    ]


def test_a_grant_of_an_older_program_is_on_record(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As far as it says so itself, in order of time; what follows is numbered on."""
    with monkeypatch.context() as patch:
        patch.setattr(migrating, "VERSIONS", VERSIONS[: VERSIONS.index("0007_grants")])
        with open_stores(path) as older:
            for stream in ("a", "b"):
                older.journal.next_lamport(stream)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(
            """
            INSERT INTO targets (target_no, target_id, kind, url, url_hash, team, user_name, paused,
                                 first_seen_at, last_seen_at)
            VALUES (1, ?, ?, ?, '', '', '', '', 1, 1)
            """,
            (_TARGET.target_id, _TARGET.kind.value, _TARGET.url),
        )
        add = "INSERT INTO grants VALUES (1, ?, ?, 0, ?, ?, ?, ?, ?, '')"
        connection.execute(add, (1, 3, 4, "ann", "asked", 10, 30))
        connection.execute(add, (2, 0, 1, "bob", "too", 20, None))
        connection.commit()
    expected = [
        (1, "a", "granted", 10, "ann", "asked", 3, 3),
        (2, "b", "granted", 20, "bob", "too", 0, 1),
        (3, "a", "revoked", 30, "", "", 3, 4),
    ]

    # A store of an older program is only looked at as a copy.
    with open_for_reading(path) as stores:  # type: ignore[union-attr]
        assert told(stores) == expected
    with open_stores(path) as stores:
        assert told(stores) == expected
        grant = stores.grants.get(_TARGET.target_id, "a")
        assert grant is not None
        assert (grant.revoked_at, grant.revoked_by, grant.revoked_reason) == (30, "", "")
        stores.grants.revoke(_TARGET.target_id, "b", actor="me", reason="test", at=40)
        assert told(stores)[3:] == [(4, "b", "revoked", 40, "me", "test", 0, 2)]
