from collections.abc import Sequence

from eventsync_core.egress._model import Grant, Refusal
from eventsync_core.receivers import Gate, Permit
from eventsync_core.targets import Target

_FIXES = {
    Gate.SAAS_DISABLED: "set SPEC_KITTY_ENABLE_SAAS_SYNC=1",
    Gate.MISSING_AUTH: "eventsync sync server URL --token env:NAME",
    Gate.MISSING_TEAM: "eventsync sync server URL --team TEAM",
    Gate.ENDPOINT_MISSING: "eventsync sync mode EXTERNAL_RECEIVER --endpoint URL",
    Gate.NO_GRANT: "eventsync target grant, with --project where it is not the default stream",
    Gate.STORE_LOCKED: "run the command again when the other process has finished",
    Gate.NETWORK_UNAVAILABLE: "run the command again when the network is back",
}

_RESUME = "eventsync target resume, with its id where it is not the current target"


def permit(target: Target, grant: Grant | None, closed: Sequence[Gate]) -> Permit | Refusal:
    """
    Return leave to send what *grant* covers to *target*, or the reason against it.

    Deny is the default: without a live grant for this very target, with a closed gate or
    while either is paused nothing may leave.
    """
    if grant is None or not grant.is_live or grant.target_id != target.target_id:
        stream = "this stream" if grant is None else f"stream {grant.stream}"
        return _refuse(Gate.NO_GRANT, f"{stream} is not granted to {target.url}")
    if target.paused:
        return Refusal("paused", f"{target.url} is paused: {target.paused}", _RESUME)
    if grant.paused:
        return Refusal("paused", f"stream {grant.stream} is paused: {grant.paused}", _RESUME)
    if closed:
        return _refuse(closed[0], f"{target.url} cannot be used now: {closed[0]}")
    return Permit(target.target_id, grant.stream, grant.generation)


def _refuse(gate: Gate, message: str) -> Refusal:
    return Refusal(gate.value, message, _FIXES[gate])
