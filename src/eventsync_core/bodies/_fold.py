"""How a standing changes: asked, answered, opened again."""

import attrs

from eventsync_core.bodies._model import Standing, UploadState
from eventsync_core.bodies._push import PushVerdict
from eventsync_core.clock import DAY, MINUTE, SECOND
from eventsync_core.ledger import Act
from eventsync_core.targets import BackOff, next_back_off

PENDING_WAIT = 5 * MINUTE
"""How long a server is left to work on a body before it is asked again; doubling each time."""

_LONGEST_PENDING_WAIT = DAY


def asked(before: Standing, *, at: int) -> Standing:
    """Return *before* with one more request on its way."""
    return attrs.evolve(before, attempts=before.attempts + 1, asked_at=at)


def fold_push(
    before: Standing, verdict: PushVerdict, *, at: int, chance: float, holds: bool = True
) -> Standing:
    """
    Return how a body stands after one more answer.

    A body that the target holds stays so. One that it works on is asked for after five minutes,
    doubling to 24 hours. A fault that the body may have caused lets it wait as
    `next_back_off` says, at least a second, so that others go before it; one of the target
    leaves it due. No number of faults ends in anything but another attempt. Without
    *holds*, the lease was lost: only that the body is there is kept.
    """
    if before.state.is_there or (not holds and not verdict.state.is_there):
        return before
    if verdict.state is not UploadState.QUEUED:
        error = "" if verdict.state.is_there else verdict.reason
        return attrs.evolve(
            before, state=verdict.state, failures=0, last_error=error, settled_at=at, wait=0
        )
    if verdict.is_pending:
        wait = min(max(2 * before.wait, PENDING_WAIT), _LONGEST_PENDING_WAIT)
        return attrs.evolve(before, last_error=verdict.reason, due_at=at + wait, wait=wait)
    if not verdict.may_be_of_body:
        return attrs.evolve(before, last_error=verdict.reason, wait=0)
    faults = next_back_off(
        BackOff(failures=before.failures), at=at, chance=chance, reason=verdict.reason
    )
    return attrs.evolve(
        before,
        failures=faults.failures,
        due_at=max(faults.retry_at, at + SECOND),
        last_error=verdict.reason,
        wait=0,
    )


def reopened(before: Standing, act: Act, *, at: int) -> Standing | None:
    """
    Return *before* as an operator lets the body go again, or None where the act is not for it.

    Replayed, one that the target held is queued and due at once. Retried, one that failed for
    good is, and one that waits is due at once. Attempts are kept, and what is due already is
    left as it was.
    """
    if before.state.is_there is not (act is Act.DELIVERED_BEFORE):
        return None
    if before.state is UploadState.QUEUED and before.due_at <= at:
        return None
    return attrs.evolve(
        before,
        state=UploadState.QUEUED,
        failures=0,
        due_at=at,
        settled_at=None,
        wait=0,
        reopened=before.reopened + 1,
    )
