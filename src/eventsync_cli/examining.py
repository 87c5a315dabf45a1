"""What a home is found to be: facts from around the database, and a look into it."""

from collections.abc import Iterator

from eventsync_cli.compose import App
from eventsync_cli.compose.copies import left_copies
from eventsync_cli.waiting import rows_in
from eventsync_core.diagnosis import Facts, Gone, Lookup
from eventsync_core.egress import off_record
from eventsync_core.errors import (
    EventSyncError,
    GrantDamagedError,
    StoreError,
    StoreUnreadableError,
)
from eventsync_core.integrity import Verification, Verified, loose, verify, verify_references
from eventsync_core.journal import Head, heads_of
from eventsync_core.stores import Stores
from eventsync_core.targets import Target

__all__ = ["facts_of", "leases", "look"]

_SAMPLE = 1_000
_MOST_SECONDS = 2.0


def facts_of(app: App, stores: Stores | None) -> Facts:
    """Return what is known around the store."""
    version, is_exposed = app.library()
    around = app.examine()
    storage = app.storage
    waiting = rows_in(app.old_sources().sources, stores)
    return Facts(
        path=app.shown_database,
        sqlite_version=version,
        is_exposed=is_exposed,
        journal_mode=None if storage is None else storage.journal_mode,
        configured_mode=None if storage is None else storage.configured_mode,
        is_local=around.is_local,
        disk_kind=around.disk_kind,
        wal_bytes=around.wal_bytes,
        is_writable=around.is_writable,
        free_bytes=around.free_bytes,
        loose=tuple(str(path) for path in around.loose),
        pending=around.pending,
        copies=left_copies(app),
        legacy=tuple((each.source.path, each.said()) for each in waiting),
        problems=tuple(app.problems()),
    )


def look(app: App, stores: Stores, *, thorough: bool) -> Lookup:
    """
    Look into the store: at all of it, but only at the ends of streams where not *thorough*.

    Raises:
        StoreError: It cannot be read.
    """
    checked = stores.inspection.check(
        seconds=None if thorough else _MOST_SECONDS, thorough=thorough
    )
    sampled = tuple(_sampled(stores, thorough=thorough))
    return Lookup(
        flaws=tuple(checked.flaws),
        is_mendable=checked.is_mendable,
        schema=tuple(checked.schema),
        is_checked=checked.is_finished,
        sampled=sampled,
        loose_damage=sum(loose(stores, each) for each in sampled),
        miscounts=tuple(stores.inspection.miscounts()),
        references=verify_references(stores.inspection),
        off_record=tuple(_off_record(stores)),
        ungranted=tuple(_ungranted(stores)),
        gone=tuple(_gone(app, stores)),
        newest_at=max(_times(stores), default=0),
        at=app.clock(),
    )


def leases(app: App, stores: Stores) -> Iterator[dict[str, object]]:
    """Yield who is sending what at this moment, and who ended while it did."""
    at = app.clock()
    for target, stream in _pairs(stores):
        busy = stores.desk.busy(target.target_id, stream, at=at)
        left = stores.desk.abandoned(target.target_id, stream, at=at)
        for found in (busy, left):
            if found is not None:
                yield {
                    "target_id": target.target_id,
                    "stream": stream,
                    "pid": found.holder.pid,
                    "is_live": found is busy,
                }


def _gone(app: App, stores: Stores) -> Iterator[Gone]:
    at = app.clock()
    try:
        chosen = app.current_target()
    except EventSyncError:
        # What is wrong with the configuration is a finding of its own.
        chosen = None
    current = None if chosen is None else chosen.target_id
    for target, stream in _pairs(stores):
        left = stores.desk.abandoned(target.target_id, stream, at=at)
        if left is not None:
            grant = stores.grants.get(target.target_id, stream)
            is_open = grant is not None and grant.is_live and not grant.paused and not target.paused
            yield Gone(
                pid=left.holder.pid,
                url=target.url,
                stream=stream,
                carried=left.carried,
                is_current=is_open and current == target.target_id,
            )


def _pairs(stores: Stores) -> Iterator[tuple[Target, str]]:
    for target in stores.targets.targets():
        for grant in stores.grants.grants(target.target_id):
            yield target, grant.stream


def _sampled(stores: Stores, *, thorough: bool) -> Iterator[Verification]:
    for head in heads_of(stores.journal, None):
        since = None if thorough else _before_the_end(stores, head)
        yield verify(stores.journal, head.stream, head=head, since=since)


def _before_the_end(stores: Stores, head: Head) -> Verified | None:
    """Return the entry from which a sample begins; None: it is the whole stream."""
    if head.position <= _SAMPLE:
        return None
    place = head.position - _SAMPLE
    try:
        found = stores.journal.entries(head.stream, after=place - 1, limit=1)
    except StoreUnreadableError:
        return None
    is_there = [entry.position for entry in found] == [place]
    return Verified(place, found[0].chain) if is_there else None


def _off_record(stores: Stores) -> Iterator[GrantDamagedError]:
    for target in stores.targets.targets():
        for grant in stores.grants.grants(target.target_id):
            if not grant.is_on_record:
                yield off_record(target.target_id, grant.stream)


def _ungranted(stores: Stores) -> Iterator[tuple[str, str]]:
    for target in stores.targets.targets():
        grants = stores.grants.grants(target.target_id)
        # One that was revoked is a decision, not an omission.
        if not grants:
            yield target.target_id, target.url


def _times(stores: Stores) -> Iterator[int]:
    for head in stores.journal.heads():
        try:
            last = stores.journal.entries(head.stream, after=head.position - 1, limit=1)
        except StoreError:
            continue
        yield from (entry.captured_at for entry in last)
    for target in stores.targets.targets():
        yield stores.ledger.last_delivery_at(target.target_id) or 0
