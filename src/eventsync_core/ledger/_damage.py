from collections.abc import Iterable
from hashlib import sha256

from eventsync_core.errors import MissingEventIdError, NotJsonError
from eventsync_core.events import read_event
from eventsync_core.journal import chain_next
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


def follows(candidate: Candidate, chains: Iterable[bytes]) -> bool:
    """Say whether the entry is the one that was captured behind one of *chains*, at its place."""
    what = (candidate.position, candidate.event_id, candidate.digest)
    return any(chain_next(chain, *what) == candidate.chain for chain in chains)


def _is_of(candidate: Candidate) -> bool:
    try:
        return read_event(candidate.text).event_id == candidate.event_id
    except (NotJsonError, MissingEventIdError):
        return False
