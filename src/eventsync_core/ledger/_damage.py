from hashlib import sha256

from eventsync_core.errors import MissingEventIdError, NotJsonError
from eventsync_core.events import read_event
from eventsync_core.ledger._model import Candidate


def is_damaged(candidate: Candidate) -> bool:
    """
    Say whether the text is not the one that was captured, or is another event's.

    What is damaged must not leave, whatever its target.
    """
    text = candidate.text
    try:
        raw = text.encode("utf-8")
    except UnicodeEncodeError:
        return True
    if sha256(raw).digest() != candidate.digest:
        return True
    # Most ids stand in the text as they are; the others are spelt with escapes.
    return f'"{candidate.event_id}"' not in text and not _is_of(candidate)


def _is_of(candidate: Candidate) -> bool:
    try:
        return read_event(candidate.text).event_id == candidate.event_id
    except (NotJsonError, MissingEventIdError):
        return False
