import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import attrs

from eventsync_adapters.sqlite._connection import (
    Database,
    choose_journal,
    connect,
    set_durability,
)
from eventsync_adapters.sqlite._keys import Keys
from eventsync_adapters.sqlite._rows import positions_in, raise_cursor, read_rows, store_rows
from eventsync_core.clock import Clock
from eventsync_core.errors import StoreError
from eventsync_core.ledger import (
    LEASE_LENGTH,
    LOST_REASON,
    Busy,
    Holder,
    Lease,
    is_replaceable,
    lost,
)

_ONE = """
SELECT token, pid, started_at, boot, expires_at, open_request FROM leases
WHERE target_no = ? AND stream_id = ?
"""
_TAKE = """
INSERT INTO leases (target_no, stream_id, token, pid, started_at, boot, expires_at, open_request)
VALUES (?, ?, ?, ?, ?, ?, ?, 0)
ON CONFLICT (target_no, stream_id) DO UPDATE SET
    token = excluded.token, pid = excluded.pid, started_at = excluded.started_at,
    boot = excluded.boot, expires_at = excluded.expires_at, open_request = 0
"""
_EXTEND = """
UPDATE leases SET expires_at = ?
WHERE target_no = ? AND stream_id = ? AND token = ? AND pid = ? AND started_at = ?
"""
_KEEP = _EXTEND + " AND expires_at > 0"
OPEN = """
SELECT t.target_id FROM leases l CROSS JOIN targets t ON t.target_no = l.target_no
WHERE l.stream_id = ? AND l.open_request > 0
"""
_END = """
UPDATE leases SET open_request = 0, token = token + 1, expires_at = 0
WHERE target_no = ? AND stream_id = ?
"""
_POSITIONS = "SELECT positions FROM requests WHERE request_id = ?"
_LOST = "UPDATE requests SET answer = 'lost', guidance = ? WHERE request_id = ?"

_BEAT_PATIENCE_SECONDS = 0.2


def fence(lease: Lease) -> tuple[int, int, int]:
    """Return what names *lease*; tokens alone begin again where a backup was restored."""
    return lease.token, lease.holder.pid, lease.holder.started_at


class SqliteLeases:
    """`Leases` in the table leases."""

    def __init__(
        self,
        database: Database,
        keys: Keys,
        *,
        boot: Callable[[], str],
        is_alive: Callable[[Holder], bool | None],
        clock: Clock,
        beat_seconds: float = 5.0,
    ) -> None:
        self._database = database
        self._keys = keys
        self._boot = boot
        self._is_alive = is_alive
        self._clock = clock
        self._beat_seconds = beat_seconds
        self._given_back: dict[tuple[str, str], tuple[int, Holder]] = {}

    def acquire(self, target_id: str, stream: str, holder: Holder, *, at: int) -> Lease | Busy:
        """See `Leases.acquire`."""
        seen = self.held(target_id, stream)
        # Asking about a process is slow; it is done before the write lock is taken.
        if seen is not None and not self.is_free(seen, at=at):
            return Busy(seen.holder, seen.expires_at)
        with self._database.write():
            held = self.held(target_id, stream)
            if held is not None and held != seen and not self.is_free(held, at=at):
                return Busy(held.holder, held.expires_at)
            target_no = self._keys.target_for_writing(target_id)
            stream_id = self._keys.stream_for_writing(stream)
            self._give_up_request(target_no, stream_id, at)
            token = held.token + 1 if held else 1
            expires_at = at + LEASE_LENGTH
            process = (holder.pid, holder.started_at, holder.boot)
            self._database.run(_TAKE, (target_no, stream_id, token, *process, expires_at))
        return Lease(
            target_id=target_id, stream=stream, token=token, holder=holder, expires_at=expires_at
        )

    def is_free(self, lease: Lease, *, at: int) -> bool:
        """Say whether anyone else may take over *lease*."""
        given_back = self._given_back.get((lease.target_id, lease.stream))
        if at >= lease.expires_at or given_back == (lease.token, lease.holder):
            return True
        alive = self._is_alive(lease.holder)
        return is_replaceable(lease, at=at, boot=self._boot(), is_alive=alive)

    def held(self, target_id: str, stream: str) -> Lease | None:
        """Return the lease as it stands, run out or not."""
        row = self._row(target_id, stream)
        if row is None:
            return None
        token, pid, started_at, boot, expires_at, _ = row
        return Lease(
            target_id=target_id,
            stream=stream,
            token=token,
            holder=Holder(pid=pid, started_at=started_at, boot=boot),
            expires_at=expires_at,
        )

    def open_positions(self, target_id: str, stream: str) -> list[int]:
        """Return the positions that the open request carries, if there is one."""
        row = self._row(target_id, stream)
        if row is None or not row[5]:
            return []
        (positions,) = self._database.row(_POSITIONS, (row[5],)) or ("",)
        return positions_in(positions)

    def given_up(self, target_id: str, stream: str, *, at: int) -> tuple[int, set[int]]:
        """Return the open request of a sender that is gone, and its positions; 0 if none."""
        row, held = self._row(target_id, stream), self.held(target_id, stream)
        if row is None or held is None or not row[5] or not self.is_free(held, at=at):
            return 0, set()
        return row[5], set(self.open_positions(target_id, stream))

    def _row(self, target_id: str, stream: str) -> tuple[Any, ...] | None:
        numbers = (self._keys.target(target_id), self._keys.stream(stream))
        return self._database.row(_ONE, numbers)

    def _give_up_request(self, target_no: int, stream_id: int, at: int) -> None:
        row = self._database.row(_ONE, (target_no, stream_id))
        request_id = row[5] if row else 0
        if not request_id:
            return
        (positions,) = self._database.row(_POSITIONS, (request_id,)) or ("",)
        place, carried = (target_no, stream_id), positions_in(positions)
        before = read_rows(self._database, place, carried)
        after = {
            position: lost(before.get(position), request_id=request_id, at=at)
            for position in carried
        }
        store_rows(self._database, place, before, after)
        # No row stands above the cursor: what comes before it would not make it wait.
        raise_cursor(self._database, place, max(carried, default=0), at=at)
        self._database.run(_LOST, (LOST_REASON, request_id))

    def renew(self, lease: Lease, *, at: int) -> Lease | None:
        """See `Leases.renew`."""
        with self._database.write():
            if not self._extend(lease, at + LEASE_LENGTH):
                return None
        return attrs.evolve(lease, expires_at=at + LEASE_LENGTH)

    @contextmanager
    def kept(self, lease: Lease) -> Iterator[None]:
        """See `Leases.kept`: a thread with a connection of its own does it."""
        over = threading.Event()
        numbers = (self._keys.target(lease.target_id), self._keys.stream(lease.stream))
        thread = threading.Thread(
            target=self._beat,
            args=(over, (*numbers, *fence(lease))),
            name="eventsync-lease",
            daemon=True,
        )
        try:
            thread.start()
            yield
        finally:
            over.set()
            if thread.ident is not None:
                thread.join()

    def _beat(self, over: threading.Event, place: tuple[int | None, ...]) -> None:
        database: Database | None = None
        wait = self._beat_seconds
        while not over.wait(wait):
            try:
                database = database or self._connect_once_more()
                with database.write():
                    database.run(_KEEP, (self._clock() + LEASE_LENGTH, *place))
                wait = self._beat_seconds
            except (StoreError, OSError):
                # Another writer is at work. The end of the request waits for this thread, and
                # so must not have to wait for that writer.
                wait = min(self._beat_seconds, _BEAT_PATIENCE_SECONDS)
        if database is not None:
            database.close()

    def _connect_once_more(self) -> Database:
        path, patience = self._database.path, _BEAT_PATIENCE_SECONDS
        database = connect(path, mode="rw", busy_seconds=patience)
        try:
            choose_journal(database)
            set_durability(database, "full")
        except BaseException:
            database.close()
            raise
        return database

    def release(self, lease: Lease) -> None:
        """
        See `Leases.release`.

        Where it cannot be stored, as on a full disk, these leases know of it all the same.
        """
        self._given_back[lease.target_id, lease.stream] = (lease.token, lease.holder)
        with self._database.write():
            self._extend(lease, 0)

    def in_flight(self, stream: str, *, at: int) -> set[int]:
        """See `Leases.in_flight`."""
        return {
            position
            for lease, is_free in self._with_open_request(stream, at)
            if not is_free
            for position in self.open_positions(lease.target_id, stream)
        }

    def give_up(self, stream: str, *, at: int) -> None:
        """See `Leases.give_up`."""
        with self._database.write():
            for lease, is_free in self._with_open_request(stream, at):
                if is_free:
                    target_no = self._keys.target_for_writing(lease.target_id)
                    stream_id = self._keys.stream_for_writing(stream)
                    self._give_up_request(target_no, stream_id, at)
                    self._database.run(_END, (target_no, stream_id))

    def _with_open_request(self, stream: str, at: int) -> list[tuple[Lease, bool]]:
        """Return the leases of the stream with one, and whether each is free."""
        rows = self._database.rows(OPEN, (self._keys.stream(stream),))
        held = [self.held(target_id, stream) for (target_id,) in rows]
        return [(lease, self.is_free(lease, at=at)) for lease in held if lease is not None]

    def _extend(self, lease: Lease, expires_at: int) -> bool:
        numbers = (self._keys.target(lease.target_id), self._keys.stream(lease.stream))
        return self._database.run(_EXTEND, (expires_at, *numbers, *fence(lease))) == 1
