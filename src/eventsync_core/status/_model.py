from collections.abc import Mapping

import attrs

from eventsync_core.authority import QueueFile, ResolvedTarget
from eventsync_core.bodies import BodyCounts
from eventsync_core.census import Class
from eventsync_core.clock import SECOND
from eventsync_core.egress import Refusal
from eventsync_core.errors import EventSyncError, Reason
from eventsync_core.ledger import HistoryItem, Request
from eventsync_core.legacy import SetAside
from eventsync_core.measures import Retained, Storage
from eventsync_core.migration import Waiting
from eventsync_core.policy import Mode
from eventsync_core.status._bodies import BodyStream
from eventsync_core.targets import Target

STALL_AFTER_SECONDS = 3_600
"""How long a target may be owed something and get nothing, where nobody says otherwise."""


@attrs.frozen(kw_only=True)
class Foreground:
    """The program that looks: its version, where it runs from, and its process."""

    package_version: str
    executable_path: str
    source_path: str
    pid: int


@attrs.frozen(kw_only=True)
class Setting:
    """
    What is configured around the store, as the caller read it.

    `current` is the target chosen now, or None; `gates` are the words of its closed gates
    that need no look at the store. `stream` is the one that is asked for; None: all of them.
    `place` is the address that no target could be made of, else empty. `database_path` is the
    store's file. `queue_files` are the queues that old programs left in the home; None when
    nobody can tell. After `stall_after_seconds` without a delivery, while something is owed,
    the current target counts as stalled; 0: it never does. `waiting` are old files that hold
    rows, `legacy_queue_path` the place of the one that belonged to nobody. `problems` are
    faults found before the store was looked at; `store_error` is set when it could not be read.
    """

    mode: Mode
    authority: ResolvedTarget
    foreground: Foreground
    database_path: str
    current: Target | None = None
    place: str = ""
    stream: str | None = None
    gates: tuple[str, ...] = ()
    auth_required: bool = False
    auth_present: bool = False
    queue_files: tuple[QueueFile, ...] | None = ()
    stall_after_seconds: int = STALL_AFTER_SECONDS
    waiting: tuple[Waiting, ...] = ()
    legacy_queue_path: str = ""
    problems: tuple[Reason, ...] = ()
    store_error: EventSyncError | None = None


@attrs.frozen(kw_only=True)
class StreamStatus:
    """
    How one stream stands with one target; `total` should equal `captured`.

    `last_request` is the latest one that carried its events there, or None. The first entry that
    is owed was captured at `oldest_owed_at` and is owed since `owed_since`, when the grant may
    have come later. `is_on_record` as in `Grant`, `gone` as in `Tally`.
    """

    stream: str
    captured: int
    is_granted: bool
    from_position: int | None
    paused: str
    classes: Mapping[Class, int]
    total: int
    is_coherent: bool
    remaining_owed: int
    gone: int = 0
    oldest_owed_at: int | None = None
    owed_since: int | None = None
    is_on_record: bool = True
    last_request: Request | None = None


@attrs.frozen(kw_only=True)
class TargetStatus:
    """
    How one target stands.

    `seconds_since_delivery` is None when nothing waits or ever went, or the clock was set back.
    """

    target: Target
    is_current: bool
    last_delivery_at: int | None
    seconds_since_delivery: float | None
    streams: tuple[StreamStatus, ...]

    def count(self, wanted: Class) -> int:
        """Return how many entries of all streams are in that class."""
        return sum(stream.classes[wanted] for stream in self.streams)

    @property
    def classes(self) -> dict[Class, int]:
        """How many entries of all streams each class holds, every class named."""
        return {name: self.count(name) for name in Class}

    @property
    def captured(self) -> int:
        """How many entries the streams hold."""
        return sum(stream.captured for stream in self.streams)

    @property
    def is_coherent(self) -> bool:
        """The classes of every stream sum to what it holds."""
        return all(stream.is_coherent for stream in self.streams)

    @property
    def oldest_owed_at(self) -> int | None:
        """When the oldest entry that is still to be delivered was captured, or None."""
        found = (stream.oldest_owed_at for stream in self.streams)
        return min((at for at in found if at is not None), default=None)

    def seconds_since_oldest_owed(self, at: int) -> float | None:
        """Return how long ago that was; a clock that was set back makes it no less than zero."""
        oldest = self.oldest_owed_at
        return None if oldest is None else max(at - oldest, 0) / SECOND

    def seconds_since_progress(self, at: int) -> float | None:
        """
        Return for how long something is owed and nothing was delivered; None: nothing is owed.

        A delivery of a time that is still to come says nothing of it.
        """
        found = (stream.owed_since for stream in self.streams)
        since = min((at for at in found if at is not None), default=None)
        if since is None:
            return None
        last = self.last_delivery_at or 0
        return max(at - (max(since, last) if last <= at else since), 0) / SECOND

    @property
    def remaining_owed(self) -> int:
        """How many entries of all streams are still to be delivered."""
        return sum(stream.remaining_owed for stream in self.streams)

    @property
    def gone(self) -> int:
        """How many entries of all streams may go, and cannot: their payload is gone."""
        return sum(stream.gone for stream in self.streams)


@attrs.frozen(kw_only=True)
class Failure:
    """An entry that will not be tried again, and the last thing said of it."""

    event_id: str
    target_id: str
    stream: str
    position: int
    said: HistoryItem


@attrs.frozen(kw_only=True)
class Status:
    """
    Everything a person or program asks about a home, read at one time.

    With `setting.store_error` set the store's part is unknown, not zero. `setting.gates` and
    `gate_reasons` are all gates of the current target that are closed now. `astray` are streams
    whose count in `captured` is not the position of their last entry. `retained` is what each
    stream keeps, `storage` how the store lies on disk, `oldest_at` when the first entry that is
    kept was captured, `archived_count` how many are archived. `bodies` counts how they stand
    with the current target; without one, what no target holds is waiting; `body_streams` are
    the streams in which some wait for it. `conflicts` are rows of old files that differ from
    what is stored, the first of `conflict_count`; `source_digests` tell the digest in the name
    of each file, by its path. `overrun` are streams of which a grant's cursor lies above the head,
    so that what is captured is not offered.
    """

    setting: Setting
    at: int
    gate_reasons: tuple[Refusal, ...] = ()
    captured: Mapping[str, int] = attrs.field(factory=dict)
    astray: tuple[str, ...] = ()
    retained: tuple[Retained, ...] = ()
    storage: Storage | None = None
    oldest_at: int | None = None
    archived_count: int = 0
    targets: tuple[TargetStatus, ...] = ()
    failures: tuple[Failure, ...] = ()
    bodies: BodyCounts = attrs.field(factory=BodyCounts)
    body_streams: tuple[BodyStream, ...] = ()
    conflicts: tuple[SetAside, ...] = ()
    conflict_count: int = 0
    source_digests: Mapping[str, str] = attrs.field(factory=dict)
    overrun: tuple[str, ...] = ()

    @property
    def is_known(self) -> bool:
        """The store could be read."""
        return self.setting.store_error is None

    @property
    def captured_count(self) -> int:
        """How many events the journal holds."""
        return sum(self.captured.values())

    @property
    def current(self) -> TargetStatus | None:
        """The status of the target chosen now; None when there is none, or none registered."""
        return next((found for found in self.targets if found.is_current), None)
