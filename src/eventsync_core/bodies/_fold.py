"""How a standing changes: asked, answered, opened again."""

import attrs

from eventsync_core.bodies._model import Standing, UploadState
from eventsync_core.bodies._push import PushVerdict
from eventsync_core.clock import MINUTE, SECOND
from eventsync_core.receivers import Next
from eventsync_core.targets import BackOff, next_back_off

PENDING_WAIT = 5 * MINUTE
"""How long a server is left to work on a body before it is asked again."""


def asked(before: Standing, *, at: int) -> Standing:
    """Return *before* with one more request on its way."""
    return attrs.evolve(before, attempts=before.attempts + 1, asked_at=at)


def fold_push(
    before: Standing, verdict: PushVerdict, *, at: int, chance: float, holds: bool = True
) -> Standing:
    """
    Return how a body stands after one more answer.

    A body that the target holds stays so. A fault of the body alone lets it wait as
    `next_back_off` says, at least a second; one of the target or the way there leaves it due.
    No number of faults ends in anything but another attempt. Without *holds*, the lease was
    lost: only that the body is there is kept.
    """
    if before.state.is_there or (not holds and not verdict.state.is_there):
        return before
    if verdict.state is not UploadState.QUEUED:
        error = "" if verdict.state.is_there else verdict.reason
        return attrs.evolve(
            before, state=verdict.state, failures=0, last_error=error, settled_at=at
        )
    if verdict.is_pending:
        return attrs.evolve(before, last_error=verdict.reason, due_at=at + PENDING_WAIT)
    if verdict.next is not Next.GO_ON:
        return attrs.evolve(before, last_error=verdict.reason)
    faults = next_back_off(
        BackOff(failures=before.failures), at=at, chance=chance, reason=verdict.reason
    )
    return attrs.evolve(
        before,
        failures=faults.failures,
        due_at=max(faults.retry_at, at + SECOND),
        last_error=verdict.reason,
    )


def reopened(before: Standing, *, at: int) -> Standing:
    """
    Return *before* as an operator lets the body go again: queued and due at once.

    What the target holds stays so, and what is due already is as it was.
    """
    is_due = before.state is UploadState.QUEUED and before.due_at <= at
    if before.state.is_there or is_due:
        return before
    return attrs.evolve(before, state=UploadState.QUEUED, failures=0, due_at=at, settled_at=None)
