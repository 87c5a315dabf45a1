from collections.abc import Callable, Collection, Iterator

import attrs

from eventsync_core.codec import MOST_ITEMS
from eventsync_core.errors import StoreUnreadableError
from eventsync_core.integrity._model import Verification, Verified
from eventsync_core.journal import (
    FAR,
    BadPosition,
    Entry,
    Flaw,
    Head,
    Journal,
    chain_next,
    chain_start,
    judge_text,
)

_MOST_UNREADABLE = 1_000
_MOST_CHAINS = 32


@attrs.define
class _Walk:
    """
    How far a walk is. `chains` are those that the next entry may follow from: the one that was
    stored and those computed, each with the position it was computed from, as `chains_before`
    has them; none where the entry before could not be read.
    """

    stream: str
    chains: dict[bytes, int]
    most: int
    position: int = 0
    good: int = 0
    good_before: int = 0
    bad: int = 0
    findings: list[BadPosition] = attrs.field(factory=list)
    good_upto: Verified | None = None

    def note(self, finding: BadPosition) -> None:
        if not self.findings:
            self.good_before = self.good
        self.bad += 1
        if len(self.findings) < self.most:
            self.findings.append(finding)

    def step(self, entry: Entry) -> None:
        expected = self.position + 1
        if entry.position != expected:
            reason = f"position {expected} is missing, {entry.position} follows"
            self.note(BadPosition(expected, Flaw.POSITION, reason))
            self.chains = {}
        if entry.damage:
            self.position = entry.position - 1
            self.step_over(entry.damage, entry.event.event_id)
            return
        stored = entry.event
        found = flaw_of(entry, self.chains)
        if found is not None:
            self.note(found)
        else:
            self.good += 1
            if not self.findings:
                self.good_upto = Verified(entry.position, entry.chain)
        self.position = entry.position
        chains = {entry.chain: entry.position}
        for chain, origin in self.chains.items():
            if origin > entry.position - FAR:
                computed = chain_next(chain, entry.position, stored.event_id, stored.digest)
                chains.setdefault(computed, origin)
        self.chains = chains if len(chains) <= _MOST_CHAINS else _both_ends(chains)

    def step_over(self, reason: str, event_id: str = "") -> None:
        """Count the next entry as one that cannot be read."""
        self.position += 1
        self.note(BadPosition(self.position, Flaw.UNREADABLE, reason, event_id))
        self.chains = {}

    def end(self, head: Head) -> None:
        if self.position != head.position:
            reason = f"the head says {head.position}, the last entry is {self.position}"
            self.note(BadPosition(self.position + 1, Flaw.HEAD, reason))
        elif self.chains and head.chain not in self.chains:
            reason = "the head's chain is not that of the last entry"
            self.note(BadPosition(head.position, Flaw.HEAD, reason))


def _both_ends(chains: dict[bytes, int]) -> dict[bytes, int]:
    """Leave out of many chains those between the newest and that of the last sound entry."""
    found = list(chains.items())
    return dict([*found[: _MOST_CHAINS - 1], found[-1]])


def verify(
    journal: Journal,
    stream: str,
    *,
    page: int = 1_000,
    most: int = MOST_ITEMS,
    head: Head | None = None,
    since: Verified | None = None,
    progress: Callable[[int], None] | None = None,
    keep: Callable[[Verified], None] | None = None,
) -> Verification:
    """
    Read every entry of *stream* in pages of *page* and compare it with what was noted of it.

    Both digests are computed anew from the stored text, the chain from the entry before, and
    the head must name the last position and chain. Whoever has read it gives *head*: without,
    those of all streams are read. What is appended since is left out. An entry that cannot be
    read is a flaw, and the walk goes on behind it. The first *most* flaws are returned. With
    *since* only what came after it is read, if its chain still stands there; else all is. After
    each page *progress* is called with the position reached, and *keep*, unless the walk started
    over, with how far all is good.
    """
    head = head or _head(journal, stream)
    walk, is_started_over = _started(journal, head, since, most)
    skipped = walk.position
    for _ in _pages(walk, journal, head, page):
        if progress is not None:
            progress(walk.position)
        if keep is not None and walk.good_upto is not None and not is_started_over:
            keep(walk.good_upto)
    walk.end(head)
    return Verification(
        stream=stream,
        head=head.position,
        good=walk.good,
        bad=walk.bad,
        good_after=walk.good - walk.good_before if walk.findings else 0,
        skipped=skipped,
        is_started_over=is_started_over,
        findings=tuple(walk.findings),
        reached=walk.good_upto,
    )


def _head(journal: Journal, stream: str) -> Head:
    for head in journal.heads():
        if head.stream == stream:
            return head
    return Head(stream, 0, chain_start(stream), 0)


def _started(journal: Journal, head: Head, since: Verified | None, most: int) -> tuple[_Walk, bool]:
    """Return a walk that begins behind *since*, or where that does not fit, at the start."""
    start = _Walk(head.stream, {chain_start(head.stream): 1}, most)
    if since is None or since.position < 1:
        return start, False
    try:
        found = journal.entries(head.stream, after=since.position - 1, limit=1)
        chains = journal.chains_before(head.stream, since.position + 1, reach=FAR)
    except StoreUnreadableError:
        return start, True
    fits = [(entry.position, entry.chain) for entry in found] == [(since.position, since.chain)]
    if since.position > head.position or not fits:
        return start, True
    before = dict.fromkeys(chains, since.position)
    return _Walk(head.stream, before, most, since.position, good_upto=since), False


def _pages(walk: _Walk, journal: Journal, head: Head, page: int) -> Iterator[None]:
    """Walk up to *head*; where a page cannot be read, in ever smaller ones, down to an entry."""
    size, in_a_row = page, 0
    while walk.position < head.position:
        limit = min(size, head.position - walk.position)
        try:
            entries = journal.entries(walk.stream, after=walk.position, limit=limit)
        except StoreUnreadableError as error:
            if limit > 1:
                size = limit // 2
                continue
            in_a_row += 1
            walk.step_over(error.message)
            if in_a_row >= _MOST_UNREADABLE:
                return
            continue
        size, in_a_row = min(page, size * 2), 0
        entries = [entry for entry in entries if entry.position <= head.position]
        if not entries:
            return
        for entry in entries:
            walk.step(entry)
        yield


def flaw_of(entry: Entry, chains: Collection[bytes]) -> BadPosition | None:
    """Return what does not hold at the entry, which may follow from *chains*; none: any."""
    found = judge_text(entry)
    stored = entry.event
    if (
        (found is None or found[0] is Flaw.SIZE)
        and chains
        and not any(
            chain_next(chain, entry.position, stored.event_id, stored.digest) == entry.chain
            for chain in chains
        )
    ):
        found = Flaw.CHAIN, "the chain does not follow from the entry before"
    if found is None:
        return None
    return BadPosition(entry.position, *found, event_id=entry.event.event_id)
