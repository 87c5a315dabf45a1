"""Which gates are closed now, why, and what opens each; nothing of it is stored."""

from collections.abc import Iterator, Sequence
from typing import Any

from eventsync_core.clock import iso_time
from eventsync_core.dispatch import granted_streams
from eventsync_core.egress import Refusal, refuse
from eventsync_core.errors import StoreBusyError, fix_document
from eventsync_core.ids import DEFAULT_STREAM, Kind
from eventsync_core.receivers import Gate
from eventsync_core.status._model import Setting
from eventsync_core.stores import Stores
from eventsync_core.targets import Breaker, Target


def closed_gates(
    stores: Stores | None, setting: Setting, *, at: int
) -> tuple[tuple[str, ...], tuple[Refusal, ...]]:
    """
    Return the words of all gates of the current target that are closed, and the reasons.

    Those that the *setting* names, and what the store tells of the others, in the order of
    `Gate`. Without a current target only the setting is looked at. Where a stream is asked for,
    its grant alone counts, if anything waits for it.
    """
    url = "" if setting.current is None else setting.current.url
    found = {Gate(word): refuse(Gate(word), url) for word in setting.gates}
    if isinstance(setting.store_error, StoreBusyError):
        because = setting.store_error.message
        found[Gate.STORE_LOCKED] = refuse(Gate.STORE_LOCKED, url, because=because)
    elif setting.current is not None and setting.store_error is None:
        told = _told_by_store(stores, setting.current, setting.stream, at)
        found |= {Gate(refusal.code): refusal for refusal in told}
    gates = [gate for gate in Gate if gate in found]
    return tuple(gate.value for gate in gates), tuple(found[gate] for gate in gates)


def gate_document(refusal: Refusal) -> dict[str, Any]:
    """Return a closed gate as JSON."""
    fix = fix_document(refusal.fix_argv, refusal.fix)
    return {"gate": refusal.code, "message": refusal.message, "fix": fix}


def _told_by_store(
    stores: Stores | None, target: Target, asked: str | None, at: int
) -> Iterator[Refusal]:
    if stores is None or asked is None:
        grants = [] if stores is None else stores.grants.grants(target.target_id)
        granted: Sequence[str] = [grant.stream for grant in grants if grant.is_live]
        missing = [] if granted else [_ungranted(stores, target)]
    else:
        granted, waiting = granted_streams(stores, target.target_id, asked, at=at)
        missing = [_waiting(target, name, count) for name, count in waiting.items()]
        count = 0 if granted else stores.bodies.waiting(target.target_id, asked)
        if count and not missing and target.kind is Kind.TEAMSPACE:
            missing = [_waiting(target, asked, count, "bodies")]
    yield from missing
    if stores is not None and granted:
        yield from _held(stores, target, granted, at)
        yield from _unreached(stores.targets.get(target.target_id), at)


def _ungranted(stores: Stores | None, target: Target) -> Refusal:
    """Nothing at all may go there; the command grants a stream that waits."""
    heads = [] if stores is None else stores.journal.heads()
    waiting = [head.stream for head in heads if head.position]
    waiting = waiting or ([] if stores is None else stores.bodies.streams())
    stream = DEFAULT_STREAM if not waiting or DEFAULT_STREAM in waiting else waiting[0]
    return _no_grant(target, stream, f"no stream is granted to {target.url}")


def _waiting(target: Target, stream: str, count: int, what: str = "events") -> Refusal:
    because = f"stream {stream} is not granted to {target.url}, {what} waiting: {count}"
    return _no_grant(target, stream, because)


def _no_grant(target: Target, stream: str, because: str) -> Refusal:
    argv: tuple[str, ...] = ("eventsync", "target", "grant")
    if stream != DEFAULT_STREAM:
        argv += ("--project", stream)
    return refuse(Gate.NO_GRANT, target.url, because=because, fix_argv=argv)


def _held(stores: Stores, target: Target, streams: Sequence[str], at: int) -> Iterator[Refusal]:
    """A sender that is alive has a stream: another drain would answer `busy`."""
    for stream in streams:
        busy = stores.desk.busy(target.target_id, stream, at=at)
        if busy is not None:
            because = f"process {busy.holder.pid} is draining stream {stream}"
            requests = stores.ledger.requests(target.target_id, stream, limit=1)
            flying = [found for found in requests if found.closed_at is None and not found.answer]
            if flying:
                because += f", with a request on its way since {iso_time(flying[0].opened_at)}"
            yield refuse(Gate.STORE_LOCKED, target.url, because=because)
            return


def _unreached(target: Target, at: int) -> Iterator[Refusal]:
    """No connection came about, and nothing was sent since that could have shown another."""
    back_off = target.back_off
    breaker = back_off.breaker(at=at)
    if not back_off.no_connection or breaker is Breaker.CLOSED:
        return
    argv, when = ("eventsync", "sync", "now"), "the next request tries it"
    if breaker is Breaker.OPEN:
        argv = ("eventsync", "target", "resume")
        when = f"left alone until {iso_time(back_off.until)}"
    because = f"{target.url}: {back_off.reason}; {when}"
    yield refuse(Gate.NETWORK_UNAVAILABLE, target.url, because=because, fix_argv=argv)
