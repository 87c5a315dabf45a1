from collections.abc import Sequence

from eventsync_core.egress._gates import refuse
from eventsync_core.egress._model import Grant, Refusal
from eventsync_core.egress._rules import off_record
from eventsync_core.errors import spelt
from eventsync_core.receivers import Gate, Permit
from eventsync_core.targets import Target

_RESUME = "eventsync target resume, with its id where it is not the current target"


def permit(target: Target, grant: Grant | None, closed: Sequence[Gate]) -> Permit | Refusal:
    """
    Return leave to send what *grant* covers to *target*, or the reason against it.

    Deny is the default: without a live grant for this very target, with a closed gate or
    while either is paused nothing may leave.
    """
    if grant is None or not grant.is_live or grant.target_id != target.target_id:
        stream = "this stream" if grant is None else f"stream {grant.stream}"
        because = f"{stream} is not granted to {target.url}"
        return refuse(Gate.NO_GRANT, target.url, because=because)
    if not grant.is_on_record:
        error = off_record(grant.target_id, grant.stream)
        return Refusal(error.code, error.message, spelt(error.fix_argv), error.fix_argv)
    if target.paused:
        return Refusal("paused", f"{target.url} is paused: {target.paused}", _RESUME)
    if grant.paused:
        return Refusal("paused", f"stream {grant.stream} is paused: {grant.paused}", _RESUME)
    if closed:
        return refuse(closed[0], target.url)
    return Permit(target.target_id, grant.stream, grant.generation)
