import os
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

import attrs

from eventsync._backing import HomeBacking, MemoryBacking
from eventsync_adapters import machine
from eventsync_core.capture import CaptureRules, Envelope, Receipt, capture, capture_many
from eventsync_core.clock import Clock
from eventsync_core.errors import EventSyncError, NothingOpenError
from eventsync_core.events import require_project
from eventsync_core.ids import given_words, stream_key

if TYPE_CHECKING:
    from eventsync._standing import Standing
    from eventsync_core.authority import ResolvedTarget
    from eventsync_core.dispatch import Budget, Report
    from eventsync_core.egress import Grant
    from eventsync_core.portability import Exported
    from eventsync_core.receivers import DeliveryReceiver
    from eventsync_core.stores import Stores
    from eventsync_core.targets import Target

_RULES = CaptureRules()


def open_store(
    home: Path | str | None,
    *,
    project: str | None = None,
    rules: CaptureRules = _RULES,
    clock: Clock = machine.now,
    durability: str = "full",
    busy_seconds: float = 5.0,
) -> "Store":
    """
    Return the store of *home*; with None one in memory, which ends with the object.

    Nothing is opened or made before it is needed: the first capture or grant makes the
    database, folders 0700 and file 0600. *project* is that of events that name none themselves,
    and the one that `grant` and `revoke` mean. *durability* `full` survives power loss, `normal`
    only the end of the process; a writer waits up to *busy_seconds* for another.

    Raises:
        ProjectUnusableError: *project* is no name of a project.
        ValueError: *durability* is neither `full` nor `normal`.
    """
    require_project(project)
    if durability not in ("full", "normal"):
        raise ValueError(f"durability is 'full' or 'normal', not {durability!r}")
    backing: HomeBacking | MemoryBacking = MemoryBacking()
    if home is not None:
        backing = HomeBacking(Path(home), clock, durability, busy_seconds)
    return Store(backing, project=project, rules=rules, clock=clock)


class Store:
    """
    The events of one home, and what each target has of them; `open_store` makes it.

    It belongs to the process that made it and, once it was opened, to the thread that did; any
    other use raises `NothingOpenError`. What can go wrong with the database is a `StoreError`
    everywhere.
    """

    def __init__(
        self,
        backing: HomeBacking | MemoryBacking,
        *,
        project: str | None,
        rules: CaptureRules,
        clock: Clock,
    ) -> None:
        self.project = project
        self.rules = rules
        self.clock = clock
        self._backing = backing
        self._opened: Stores | None = None
        self._closing = ExitStack()
        self._pid = os.getpid()
        self._thread: int | None = None
        self._is_closed = False
        self._batches = 0

    def capture(
        self, envelope: Envelope, *, project: str | None = None, traceparent: str | None = None
    ) -> Receipt:
        """
        Store one event durably and return its receipt; see `eventsync_core.capture.capture`.

        The trace context *traceparent* is kept beside it, where it is one.

        Raises:
            NotJsonError: Not one JSON object with a usable `event_id`.
            PayloadConflictError: The id is known with other content.
            DiscardRefusedError: The policy keeps nothing, and the event may not be dropped.
            RedactionError: The redaction of the rules failed; nothing was stored.
        """
        return capture(
            self._writing(),
            envelope,
            at=self.clock(),
            project=project or self.project,
            rules=self._rules(traceparent),
        )

    def capture_many(
        self,
        envelopes: Iterable[Envelope],
        *,
        project: str | None = None,
        traceparent: str | None = None,
    ) -> list[Receipt | EventSyncError]:
        """Store events in one unit of work; return a receipt or the reason against it for each."""
        return capture_many(
            self._writing(),
            envelopes,
            at=self.clock(),
            project=project or self.project,
            rules=self._rules(traceparent),
        )

    @contextmanager
    def batch(self) -> Iterator[None]:
        """
        Make everything in the block one unit of work, stored when it ends or not at all.

        Do nothing slow in it: it holds the write lock.
        """
        stores = self._writing()
        if not stores.is_in_unit:
            self._backing.heeding(stores)
        self._batches += 1
        try:
            with stores.atomic():
                yield
        finally:
            self._batches -= 1

    @property
    def stores(self) -> "Stores":
        """The ports behind this store, open for writing, for what has no verb here."""
        return self._backing.heeding(self._writing())

    def grant(
        self,
        target: "Target",
        *,
        actor: str,
        reason: str = "",
        from_now: bool = False,
        project: str | None = None,
    ) -> "Grant":
        """
        Permit the project's events to go to *target*, and return the grant.

        All of them, or with *from_now* only those captured, and bodies added, later; a live grant
        is widened, never narrowed. A pause of the target or the grant ends.
        """
        from eventsync_core import desk

        return desk.grant(
            self.stores,
            target,
            self._stream(project),
            from_now=from_now,
            actor=actor,
            reason=reason,
            at=self.clock(),
        )

    def revoke(
        self, target: "Target", *, actor: str, reason: str = "", project: str | None = None
    ) -> None:
        """
        End the permission of the project's events to go to *target*, at once and without
        conditions; twice, or without a grant, nothing changes.

        It also holds while another process keeps the database busy, and in a `batch` that fails.
        """
        stream = self._stream(project)
        self._check()
        self._backing.revoke(
            self._writing,
            target.target_id,
            stream,
            actor=given_words(actor),
            reason=given_words(reason),
            at=self.clock(),
        )

    def drain(
        self,
        target: "Target",
        receiver: "DeliveryReceiver",
        *,
        budget: "Budget | None" = None,
        project: str | None = None,
        progress: "Callable[[Report], None] | None" = None,
    ) -> "Report":
        """
        Deliver to *target* what it is owed, within *budget*, and say what came of it.

        Of every stream granted to it, or of *project*'s alone. Without a grant nothing is sent,
        and `stopped_because` is `no_grant` where events wait. *progress* is called with the
        running report after every round. A second drain of the same stream ends as `busy`.

        Raises:
            NothingOpenError: In a `batch`: no request may leave before it is on record.
        """
        from eventsync._draining import drain_granted, nothing_to_drain

        self._check()
        if self._opened is None and not self._backing.database_bytes:
            # It tells of a store that was there.
            with self._backing.reading(None):
                return nothing_to_drain(target)
        stream = None if project is None else self._stream(project)
        return drain_granted(self.stores, self.clock, target, receiver, budget, stream, progress)

    def status(
        self,
        target: "Target | None" = None,
        *,
        receiver: "DeliveryReceiver | None" = None,
        authority: "ResolvedTarget | None" = None,
        stall_after_seconds: int | None = None,
    ) -> "Standing":
        """
        Return what is stored, delivered and owed; nothing is made, and nobody is asked.

        *target* is the current one, *receiver* tells its gates, *authority* is reported. Where
        the target is owed something and got nothing for *stall_after_seconds* (None: an hour; 0:
        no time is too long), that is a reason. A store that cannot be read is part of the answer,
        as `unknown`.
        """
        from eventsync._standing import look, setting_of

        self._check()
        setting = setting_of(
            target,
            receiver,
            authority,
            home=str(self._backing.home),
            mode=self.rules.mode,
            database_path=str(self._backing.database),
            stall_after_seconds=stall_after_seconds,
        )
        return look(self._backing.reading(self._opened), setting, at=self.clock())

    def export(
        self,
        write: "Callable[[str], object]",
        *,
        project: str | None = None,
        all_projects: bool = False,
    ) -> "Exported":
        """
        Hand the project's events to *write*, one line each, or those of all projects.

        Exactly as stored, in order; see `eventsync_core.portability.export`. Nothing is made.
        """
        from eventsync_core.portability import Exported, export

        self._check()
        stream = None if all_projects else stream_key(None, project or self.project)
        with self._backing.reading(self._opened) as stores:
            if stores is None:
                return Exported()
            return export(stores.journal, write, stream=stream)

    def close(self) -> None:
        """
        End the use of this store; closing twice is fine.

        Raises:
            NothingOpenError: A `batch` is open.
        """
        if not self._is_closed:
            self._check()
            if self._batches:
                raise NothingOpenError("a batch is open in this store; end it first")
        self._is_closed = True
        self._opened = None
        self._closing.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _stream(self, project: str | None) -> str:
        require_project(project)
        return stream_key(None, project or self.project)

    def _rules(self, traceparent: str | None) -> CaptureRules:
        return attrs.evolve(self.rules, traceparent=traceparent) if traceparent else self.rules

    def _writing(self) -> "Stores":
        self._check()
        if self._opened is None:
            self._opened = self._closing.enter_context(self._backing.writing())
            self._thread = threading.get_ident()
        return self._opened

    def _check(self) -> None:
        if os.getpid() != self._pid:
            raise NothingOpenError("this store was made before a fork; open it anew")
        if self._thread not in (None, threading.get_ident()):
            raise NothingOpenError("this store is in use in another thread; open one here")
        if self._is_closed:
            raise NothingOpenError("this store was closed; open it anew")
