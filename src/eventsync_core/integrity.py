"""Walk a stream's digests, chain and positions; report what does not hold, repair nothing."""

from collections.abc import Callable
from enum import StrEnum

import attrs

from eventsync_core.errors import NotJsonError, StoreUnreadableError
from eventsync_core.events import read_event
from eventsync_core.journal import Entry, Head, Journal, chain_next, chain_start

__all__ = ["Flaw", "Verification", "verify"]


class Flaw(StrEnum):
    """What does not hold at a position."""

    POSITION = "position"
    EVENT_ID = "event_id"
    DIGEST = "digest"
    CANONICAL_DIGEST = "canonical_digest"
    CHAIN = "chain"
    HEAD = "head"
    UNREADABLE = "unreadable"


@attrs.frozen(kw_only=True)
class Verification:
    """
    What a walk over one stream found.

    `good` entries hold in every respect, `bad` do not; `first_bad` is the position of the
    first flaw, with `flaw` naming its kind and `reason` telling it in words. All three are
    None or empty for a stream that holds.
    """

    stream: str
    head: int
    good: int
    bad: int = 0
    first_bad: int | None = None
    flaw: Flaw | None = None
    reason: str = ""

    @property
    def is_intact(self) -> bool:
        """Every position up to the head is there, and everything stored agrees."""
        return self.flaw is None


@attrs.define
class _Walk:
    stream: str
    chain: bytes
    position: int = 0
    good: int = 0
    bad: int = 0
    first: tuple[int, Flaw, str] | None = None

    def note(self, position: int, flaw: Flaw, reason: str) -> None:
        self.bad += 1
        self.first = self.first or (position, flaw, reason)

    def step(self, entry: Entry) -> None:
        found = self._judge(entry)
        if found is None:
            self.good += 1
        else:
            self.note(*found)
        self.position, self.chain = entry.position, entry.chain

    def _judge(self, entry: Entry) -> tuple[int, Flaw, str] | None:
        expected = self.position + 1
        if entry.position != expected:
            reason = f"position {expected} is missing, {entry.position} follows"
            return expected, Flaw.POSITION, reason
        stored = entry.event
        link = chain_next(self.chain, entry.position, stored.event_id, stored.digest)
        if link != entry.chain:
            return expected, Flaw.CHAIN, "the chain does not follow from the entry before"
        return _judge_text(entry)


def verify(
    journal: Journal,
    stream: str,
    *,
    page: int = 1_000,
    progress: Callable[[int], None] | None = None,
) -> Verification:
    """
    Read every entry of *stream* in pages of *page* and compare it with what was noted of it.

    Both digests are computed anew from the stored text, the chain from the entry before, and
    the head must name the last position and chain. What is appended during the walk is left
    out. *progress* is called with the position reached after each page.
    """
    head = _head(journal, stream)
    walk = _Walk(stream, chain_start(stream))
    try:
        _read(walk, journal, head, page, progress)
    except StoreUnreadableError as error:
        walk.note(walk.position + 1, Flaw.UNREADABLE, error.message)
    else:
        if walk.position != head.position:
            reason = f"the head says {head.position}, the last entry is {walk.position}"
            walk.note(walk.position + 1, Flaw.HEAD, reason)
        elif walk.chain != head.chain:
            walk.note(head.position, Flaw.HEAD, "the head's chain is not that of the last entry")
    first, flaw, reason = walk.first or (None, None, "")
    return Verification(
        stream=stream,
        head=head.position,
        good=walk.good,
        bad=walk.bad,
        first_bad=first,
        flaw=flaw,
        reason=reason,
    )


def _head(journal: Journal, stream: str) -> Head:
    for head in journal.heads():
        if head.stream == stream:
            return head
    return Head(stream, 0, chain_start(stream), 0)


def _read(
    walk: _Walk,
    journal: Journal,
    head: Head,
    page: int,
    progress: Callable[[int], None] | None,
) -> None:
    while walk.position < head.position:
        limit = min(page, head.position - walk.position)
        entries = journal.entries(walk.stream, after=walk.position, limit=limit)
        if not entries:
            return
        for entry in entries:
            walk.step(entry)
        if progress is not None:
            progress(walk.position)


def _judge_text(entry: Entry) -> tuple[int, Flaw, str] | None:
    stored, position = entry.event, entry.position
    if entry.is_purged:
        # What is left of it is in the chain.
        return None
    if not entry.has_text:
        return position, Flaw.DIGEST, "the payload is missing"
    try:
        event = read_event(stored.text)
    except NotJsonError as error:
        return position, Flaw.DIGEST, f"the stored text is no event: {error.message}"
    if event.digest != stored.digest:
        return position, Flaw.DIGEST, "the stored text is not the one that was captured"
    if event.canonical_digest != stored.canonical_digest:
        return position, Flaw.CANONICAL_DIGEST, "the canonical digest is not that of the text"
    if event.event_id != stored.event_id:
        return position, Flaw.EVENT_ID, "the text names another event_id"
    return None
