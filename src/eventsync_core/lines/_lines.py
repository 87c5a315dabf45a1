import attrs

from eventsync_core.codec import parse_event_text, read_unambiguous, write_document
from eventsync_core.errors import NotJsonError

TEXT_KEY = "eventsync_text"
"""An object with this key at its top is no envelope: it carries one, as a string."""

HISTORY_KEY = "eventsync_history"
"""An object with this key at its top tells what became of the event on the line before."""

MANIFEST_KEY = "eventsync_manifest"
"""An object with this key at its top tells what an archive holds."""

MARKS = (TEXT_KEY, HISTORY_KEY, MANIFEST_KEY)
"""The keys that stand at the top of no envelope that goes out as it is."""

_ESCAPED_ASCII = "\\u00"


def line_of(event_id: str, text: str) -> str:
    """
    Return the line that stands for an event in an export, with the line feed that ends it.

    It is *text* itself. A text with a line break goes as an object with `event_id` and, under
    `TEXT_KEY`, the text as a string; so does one that has a key of `MARKS` at its top itself. A
    line with `TEXT_KEY` at its top therefore always carries an envelope, and one without any of
    these keys is one.
    """
    if "\n" in text or "\r" in text or looks_marked(text):
        return write_document({"event_id": event_id, TEXT_KEY: text}) + "\n"
    return text + "\n"


@attrs.frozen
class Carried:
    """A line that holds an event's exact text."""

    text: str


@attrs.frozen
class Noted:
    """A line that tells something, under its key of `MARKS`."""

    key: str
    content: object


def read_line(line: str) -> Carried | Noted:
    """
    Return what *line*, without its line feed, holds.

    Raises:
        NotJsonError: It has a key of `MARKS` at its top, and cannot be understood.
    """
    if not looks_marked(line):
        return Carried(line)
    try:
        found = read_unambiguous(line)
    except ValueError:
        # An envelope may be damaged in ways that a small document may not be.
        return Carried(line)
    for mark in MARKS[1:]:
        if isinstance(found, dict) and mark in found:
            return Noted(mark, found[mark])
    text = found.get(TEXT_KEY) if isinstance(found, dict) else None
    if not isinstance(text, str):
        raise NotJsonError(f"{TEXT_KEY} is no string")
    return Carried(text)


def looks_marked(text: str) -> bool:
    """Say whether *text* has a key of `MARKS` at its top, or cannot be read."""
    # Without a key's letters, plain or escaped, it cannot be there: nothing has to be parsed.
    if _ESCAPED_ASCII not in text and not any(mark in text for mark in MARKS):
        return False
    try:
        top = parse_event_text(text).top
    except NotJsonError:
        return True
    return any(mark in top for mark in MARKS)
