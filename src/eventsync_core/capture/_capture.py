from collections.abc import Iterable, Sequence
from contextlib import nullcontext
from typing import TYPE_CHECKING

from eventsync_core.capture._discard import discard
from eventsync_core.capture._model import CaptureRules, Envelope, Receipt, Result, receipt_of
from eventsync_core.capture._prepare import prepare
from eventsync_core.errors import (
    EventSyncError,
    NotJsonError,
    RedactionError,
)
from eventsync_core.events import Event, Family, KeyRules, coalesce_key, require_project
from eventsync_core.ids import stream_key
from eventsync_core.journal import Appended
from eventsync_core.policy import policy_of
from eventsync_core.traces import is_trace_context

if TYPE_CHECKING:
    from eventsync_core.stores import Stores

_AS_IT_IS = CaptureRules()


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
    nothing.

    A mode that retains nothing drops what may be dropped, and stores nothing new; with
    `OnDiscard.AUDIT` it drops all the rest too, each with a row in the audit, one for every time.
    An event that is stored already is a duplicate or a conflict, as in any mode.

    Raises:
        NotJsonError: Not one JSON object with a usable `event_id`.
        PayloadConflictError: The id is known with other content.
        DiscardRefusedError: The mode keeps nothing, and the event may not be dropped.
        RedactionError: The redaction failed; nothing was stored.
        ProjectUnusableError: *project* is no name of a project; nothing was stored.
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
    What a policy drops is put on record in that unit too. With `keys`, later events of the call
    supersede earlier ones of it as well; see `capture`.

    Raises:
        ProjectUnusableError: *project* is no name of a project.
        StoreError: Nothing of it was stored, nor dropped.
    """
    require_project(project)
    results: list[Result | None] = []
    events: list[tuple[int, str, Event]] = []
    families: dict[int, Family] = {}
    for place, envelope in enumerate(envelopes):
        try:
            event, families[place] = prepare(envelope, rules)
        except (NotJsonError, RedactionError) as error:
            # What it comes from holds the whole text, which no redaction has seen.
            error.__context__ = None
            results.append(error.with_traceback(None))
            continue
        events.append((place, stream_key(event.project, project), event))
        results.append(None)
    if policy_of(rules.mode).retain:
        _append(stores, events, results, rules, at)
    elif events:
        classified = [(stream, event, families[place]) for place, stream, event in events]
        dropped = discard(stores, classified, rules, at=at)
        for (place, _, _), result in zip(events, dropped, strict=True):
            results[place] = result
    return [result for result in results if result is not None]


def _append(
    stores: "Stores",
    events: Sequence[tuple[int, str, Event]],
    results: list[Result | None],
    rules: CaptureRules,
    at: int,
) -> None:
    groups, keys, trace = _groups(events), rules.keys, _trace_of(rules)
    durable = stores.is_durable
    # A single append is a unit of work by itself.
    is_more = len(groups) > 1 or keys is not None or trace is not None
    with stores.atomic() if is_more else nullcontext():
        for places, stream, group in groups:
            appended = stores.journal.append(stream, group, at=at, producer=rules.producer)
            new = [] if keys is None else _keyed(group, appended, keys)
            counts = stores.superseding.supersede(stream, dict(new), at=at) if new else {}
            if trace is not None:
                _note(stores, appended, trace)
            for place, item in zip(places, appended, strict=True):
                results[place] = receipt_of(item, counts.get(item.position, 0), durable=durable)


def _trace_of(rules: CaptureRules) -> str | None:
    said = rules.traceparent
    return said if said is not None and is_trace_context(said) else None


def _note(stores: "Stores", appended: Sequence[Appended], trace: str) -> None:
    for item in appended:
        if item.state in ("stored", "held"):
            stores.traces.note(item.stream, item.position, trace)


def _keyed(
    group: Sequence[Event], appended: Sequence[Appended], keys: KeyRules
) -> list[tuple[int, str]]:
    """Return the positions that are new and not held, with their keys."""
    return [
        (item.position, key)
        for event, item in zip(group, appended, strict=True)
        if item.state == "stored" and (key := coalesce_key(event, keys)) is not None
    ]


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
