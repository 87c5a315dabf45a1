from enum import StrEnum
from hashlib import sha256

import attrs

from eventsync_core.codec import MOST_ITEMS, read_document
from eventsync_core.errors import NotJsonError
from eventsync_core.events import Event, read_event
from eventsync_core.journal._model import Entry


class Flaw(StrEnum):
    """What does not hold at a position."""

    POSITION = "position"
    EVENT_ID = "event_id"
    DIGEST = "digest"
    CANONICAL_DIGEST = "canonical_digest"
    SIZE = "size"
    CHAIN = "chain"
    HEAD = "head"
    UNREADABLE = "unreadable"

    @property
    def is_of_entry(self) -> bool:
        """It is not what was captured there: such an entry is damaged, and can be set aside."""
        return self in (Flaw.DIGEST, Flaw.EVENT_ID, Flaw.CHAIN, Flaw.UNREADABLE)


@attrs.frozen
class BadPosition:
    """
    Where something does not hold: of what kind, and in words.

    `event_id` is empty where it cannot be told.
    """

    position: int
    flaw: Flaw
    reason: str
    event_id: str = ""


def judge_text(entry: Entry) -> tuple[Flaw, str] | None:
    """Return how the text differs from what was noted of it, or None; it may have been purged."""
    if entry.is_purged:
        return None
    if entry.damage:
        return Flaw.UNREADABLE, entry.damage
    if not entry.has_text:
        return Flaw.DIGEST, "the payload is missing"
    stored = entry.event
    try:
        event = read_event(stored.text)
    except NotJsonError as error:
        return Flaw.DIGEST, f"the stored text is no event: {error.message}"
    if event.digest != stored.digest:
        return Flaw.DIGEST, "the stored text is not the one that was captured"
    if event.canonical_digest != stored.canonical_digest:
        return Flaw.CANONICAL_DIGEST, "the canonical digest is not that of the text"
    if event.event_id != stored.event_id:
        return Flaw.EVENT_ID, "the text names another event_id"
    if event.size != stored.size:
        return Flaw.SIZE, "the size that is noted is not that of the text"
    return None


def _names_itself(entry: Entry) -> bool:
    """Say True only where the text names the entry; where it is not so, `judge_text` decides."""
    try:
        named = read_document(entry.event.text.encode())["event_id"]
    except (ValueError, TypeError, KeyError, RecursionError):
        return False
    return bool(named == entry.event.event_id)


def lacks_text(entry: Entry, event: Event) -> bool:
    """Say whether *event* has the text that was captured as *entry*, and that is not stored."""
    return entry.event.digest == event.digest and entry.event.text != event.text


@attrs.define
class LeftOut:
    """Entries whose text is missing or not the captured one: how many, and the first of them."""

    first: list[tuple[str, BadPosition]] = attrs.field(factory=list)
    count: int = 0

    def sift(self, entry: Entry, *, by_id: bool = False) -> bool:
        """
        Say whether the text of *entry* is the captured one; note one whose text is not.

        With *by_id* it also has to name the id under which it is stored.
        """
        is_whole = entry.has_text and sha256(entry.event.text.encode()).digest() == (
            entry.event.digest
        )
        if is_whole and (not by_id or _names_itself(entry)):
            return True
        flaw = judge_text(entry)
        if flaw is not None:
            self._note(entry.stream, entry.position, flaw, entry.event.event_id)
        return is_whole and flaw is None

    def skip(self, stream: str, after: int, before: int) -> None:
        """Note the positions between *after* and *before*, where no entry is."""
        room = MOST_ITEMS - len(self.first)
        for position in range(after + 1, min(before, after + 1 + room)):
            missing = BadPosition(position, Flaw.POSITION, f"position {position} is missing")
            self.first.append((stream, missing))
        self.count += max(before - after - 1, 0)

    def _note(self, stream: str, position: int, flaw: tuple[Flaw, str], event_id: str = "") -> None:
        self.count += 1
        if len(self.first) < MOST_ITEMS:
            self.first.append((stream, BadPosition(position, *flaw, event_id=event_id)))
