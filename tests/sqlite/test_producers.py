"""Who made an event, as it is kept in a file."""

import sqlite3
from contextlib import closing, suppress
from pathlib import Path

import pytest

from eventsync_adapters.schema import VERSIONS
from eventsync_adapters.sqlite import _migrate as migrating
from eventsync_adapters.sqlite import open_for_reading, open_stores
from eventsync_core.capture import CaptureRules, capture_many
from eventsync_core.events import Event, Producer
from eventsync_core.integrity import verify
from eventsync_core.journal import chain_next, chain_start
from eventsync_core.testing import EPOCH, make_envelope, make_event

ANN = Producer(user="ann", team="one", installation="box")


def _append_as_before(path: Path, event: Event) -> None:
    """Store *event* as the program before did."""
    start = chain_start("default")
    chain = chain_next(start, 1, event.event_id, event.digest).hex()
    digests = (event.digest.hex(), event.canonical_digest.hex(), chain)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("INSERT INTO streams VALUES (1, 'default', 1, ?, 0)", (chain,))
        connection.execute(
            "INSERT INTO entries (entry_id, stream_id, position, event_id, captured_at, size,"
            " digest, canonical_digest, chain) VALUES (1, 1, 1, ?, ?, ?, ?, ?, ?)",
            (event.event_id, EPOCH, event.size, *digests),
        )
        connection.execute("INSERT INTO payloads VALUES (1, ?)", (event.text,))
        connection.commit()


@pytest.fixture
def older(path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A store of the version that knew no producers, with one event."""
    with monkeypatch.context() as patch:
        patch.setattr(migrating, "VERSIONS", VERSIONS[: VERSIONS.index("0005_superseding") + 1])
        open_stores(path).close()
    _append_as_before(path, make_event("e1"))
    return path


def test_an_older_store_is_read_as_it_is(older: Path) -> None:
    """Of its events nobody knows who made them; no byte changes."""
    before = older.read_bytes()

    stores = open_for_reading(older)

    assert stores is not None
    with stores:
        (entry,) = stores.journal.entries("default")
        assert (entry.event, entry.producer) == (make_event("e1"), None)
        assert verify(stores.journal, "default").is_intact
    assert older.read_bytes() == before


def test_an_older_store_learns_of_producers(older: Path) -> None:
    """What was there stays as it was, and the chain goes on."""
    with open_stores(older) as stores:
        stores.journal.append("default", [make_event("e1"), make_event("e2")], at=1, producer=ANN)

        entries = stores.journal.entries("default")
        assert [entry.producer for entry in entries] == [None, ANN]
        assert (verify(stores.journal, "default").good, entries[0].captured_at) == (2, EPOCH)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE entries SET producer_no = 2 WHERE position = 1",
        "UPDATE entries SET producer_no = NULL",
        "UPDATE producers SET user_name = 'bob'",
        "UPDATE producers SET producer_no = producer_no + 1",
        "DELETE FROM producers",
    ],
)
def test_who_made_an_event_never_changes(path: Path, statement: str) -> None:
    """Neither beside the entry nor under its number."""
    with open_stores(path) as stores:
        for number, producer in enumerate((ANN, Producer(team="other"))):
            event = make_event(f"e{number}")
            stores.journal.append("default", [event], at=EPOCH, producer=producer)
    with (
        closing(sqlite3.connect(path)) as connection,
        pytest.raises(sqlite3.IntegrityError, match="never"),
    ):
        connection.execute(statement)

    with open_stores(path) as stores:
        entry = stores.journal.find("e0")
        assert entry is not None
        assert entry.producer == ANN


def test_a_producer_is_kept_once(path: Path) -> None:
    """However many events it makes, in however many streams and units of work."""
    rules = CaptureRules(producer=ANN)
    with open_stores(path) as stores:
        for number in range(5):
            texts = [make_envelope(f"{number}-{project}", project_uuid=project) for project in "ab"]
            capture_many(stores, texts, at=EPOCH, rules=rules)
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("SELECT COUNT(*) FROM producers").fetchone() == (1,)


def test_a_producer_of_a_unit_that_failed_is_forgotten(path: Path) -> None:
    """With everything else in it; the next one is kept all the same."""
    with open_stores(path) as stores:
        with suppress(KeyboardInterrupt), stores.atomic():
            stores.journal.append("default", [make_event("e1")], at=EPOCH, producer=ANN)
            raise KeyboardInterrupt
        stores.journal.append("default", [make_event("e2")], at=EPOCH, producer=Producer(user="b"))
        stores.journal.append("default", [make_event("e3")], at=EPOCH, producer=ANN)

        said = [entry.producer for entry in stores.journal.entries("default")]
    assert said == [Producer(user="b"), ANN]


def test_what_is_redacted_never_reaches_the_disk(path: Path) -> None:
    """No file of the store holds a byte of it, also where events were refused or held."""
    secret = "5ecret"

    def redact(envelope: dict[str, object]) -> dict[str, object]:
        if "fail" in envelope:
            raise ValueError(envelope)
        return {key: value for key, value in envelope.items() if value != secret}

    rules = CaptureRules(
        redact=redact,
        validate=lambda found: repr(found),
        keys={"T": (("payload",),)},
        producer=ANN,
    )
    texts = [
        make_envelope("e1", event_type="T", payload=secret),
        make_envelope("e1", event_type="T", x=secret),
        make_envelope("e2", fail=1, x=secret),
        f'{{"event_id":"e3","a":"{secret}","a":"x"}}',
        make_envelope("e4", event_type=secret, project_uuid=secret, aggregate_id=secret),
    ]
    with open_stores(path) as stores:
        for _ in range(2):
            capture_many(stores, texts, at=EPOCH, rules=rules)
        found = [file.read_bytes() for file in path.parent.iterdir()]

    assert found
    assert [part for part in found if secret.encode() in part] == []
