"""The words of each gate: why nothing passes, and what opens it."""

from collections.abc import Mapping

from eventsync_core.egress._model import Refusal
from eventsync_core.receivers import Gate

_REASONS: Mapping[Gate, tuple[str, str]] = {
    Gate.SAAS_DISABLED: ("SaaS sync is not enabled", "set SPEC_KITTY_ENABLE_SAAS_SYNC=1"),
    Gate.MISSING_AUTH: (
        "no token is at hand",
        "put it where it is looked for, or say where: eventsync sync server {url} --token env:NAME",
    ),
    Gate.MISSING_TEAM: ("no team is named", "eventsync sync server {url} --team TEAM"),
    Gate.ENDPOINT_MISSING: (
        "there is no address to deliver to",
        "eventsync sync server URL, or eventsync sync mode EXTERNAL_RECEIVER --endpoint URL",
    ),
    Gate.NO_GRANT: (
        "no stream may go there",
        "eventsync target grant, with --project where it is not the default stream",
    ),
    Gate.STORE_LOCKED: (
        "another process holds the store",
        "run the command again when the other process has finished",
    ),
    Gate.NETWORK_UNAVAILABLE: (
        "no connection came about at the last attempt",
        "eventsync sync now again when the network is back",
    ),
}


def refuse(
    gate: Gate, url: str = "", *, because: str = "", fix_argv: tuple[str, ...] = ()
) -> Refusal:
    """
    Return what a closed *gate* means for the target at *url*, and what opens it.

    *because* is the reason where more is known than the gate's own, *fix_argv* a command
    that helps as things stand.
    """
    message, fix = _REASONS[gate]
    if not because:
        because = f"{url}: {message}" if url else message
    return Refusal(gate.value, because, fix.format(url=url or "URL"), fix_argv)
