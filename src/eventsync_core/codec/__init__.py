"""The only place of the core that speaks JSON: exact reading, canonical form, small documents."""

from eventsync_core.codec._canonical import Parsed, parse_event_text
from eventsync_core.codec._convert import structure
from eventsync_core.codec._documents import (
    MOST_ITEMS,
    read_document,
    read_unambiguous,
    read_words,
    write_document,
    write_unchecked,
)
from eventsync_core.codec._project import without_local_keys
from eventsync_core.codec._slices import Sliced, slice_cloudevents, slice_events
from eventsync_core.codec._surrogates import has_lone_surrogates

__all__ = [
    "MOST_ITEMS",
    "Parsed",
    "Sliced",
    "has_lone_surrogates",
    "parse_event_text",
    "read_document",
    "read_unambiguous",
    "read_words",
    "slice_cloudevents",
    "slice_events",
    "structure",
    "without_local_keys",
    "write_document",
    "write_unchecked",
]
