from collections.abc import Iterable, Sequence
from contextlib import nullcontext
from typing import TYPE_CHECKING

from eventsync_core.capture._model import CaptureRules, Envelope, Receipt
from eventsync_core.capture._prepare import prepare
from eventsync_core.errors import (
    DiscardRefusedError,
    EventSyncError,
    NotJsonError,
    PayloadConflictError,
    RedactionError,
)
from eventsync_core.events import Event, KeyRules, coalesce_key
from eventsync_core.ids import stream_key
from eventsync_core.journal import Appended
from eventsync_core.policy import AuditRecord, may_discard, policy_of

if TYPE_CHECKING:
    from eventsync_core.stores import Stores

_AS_IT_IS = CaptureRules()
Result = Receipt | EventSyncError


def capture(
    stores: "Stores",
    envelope: Envelope,
    *,
    at: int,
    project: str | None = None,
    rules: CaptureRules = _AS_IT_IS,
) -> Receipt:
    """
    Store one event and return its receipt.

    The event goes to the stream of its own `project_uuid`, else to that of *project*, else
    to `default`. *at* is the time of capture in microseconds since 1970 UTC.

    With `keys` in *rules*, an event that has a key by them supersedes earlier events of its
    stream that were captured with that key: of each, unless some target may have seen it, only
    the latest is delivered. All stay stored as they are. A held event or a duplicate supersedes
    nothing. A mode that retains nothing drops what may be dropped, and an event that is stored
    already stays a duplicate.

    Raises:
        NotJsonError: Not one JSON object with a usable `event_id`.
        PayloadConflictError: The id is known with other content.
        DiscardRefusedError: The mode keeps nothing, and the event may not be dropped.
        RedactionError: The redaction failed; nothing was stored.
        StoreError: The store is busy, full, read-only or unreadable.
    """
    (receipt,) = capture_many(stores, [envelope], at=at, project=project, rules=rules)
    if isinstance(receipt, EventSyncError):
        raise receipt
    return receipt


def capture_many(
    stores: "Stores",
    envelopes: Iterable[Envelope],
    *,
    at: int,
    project: str | None = None,
    rules: CaptureRules = _AS_IT_IS,
) -> list[Result]:
    """
    Store events in one unit of work; return a receipt or the reason against it for each.

    The reasons are the errors that `capture` raises; one bad event does not harm the others.
    With `keys`, later events of the call supersede earlier ones of it as well; see `capture`.

    Raises:
        StoreError: Nothing of it was stored.
    """
    results: list[Result | None] = []
    events: list[tuple[int, str, Event]] = []
    for place, envelope in enumerate(envelopes):
        try:
            event = prepare(envelope, rules)
        except (NotJsonError, RedactionError) as error:
            results.append(error)
            continue
        events.append((place, stream_key(event.project, project), event))
        results.append(None)
    if not policy_of(rules.mode).retain:
        with stores.atomic():
            events = _drop(stores, events, results, rules, at)
            _append(stores, events, results, rules, at)
    else:
        _append(stores, events, results, rules, at)
    return [result for result in results if result is not None]


def _drop(
    stores: "Stores",
    events: Sequence[tuple[int, str, Event]],
    results: list[Result | None],
    rules: CaptureRules,
    at: int,
) -> list[tuple[int, str, Event]]:
    """Deal with what is not stored already as the policy says, and return the rest."""
    left, audited = [], []
    for place, stream, event in events:
        if stores.journal.find(event.event_id) is not None:
            left.append((place, stream, event))
            continue
        family = rules.families.of(event.event_type)
        decision = may_discard(family, rules.on_discard)
        if decision == "refused":
            results[place] = DiscardRefusedError(event.event_id)
            continue
        is_audited = decision == "audit_recorded"
        if is_audited:
            audited.append(
                AuditRecord(
                    event_id=event.event_id,
                    event_type=event.event_type,
                    family=family,
                    stream=stream,
                    reason=f"mode {rules.mode} keeps nothing",
                    digest=event.digest,
                    at=at,
                )
            )
        durable = is_audited and stores.is_durable
        results[place] = Receipt(event.event_id, stream, None, "discarded", durable)
    if audited:
        stores.audit.record(audited)
    return left


def _append(
    stores: "Stores",
    events: Sequence[tuple[int, str, Event]],
    results: list[Result | None],
    rules: CaptureRules,
    at: int,
) -> None:
    groups, keys = _groups(events), rules.keys
    durable = stores.is_durable
    # A single append is a unit of work by itself.
    with stores.atomic() if len(groups) > 1 or keys is not None else nullcontext():
        for places, stream, group in groups:
            appended = stores.journal.append(stream, group, at=at, producer=rules.producer)
            new = [] if keys is None else _keyed(group, appended, keys)
            counts = stores.superseding.supersede(stream, dict(new), at=at) if new else {}
            for place, item in zip(places, appended, strict=True):
                results[place] = _receipt(item, counts.get(item.position, 0), durable=durable)


def _keyed(
    group: Sequence[Event], appended: Sequence[Appended], keys: KeyRules
) -> list[tuple[int, str]]:
    """Return the positions that are new and not held, with their keys."""
    return [
        (item.position, key)
        for event, item in zip(group, appended, strict=True)
        if item.state == "stored" and (key := coalesce_key(event, keys)) is not None
    ]


def _receipt(item: Appended, superseded: int, *, durable: bool) -> Receipt | PayloadConflictError:
    if item.state == "conflict":
        return PayloadConflictError(item.event_id, item.stream, item.position)
    count = superseded if item.state == "stored" else 0
    return Receipt(item.event_id, item.stream, item.position, item.state, durable, count)


def _groups(
    events: Sequence[tuple[int, str, Event]],
) -> list[tuple[list[int], str, list[Event]]]:
    """
    Gather events by stream, so that each is appended to once.

    When an id comes twice, runs are kept instead: the first to come must be the first stored.
    """
    groups: list[tuple[list[int], str, list[Event]]] = []
    if not events:
        return groups
    keep_runs = len({event.event_id for _, _, event in events}) < len(events)
    known: dict[str, tuple[list[int], str, list[Event]]] = {}
    for place, stream, event in events:
        if keep_runs and groups and groups[-1][1] != stream:
            known.clear()
        group = known.get(stream)
        if group is None:
            group = known[stream] = ([], stream, [])
            groups.append(group)
        group[0].append(place)
        group[2].append(event)
    return groups
