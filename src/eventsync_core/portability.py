"""Captured events as lines, exactly as they are stored; a line tells by itself what it is."""

from collections.abc import Callable, Iterator
from hashlib import sha256

import attrs

from eventsync_core.codec import parse_event_text, write_document
from eventsync_core.errors import NotJsonError, StoreUnreadableError
from eventsync_core.journal import Entry, Head, Journal

__all__ = ["TEXT_KEY", "Exported", "export", "line_of", "wanted_heads"]

TEXT_KEY = "eventsync_text"
"""An object with this key at its top is no envelope: it carries one, as a string."""

_EVENTS_AT_ONCE = 1_000
_BYTES_AT_ONCE = 1_048_576
_ESCAPED_ASCII = "\\u00"


@attrs.frozen(kw_only=True)
class Exported:
    """
    What went out: `events` of `streams`; `other_streams` hold events that were not asked for.

    `without_text` counts entries whose text is not there any more; they are left out.
    """

    events: int = 0
    streams: int = 0
    other_streams: int = 0
    without_text: int = 0


def line_of(event_id: str, text: str) -> str:
    """
    Return the line that stands for an event in an export, with the line feed that ends it.

    It is *text* itself. A text with a line break goes as an object with `event_id` and, under
    `TEXT_KEY`, the text as a string; so does one that has this key at its top itself. A line
    with that key at its top therefore always carries an envelope, and any other line is one.
    """
    if "\n" in text or "\r" in text or _looks_carried(text):
        return write_document({"event_id": event_id, TEXT_KEY: text}) + "\n"
    return text + "\n"


def _looks_carried(text: str) -> bool:
    # Without the key's letters, plain or escaped, it cannot be there: nothing has to be parsed.
    if TEXT_KEY not in text and _ESCAPED_ASCII not in text:
        return False
    try:
        return TEXT_KEY in parse_event_text(text).top
    except NotJsonError:
        return True


def wanted_heads(journal: Journal, stream: str | None) -> tuple[list[Head], int]:
    """Return the heads of *stream*, or with None of all that hold events; and how many others."""
    heads = [head for head in journal.heads() if head.position]
    wanted = [head for head in heads if stream in (None, head.stream)]
    return wanted, len(heads) - len(wanted)


def export(
    journal: Journal,
    write: Callable[[str], object],
    *,
    stream: str | None = None,
    progress: Callable[[int], None] | None = None,
) -> Exported:
    """
    Hand the events of *stream*, or with None of all streams, to *write* and say how many.

    Streams come in order of their names, events in order of their positions, held ones too.
    Each call of *write* gets whole lines, see `line_of`. What is captured meanwhile is left out.
    While *write* runs no statement is open; in memory are a mebibyte of text and one event at
    most. *progress* is called with the number of events that went out.

    Raises:
        StoreUnreadableError: A text is not the one that was captured; what came before went out.
        StoreError: The journal cannot be read.
    """
    wanted, others = wanted_heads(journal, stream)
    events = streams = 0
    for head in wanted:
        before = events
        for page in _pages(journal, head):
            write("".join(line_of(entry.event.event_id, _checked(entry)) for entry in page))
            events += len(page)
            if progress is not None:
                progress(events)
        streams += events > before
    return Exported(
        events=events,
        streams=streams,
        other_streams=others,
        without_text=sum(head.position for head in wanted) - events,
    )


def _pages(journal: Journal, head: Head) -> Iterator[list[Entry]]:
    after = 0
    while after < head.position:
        found = journal.entries(
            head.stream, after=after, limit=_EVENTS_AT_ONCE, max_bytes=_BYTES_AT_ONCE
        )
        page = [entry for entry in found if entry.position <= head.position]
        if not page:
            return
        yield page
        after = page[-1].position


def _checked(entry: Entry) -> str:
    text = entry.event.text
    if sha256(text.encode()).digest() != entry.event.digest:
        raise StoreUnreadableError(
            f"the text stored for event {entry.event.event_id} ({entry.stream}:{entry.position}) "
            "is not the one that was captured"
        )
    return text
