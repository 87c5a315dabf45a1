"""Rules every ledger calls, so that two of them cannot disagree."""

from collections.abc import Collection

import attrs

from eventsync_core.clock import DAY, MINUTE, SECOND
from eventsync_core.ledger._model import Lease, LedgerEntry
from eventsync_core.receivers import Detail, Effect, Next, Outcome, Verdict

LEASE_LENGTH = 15 * SECOND
LOST_REASON = "the sender died before it noted the answer"
_FIRST_PENDING_WAIT = 5 * MINUTE
_LONGEST_PENDING_WAIT = DAY
LONGEST_WAIT = DAY + 2 * SECOND
"""No entry is ever due later than this: one that is comes of a clock that was set back."""


def fold(
    entry: LedgerEntry | None, outcome: Outcome, effect: Effect, *, request_id: int, at: int
) -> LedgerEntry:
    """
    Return *entry* as it stands after one more *outcome* from its target.

    No answer reopens a settled entry. A rejection counts as such and every request as an
    attempt (`request_id` 0: there was none). A transient one is due at once, a rejected or
    unknown one a second later, a pending one after 5 minutes, doubling to 24 hours.
    """
    before = entry or LedgerEntry(outcome=None)
    attempts = before.attempts + (request_id not in (0, before.request_id))
    seen = before.seen or effect is not Effect.NONE
    if before.is_settled:
        return attrs.evolve(before, attempts=attempts)
    wait = _wait(before, outcome)
    return attrs.evolve(
        before,
        outcome=outcome,
        request_id=request_id,
        attempts=attempts,
        rejections=before.rejections + (outcome is Outcome.REJECTED),
        seen=seen,
        due_at=_due_at(before, outcome, at + wait),
        wait=wait if outcome is Outcome.PENDING else 0,
    )


def _due_at(before: LedgerEntry, outcome: Outcome, soonest: int) -> int | None:
    if outcome.is_settled:
        return None
    # What was cut from one batch keeps one due time, and so its order.
    still = before.outcome is outcome is Outcome.TRANSIENT
    return before.due_at if still else soonest


def _wait(before: LedgerEntry, outcome: Outcome) -> int:
    if outcome is Outcome.PENDING:
        return min(max(2 * before.wait, _FIRST_PENDING_WAIT), _LONGEST_PENDING_WAIT)
    # A drain offers what was due when it began: one microsecond keeps this for the next.
    return 1 if outcome is Outcome.TRANSIENT else SECOND


def lost(entry: LedgerEntry | None, *, request_id: int, at: int) -> LedgerEntry:
    """Return *entry* after the sender of its request died: of unknown effect, due at once."""
    folded = fold(entry, Outcome.UNKNOWN_EFFECT, Effect.UNKNOWN, request_id=request_id, at=at)
    return folded if folded.is_settled else attrs.evolve(folded, due_at=at)


def let_wait(entry: LedgerEntry | None, *, due_at: int) -> LedgerEntry:
    """
    Return *entry* as it waits behind an earlier one of its aggregate until *due_at*.

    A settled one stays as it is: it was acknowledged to somebody else meanwhile.
    """
    if entry is not None and entry.is_settled:
        return entry
    return attrs.evolve(entry or LedgerEntry(outcome=None), due_at=due_at)


def effect_of(verdict: Verdict, index: int) -> Effect:
    """Return what the request may have done to the event at *index*."""
    outcome = verdict.outcomes[index]
    if outcome in (Outcome.TRANSIENT, Outcome.UNKNOWN_EFFECT):
        return Effect.UNKNOWN if outcome is Outcome.UNKNOWN_EFFECT else verdict.effect
    return Effect.NONE if outcome is Outcome.TERMINAL_FAILED else Effect.ANSWERED


def is_kept(
    verdict: Verdict, index: int, entry: LedgerEntry | None, request_id: int, *, holds: bool
) -> bool:
    """
    Say whether the outcome at *index* is folded into its *entry*.

    Of a request that was withheld nothing is: it never left. A sender that no longer *holds*
    its lease is believed only where an event was acknowledged, and in the round in which its
    request left.
    """
    if verdict.next is Next.WITHHELD:
        return False
    if holds:
        return True
    is_of_this_round = entry is None or request_id > entry.round_after
    return verdict.outcomes[index].is_delivered and is_of_this_round


def said_of(verdict: Verdict, index: int) -> Detail | None:
    """
    Return what history keeps of the answer to one event, or None.

    Plain success leaves nothing, and an answer to the whole batch stands on its request.
    """
    if index in verdict.details:
        return verdict.details[index]
    alone = (Outcome.DUPLICATE, Outcome.PENDING, Outcome.REJECTED, Outcome.TERMINAL_FAILED)
    return Detail("") if verdict.outcomes[index] in alone else None


def silenced(verdict: Verdict, erased: Collection[int]) -> Verdict:
    """
    Return *verdict* without the words about the events at the indices *erased*.

    Their project was purged while they were under way. What was said of the whole request may
    quote them too, so that goes with the first.
    """
    if not erased:
        return verdict
    details = {
        index: Detail("") if index in erased else detail
        for index, detail in verdict.details.items()
    }
    return attrs.evolve(verdict, details=details, guidance="")


def is_replaceable(lease: Lease, *, at: int, boot: str, is_alive: bool | None) -> bool:
    """
    Say whether another holder may take over *lease*.

    *boot* is this machine's; *is_alive* tells of the holder's process where that can be
    known (None: it cannot). A provably dead holder on this machine is replaced at once,
    anyone else when the lease has run out. One that ends later than any lease taken now was
    written before the clock was set back: only a holder known to live keeps it.
    """
    if at >= lease.expires_at:
        return True
    if lease.expires_at > at + 2 * LEASE_LENGTH and is_alive is not True:
        return True
    return is_alive is False and is_same_boot(lease.holder.boot, boot)


def is_same_boot(named: str, boot: str) -> bool:
    """
    Say whether *named*, from a lease, means *boot*, this machine's.

    A name is one word, or a word and what sets containers of one boot apart; where that is
    left out, as programs before this one did, the boot alone counts.
    """
    return named in (boot, boot.partition(" ")[0])
