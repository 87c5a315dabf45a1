"""The way in: read, decide whether it is kept, append. Asks no network, login or grant."""

from collections.abc import Iterable, Mapping, Sequence
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any, Literal

import attrs

from eventsync_core.errors import (
    DiscardRefusedError,
    EventSyncError,
    NotJsonError,
    PayloadConflictError,
)
from eventsync_core.events import Event, KeyRules, coalesce_key, read_event, text_of
from eventsync_core.ids import stream_key
from eventsync_core.journal import Appended
from eventsync_core.policy import Mode, policy_of

if TYPE_CHECKING:
    from eventsync_core.stores import Stores

__all__ = ["Envelope", "Receipt", "capture", "capture_many"]

Envelope = str | bytes | Mapping[str, Any]
"""One event as it comes in: exact JSON text, its UTF-8 bytes, or a mapping to be written."""


@attrs.frozen
class Receipt:
    """
    What became of a captured event: it stands in `stream` at `position`.

    `state` is `stored`, `held` (stored, but not offered until an operator releases it) or
    `duplicate` (an equal one was there; `stream` is the one that holds it). With `durable`
    it survives process kill, OS crash and power loss from now on; without, from the commit of
    the unit of work around it. `superseded` counts the earlier events that it stands for, and
    that are not delivered any more.
    """

    event_id: str
    stream: str
    position: int
    state: Literal["stored", "held", "duplicate"]
    durable: bool
    superseded: int = 0


def capture(
    stores: "Stores",
    envelope: Envelope,
    *,
    at: int,
    project: str | None = None,
    mode: Mode = Mode.LOCAL_RETENTION,
    keys: KeyRules | None = None,
) -> Receipt:
    """
    Store one event and return its receipt.

    The event goes to the stream of its own `project_uuid`, else to that of *project*, else
    to `default`. *at* is the time of capture in microseconds since 1970 UTC.

    With *keys*, an event that has a key by them supersedes earlier events of its stream that
    were captured with that key: of each, unless some target may have seen it, only the latest
    is delivered. All stay stored as they are. A held event or a duplicate supersedes nothing.

    Raises:
        NotJsonError: Not one JSON object with a usable `event_id`.
        PayloadConflictError: The id is known with other content.
        DiscardRefusedError: *mode* keeps nothing, and the event may not be dropped.
        StoreError: The store is busy, full, read-only or unreadable.
    """
    (receipt,) = capture_many(stores, [envelope], at=at, project=project, mode=mode, keys=keys)
    if isinstance(receipt, EventSyncError):
        raise receipt
    return receipt


def capture_many(
    stores: "Stores",
    envelopes: Iterable[Envelope],
    *,
    at: int,
    project: str | None = None,
    mode: Mode = Mode.LOCAL_RETENTION,
    keys: KeyRules | None = None,
) -> list[Receipt | EventSyncError]:
    """
    Store events in one unit of work; return a receipt or the reason against it for each.

    The reasons are the errors that `capture` raises; one bad event does not harm the others.
    With *keys*, later events of the call supersede earlier ones of it as well; see `capture`.

    Raises:
        StoreError: Nothing of it was stored.
    """
    results: list[Receipt | EventSyncError | None] = []
    events: list[tuple[int, str, Event]] = []
    retain = policy_of(mode).retain
    for place, envelope in enumerate(envelopes):
        try:
            event = read_event(text_of(envelope))
        except NotJsonError as error:
            results.append(error)
            continue
        if not retain:
            results.append(DiscardRefusedError(event.event_id))
            continue
        events.append((place, stream_key(event.project, project), event))
        results.append(None)
    groups = _groups(events)
    durable = stores.is_durable
    # A single append is a unit of work by itself.
    with stores.atomic() if len(groups) > 1 or keys is not None else nullcontext():
        for places, stream, group in groups:
            appended = stores.journal.append(stream, group, at=at)
            new = [] if keys is None else _keyed(group, appended, keys)
            counts = stores.superseding.supersede(stream, dict(new), at=at) if new else {}
            for place, item in zip(places, appended, strict=True):
                results[place] = _receipt(item, counts.get(item.position, 0), durable=durable)
    return [result for result in results if result is not None]


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
