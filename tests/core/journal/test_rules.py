"""The rules every journal calls."""

from hashlib import sha256

from eventsync_core.events import Event
from eventsync_core.journal import Appended, Known, chain_next, chain_start, reconcile
from eventsync_core.testing import make_event


def _known(event: Event) -> Known:
    return Known(event.event_id, "first", 7, event.canonical_digest)


def test_the_chain_begins_with_the_stream() -> None:
    """The format's name and the stream's, hashed."""
    assert sha256(b"eventsync/1\n\xc3\xbc").digest() == chain_start("ü")


def test_the_chain_binds_position_id_and_payload() -> None:
    """Previous chain, position as 8 bytes, id in UTF-8 and payload digest, hashed."""
    start, digest = chain_start("a"), make_event("ü").digest
    joined = start + b"\0\0\0\0\0\0\1\2" + "ü".encode() + digest

    assert sha256(joined).digest() == chain_next(start, 258, "ü", digest)


def test_equal_content_is_a_duplicate() -> None:
    """It stands where the first one stands."""
    event = make_event("e1", x=1)

    assert Appended("e1", "first", 7, "duplicate") == reconcile(_known(event), event)


def test_other_content_is_a_conflict() -> None:
    """It names where the first one stands."""
    found = reconcile(_known(make_event("e1", x=1)), make_event("e1", x=2))

    assert Appended("e1", "first", 7, "conflict") == found
