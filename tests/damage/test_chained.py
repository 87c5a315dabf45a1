"""What does not follow from the entry before it is damaged, and does not leave."""

from hashlib import sha256
from pathlib import Path

import pytest

from eventsync_adapters.server import Serving
from tests.cli.conftest import Run
from tests.damage.damaging import beside_its_indexes, unguarded

_EVIL = '{"event_id": "e3", "evil": 1}'
_ALTERED = [
    (
        """
        UPDATE payloads SET text = ?
        WHERE entry_id = (SELECT entry_id FROM entries WHERE event_id = 'e3')
        """,
        (_EVIL,),
    ),
    (
        "UPDATE entries SET digest = ?, canonical_digest = ? WHERE event_id = 'e3'",
        (
            sha256(_EVIL.encode()).hexdigest(),
            sha256(_EVIL.replace(": ", ":").replace(", ", ",").encode()).hexdigest(),
        ),
    ),
]
# Each row in the place of the other: the index leads from e3's place to the other's row.
_SWAPPED = """
UPDATE entries SET (event_id, digest, canonical_digest, chain) =
    (SELECT o.event_id, o.digest, o.canonical_digest, o.chain FROM entries o
     WHERE o.event_id IN ('e3', 'secret') AND o.event_id <> entries.event_id)
WHERE event_id IN ('e3', 'secret')
"""
_SWAPPED_TEXTS = """
WITH both (entry_id, text) AS MATERIALIZED (
    SELECT p.entry_id, p.text FROM payloads p JOIN entries e ON e.entry_id = p.entry_id
    WHERE e.event_id IN ('e3', 'secret'))
UPDATE payloads SET text = (SELECT text FROM both WHERE both.entry_id <> payloads.entry_id)
WHERE entry_id IN (SELECT entry_id FROM both)
"""
_OTHER_CHAIN = [("UPDATE entries SET chain = ? WHERE event_id = 'e3'", ("ab" * 32,))]
_NO_CHAIN = [("UPDATE entries SET chain = ? WHERE event_id = 'e3'", ("xy",))]


@pytest.fixture
def database(run: Run, home: Path, events: Path) -> Path:
    """Twenty events are captured."""
    run("capture", str(events))
    return home / "eventsync" / "eventsync.db"


@pytest.mark.parametrize("changes", [_ALTERED, _OTHER_CHAIN, _NO_CHAIN])
def test_what_does_not_follow_is_not_sent(
    run: Run, database: Path, receiver: Serving, changes: list[tuple[str, tuple[str, ...]]]
) -> None:
    """All others are; what is found before is one entry, which is set aside, not all behind it."""
    unguarded(database, *changes)

    run("sync", "mode", "EXTERNAL_RECEIVER", "--endpoint", receiver.url)
    counts = run("sync", "now", "--json").document["counts"]
    (named,) = run("journal", "quarantine", "e3", "--dry-run", "--json").document["entries"]
    (found,) = run("journal", "quarantine", "--damaged", "--json").document["entries"]

    assert counts["delivered"] == 19
    assert found["event_id"] == named["event_id"] == "e3"


def test_what_stands_behind_many_altered_chains_is_sent(
    run: Run, database: Path, receiver: Serving
) -> None:
    """What verify calls good goes, and neither command sets it aside; all else stays."""
    altered = "UPDATE entries SET chain = ? || substr(chain, 3) WHERE position BETWEEN 2 AND 11"
    unguarded(database, (altered, ("ab",)))

    (stream,) = run("journal", "verify", "--json").document["streams"]
    every = run("journal", "quarantine", "--damaged", "--dry-run", "--json").document["entries"]
    listed = run("journal", "list", "--json").document["entries"]
    names = (f"e{n}" for n in range(20))
    named = run("journal", "quarantine", *names, "--dry-run", "--json").document["entries"]
    run("sync", "mode", "EXTERNAL_RECEIVER", "--endpoint", receiver.url)
    counts = run("sync", "now", "--json").document["counts"]

    assert (stream["bad"], stream["good"], stream["good_after"]) == (10, 10, 9)
    assert [each["position"] for each in every] == list(range(2, 12))
    assert every == named
    # A list does not follow the chain.
    assert [each["damaged"] for each in listed] == [None] * 20
    assert (counts["delivered"], counts["terminal_failed"]) == (10, 10)


def test_a_row_that_an_index_puts_into_another_stream_is_not_sent(
    run: Run, database: Path, receiver: Serving, tmp_path: Path
) -> None:
    """What stands there is left out, and what seems to follow from it."""
    other = tmp_path / "other.jsonl"
    other.write_text('{"event_id":"secret","project_uuid":"never"}\n')
    run("capture", str(other))
    run("sync", "mode", "EXTERNAL_RECEIVER", "--endpoint", receiver.url)
    unguarded(database, (_SWAPPED_TEXTS, ()))
    beside_its_indexes(database, "entries", _SWAPPED)

    ran = run("sync", "now", "--json")

    assert ran.document["counts"]["delivered"] == 18
    assert run("journal", "verify").code == 5
