"""How a target stands in its table."""

import re
import sqlite3
from contextlib import closing
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from eventsync_adapters.sqlite import open_stores
from eventsync_core.targets import BackOff, Kind, make_target

URL = "https://[::1]:8443/in?key=1"


def rows(path: Path, query: str) -> list[tuple[Any, ...]]:
    """Run *query* through a plain connection."""
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute(query).fetchall()


@pytest.mark.requirement("R2")
def test_the_same_target_again_is_seen_again(path: Path) -> None:
    """One row with its first id, and the time of the last sight moves."""
    with open_stores(path) as stores:
        for at, spelling in ((5, URL), (9, "HTTPS://[0:0::1]:8443/in/?key=1")):
            stores.targets.register(make_target(Kind.EXTERNAL, spelling), at=at)
        stores.targets.set_back_off(
            make_target(Kind.EXTERNAL, URL).target_id, BackOff(failures=1, retry_at=7, reason="x")
        )

    found = rows(path, "SELECT target_id, first_seen_at, last_seen_at FROM targets")
    assert found == [(make_target(Kind.EXTERNAL, URL).target_id, 5, 9)]


@pytest.mark.requirement("R8")
def test_the_hash_of_an_url_is_that_of_its_one_spelling(path: Path) -> None:
    """SHA-256, in 64 hexadecimal digits."""
    with open_stores(path) as stores:
        stores.targets.register(make_target(Kind.EXTERNAL, "HTTPS://One.example:443/in/"), at=1)

    ((found,),) = rows(path, "SELECT url_hash FROM targets")
    assert found == sha256(b"https://one.example/in").hexdigest()
    assert re.fullmatch("[0-9a-f]{64}", found)


@pytest.mark.requirement("R2")
def test_the_database_itself_refuses_a_second_row(path: Path) -> None:
    """Kind, hash of the URL, team and user are unique together."""
    with open_stores(path) as stores:
        stores.targets.register(make_target(Kind.TEAMSPACE, URL, team="t", user="u@e"), at=1)

    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TEMP TABLE other AS SELECT * FROM targets")
        connection.execute("UPDATE other SET target_no = 2, target_id = 'tgt_other'")
        with pytest.raises(sqlite3.IntegrityError, match="url_hash"):
            connection.execute("INSERT INTO targets SELECT * FROM other")
