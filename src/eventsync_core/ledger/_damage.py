from collections.abc import Iterable
from hashlib import sha256

from eventsync_core.errors import MissingEventIdError, NotJsonError, StoreUnreadableError
from eventsync_core.events import read_event
from eventsync_core.journal import FAR, Journal, chain_next
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


def stands(candidate: Candidate, journal: Journal, stream: str) -> bool:
    """
    Say whether the entry is the one that was captured at its place, as those around it tell.

    Where the one before it is gone, the one after it must follow from it, or the head.
    """
    position = candidate.position
    if follows(candidate, journal.chains_before(stream, position)):
        return True
    before = journal.chains_before(stream, position, reach=FAR)
    if before:
        return follows(candidate, before)
    try:
        after = journal.entries(stream, after=position, limit=1)
    except StoreUnreadableError:
        return False
    if after:
        found = after[0].event
        what = (position + 1, found.event_id, found.digest)
        return chain_next(candidate.chain, *what) == after[0].chain
    return any((each.stream, each.chain) == (stream, candidate.chain) for each in journal.heads())


def _is_of(candidate: Candidate) -> bool:
    try:
        return read_event(candidate.text).event_id == candidate.event_id
    except (NotJsonError, MissingEventIdError):
        return False
