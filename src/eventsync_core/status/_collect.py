from collections.abc import Iterator, Sequence
from itertools import chain, islice

import attrs

from eventsync_core.census import Class, remaining
from eventsync_core.clock import SECOND
from eventsync_core.codec import MOST_ITEMS, write_document
from eventsync_core.errors import OF_ODD_VALUES, StoreUnreadableError
from eventsync_core.inspection import BEYOND_HEAD, Link
from eventsync_core.journal import heads_of, is_astray
from eventsync_core.status._bodies import body_streams
from eventsync_core.status._check import check
from eventsync_core.status._gates import closed_gates
from eventsync_core.status._model import (
    Failure,
    Setting,
    Status,
    StreamStatus,
    TargetStatus,
)
from eventsync_core.status._odd import require_plain
from eventsync_core.status._wire import as_document
from eventsync_core.stores import Stores
from eventsync_core.targets import Target

_ALL = 1 << 40


def collect(stores: Stores | None, setting: Setting, *, at: int) -> Status:
    """
    Read the ports of *stores* once and return the status at that time.

    Without stores (there is no database yet) everything counts zero.

    Raises:
        StoreError: The store cannot be read, or no document can be made of what it holds; hand
            the error in with the *setting* instead.
    """
    try:
        status = _collect(stores, setting, at=at)
        if stores is not None:
            require_plain(status)
            write_document(as_document(status, check(status), exit_code=0))
    except OF_ODD_VALUES as error:
        message = "the database is damaged: it holds what eventsync never writes"
        odd = StoreUnreadableError(message)
        odd.fix_text = "eventsync sync doctor names what helps"
        raise odd from error
    return status


def _collect(stores: Stores | None, setting: Setting, *, at: int) -> Status:
    gates, reasons = closed_gates(stores, setting, at=at)
    setting = attrs.evolve(setting, gates=gates)
    if stores is None:
        return Status(setting=setting, at=at, gate_reasons=reasons)
    heads = heads_of(stores.journal, None)
    streams = [head.stream for head in heads]
    targets = tuple(
        target_status(stores, target, streams, setting.current, at)
        for target in stores.targets.targets()
    )
    failed = chain.from_iterable(failures(stores, status) for status in targets)
    return Status(
        setting=setting,
        at=at,
        gate_reasons=reasons,
        captured={head.stream: head.position for head in heads},
        astray=tuple(head.stream for head in heads if is_astray(stores.journal, head)),
        retained=tuple(stores.measures.retained()),
        storage=stores.measures.storage(),
        archived_count=stores.payloads.counts().archived,
        oldest_at=stores.measures.oldest_kept_at(),
        targets=targets,
        failures=tuple(islice(failed, MOST_ITEMS)),
        conflicts=tuple(stores.legacy.aside(limit=MOST_ITEMS, is_open_conflict=True)),
        conflict_count=stores.legacy.open_conflicts(),
        source_digests={
            noted.source.path: noted.source.target.partition(":")[2]
            for noted in stores.legacy.sources()
        },
        body_streams=body_streams(stores, setting.current, at=at),
        overrun=tuple(
            each.stream
            for each in stores.inspection.dangling(Link.GRANT, limit=_ALL).found
            if each.missing == BEYOND_HEAD
        ),
        bodies=stores.bodies.counts("" if setting.current is None else setting.current.target_id),
    )


def target_status(
    stores: Stores, target: Target, names: Sequence[str], current: Target | None, at: int
) -> TargetStatus:
    """Return how *target* stands with the streams of these *names*."""
    streams = tuple(_stream_status(stores, target, name, at) for name in names)
    last = stores.ledger.last_delivery_at(target.target_id)
    waits = any(stream.remaining_owed for stream in streams)
    since = at - last if waits and last is not None and last <= at else None
    return TargetStatus(
        target=target,
        is_current=current is not None and current.target_id == target.target_id,
        last_delivery_at=last,
        seconds_since_delivery=None if since is None else since / SECOND,
        streams=streams,
    )


def _stream_status(stores: Stores, target: Target, stream: str, at: int) -> StreamStatus:
    grant = stores.grants.get(target.target_id, stream)
    tally = stores.backlog.tally(target.target_id, stream, at=at)
    classes = tally.classes()
    is_granted = grant is not None and grant.is_live
    owed = remaining(classes)
    oldest = stores.measures.oldest_owed_at(target.target_id, stream) if owed else None
    since = oldest if oldest is None or grant is None else max(oldest, grant.granted_at)
    return StreamStatus(
        stream=stream,
        captured=tally.captured,
        is_granted=is_granted,
        from_position=grant.from_position if grant is not None and is_granted else None,
        paused=grant.paused if grant is not None else "",
        classes=classes,
        total=sum(classes.values()),
        is_coherent=tally.is_coherent,
        remaining_owed=owed,
        gone=tally.gone,
        oldest_owed_at=oldest,
        owed_since=since,
        is_on_record=grant is None or grant.is_on_record,
        last_request=next(iter(stores.ledger.requests(target.target_id, stream, limit=1)), None),
    )


def failures(stores: Stores, status: TargetStatus) -> Iterator[Failure]:
    """Name what failed for good at a target, the newest of each stream first."""
    target_id = status.target.target_id
    for stream in status.streams:
        count = min(stream.classes[Class.TERMINAL_FAILED], MOST_ITEMS)
        if not count:
            continue
        found = stores.ledger.terminal(target_id, stream.stream, limit=count)
        names = stores.measures.event_ids(stream.stream, [position for position, _ in found])
        for position, said in found:
            yield Failure(
                event_id=names[position],
                target_id=target_id,
                stream=stream.stream,
                position=position,
                said=said,
            )
