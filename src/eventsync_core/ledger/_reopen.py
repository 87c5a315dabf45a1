"""Rules for what an operator does with entries that were answered."""

from collections.abc import Sequence

import attrs

from eventsync_core.ledger._model import Act, HistoryItem, LedgerEntry
from eventsync_core.receivers import Outcome

TOLD_ELSEWHERE = "told by another home"
"""What is noted of an answer without words that was taken over."""


def reopen(entry: LedgerEntry, act: Act, *, at: int) -> LedgerEntry | None:
    """
    Return *entry* as it stands after *act*, or None where the act is not for it.

    Retried, a terminal_failed one is owed again in its round; one that is not settled is due
    at once, with its outcome and lane; a delivered one is not touched. Replayed, a delivered
    one is owed in a new round, in which requests that left before count no more, and no other
    changes. Attempts and rejections are kept.
    """
    if not is_for(act, entry):
        return None
    if act is Act.DELIVERED_BEFORE:
        return attrs.evolve(
            entry,
            outcome=None,
            round=entry.round + 1,
            round_after=entry.request_id,
            due_at=at,
            wait=0,
        )
    if entry.outcome is Outcome.TERMINAL_FAILED:
        return attrs.evolve(entry, outcome=None, due_at=at, wait=0)
    return attrs.evolve(entry, due_at=at if entry.due_at is None else min(entry.due_at, at))


def is_for(act: Act, entry: LedgerEntry) -> bool:
    """Say whether *act* changes *entry*: a replay what was delivered, a retry any other answer."""
    if entry.outcome is None:
        return False
    return entry.outcome.is_delivered is (act is Act.DELIVERED_BEFORE)


def last_words(entry: LedgerEntry, said: HistoryItem | None, guidance: str) -> str:
    """
    Return the words of the last answer to *entry*: its own, then those for the whole batch.

    *said* is the last answer to it alone, *guidance* stands on the request that last changed
    it; an answer to it alone from an earlier request is no longer the last.
    """
    own = said if said is not None and said.request_id == entry.request_id else None
    words = (own.reason, own.category, guidance) if own else (guidance,)
    return "\n".join(word for word in words if word)


def adopt(
    target_id: str, row: LedgerEntry, said: Sequence[HistoryItem], *, at: int
) -> tuple[LedgerEntry, list[HistoryItem]] | None:
    """
    Return *row* and *said*, told by another home, as they stand here; None: it is not settled.

    What is not settled is offered from here as if it never had been. A row that names no
    request has something said of it: where the target had no words, that it was taken over.
    """
    if not row.is_settled or row.outcome is None:
        return None
    own = attrs.evolve(row, request_id=0, due_at=None, wait=0, round_after=0)
    taken = HistoryItem(
        target_id=target_id, request_id=0, at=at, outcome=row.outcome, reason=TOLD_ELSEWHERE
    )
    return own, [attrs.evolve(item, request_id=0) for item in said] or [taken]
