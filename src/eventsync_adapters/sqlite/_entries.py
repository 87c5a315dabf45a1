"""Entries as they stand in a row, and what can still be said of one that is damaged."""

from contextlib import suppress
from typing import Any

from eventsync_adapters.sqlite._damaged import Spoilt, digest_of
from eventsync_adapters.sqlite._errors import understood
from eventsync_core.errors import StoreUnreadableError
from eventsync_core.events import Event, Hold, Producer
from eventsync_core.journal import Entry

ENTRY = """
SELECT s.stream, e.position, e.event_id, p.text, e.digest, e.canonical_digest,
       e.size, e.event_type, e.aggregate, h.hold, h.reason, e.chain, e.captured_at,
       w.user_name, w.team, w.installation, g.position
FROM entries e
JOIN streams s ON s.stream_id = e.stream_id
LEFT JOIN payloads p ON p.entry_id = e.entry_id
LEFT JOIN purged g ON g.stream_id = e.stream_id AND g.position = e.position
LEFT JOIN holds h ON h.stream_id = e.stream_id AND h.position = e.position
LEFT JOIN producers w ON w.producer_no = e.producer_no
"""
TEXT, SIZE = 3, 6
_TEXT_OR_NONE = {str, type(None)}


@understood
def entry_of(row: tuple[Any, ...]) -> Entry:
    """Return the entry in a row of `ENTRY`."""
    (
        stream,
        position,
        event_id,
        text,
        digest,
        canonical_digest,
        size,
        event_type,
        aggregate,
        hold,
        hold_reason,
        chain,
        captured_at,
        user,
        team,
        installation,
        purged,
    ) = row
    if not (type(position) is type(size) is type(captured_at) is int and type(event_id) is str):
        raise TypeError("a column holds something else than it was made for")
    if not {type(text), type(event_type), type(aggregate)} <= _TEXT_OR_NONE:
        raise TypeError("a column of text holds something else")
    event = Event(
        event_id,
        text or "",
        bytes.fromhex(digest),
        bytes.fromhex(canonical_digest),
        size,
        event_type,
        aggregate,
        None,
        Hold(hold) if hold else None,
        hold_reason,
    )
    producer = None
    if user is not None:
        producer = Producer(user=user, team=team, installation=installation)
    is_purged = text is None and purged is not None
    return Entry(event, stream, position, bytes.fromhex(chain), captured_at, producer, is_purged)


def readable_entry(row: tuple[Any, ...], damage: str) -> Entry:
    """
    Return the entry in a row of `ENTRY`, of a damaged one what can be read; *damage* says so.

    Raises:
        StoreUnreadableError: Not even its position can be read.
    """
    if not any(isinstance(value, Spoilt) for value in row):
        with suppress(StoreUnreadableError):
            return entry_of(row)
    stream, position, event_id, text, *facts, captured_at, user, team, installation, purged = row
    digest, canonical_digest, size, event_type, aggregate, hold, hold_reason, chain = facts
    if not isinstance(position, int):
        raise StoreUnreadableError(damage)
    event = Event(
        _word(event_id) or "",
        _word(text) or "",
        digest_of(_hex(digest)),
        digest_of(_hex(canonical_digest)),
        _number(size),
        _word(event_type),
        _word(aggregate),
        None,
        None if hold is None else _hold(hold),
        _word(hold_reason),
    )
    return Entry(
        event=event,
        stream=str(stream),
        position=position,
        chain=digest_of(_hex(chain)),
        captured_at=_number(captured_at),
        producer=_producer(user, team, installation),
        is_purged=text is None and purged is not None,
        damage=damage,
    )


def _word(value: object) -> str | None:
    if value is None:
        return None
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)


def _hex(value: object) -> bytes:
    return str(value).encode()


def _producer(*names: object) -> Producer | None:
    if names[0] is None:
        return None
    with suppress(ValueError):
        return Producer(*(_word(name) or "" for name in names))
    return None


def _number(value: object) -> int:
    return value if isinstance(value, int) else 0


def _hold(value: object) -> Hold:
    """Return the hold under that word; what is held for no known reason is held all the same."""
    try:
        return Hold(str(value))
    except ValueError:
        return Hold.QUARANTINED
