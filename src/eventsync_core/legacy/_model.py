from collections.abc import Mapping
from enum import StrEnum
from hashlib import sha256
from typing import NamedTuple

import attrs

from eventsync_core.events import Event


class Kind(StrEnum):
    """What kind of file of an old program a source is."""

    QUEUE = "queue"
    OVERFLOW = "overflow"
    JOURNAL = "journal"
    LEDGER = "ledger"
    TARGETS = "targets"
    AUDIT = "audit"
    EVENT_LOG = "event_log"
    PROJECT_STORE = "project_store"

    @property
    def is_kept(self) -> bool:
        """Such a file is only read, for more than its rows depends on it: none ever leaves it."""
        return self not in (Kind.QUEUE, Kind.OVERFLOW, Kind.JOURNAL)


class Why(StrEnum):
    """Why a row of a source was set aside, and not imported."""

    NOT_UTF8 = "not_utf8"
    NOT_JSON = "not_json"
    NO_EVENT_ID = "no_event_id"
    OTHER_ID = "other_id"
    NO_BODY = "no_body"
    NOT_UNDERSTOOD = "not_understood"
    CONFLICT = "conflict"


class Resolution(StrEnum):
    """
    What an operator decided of a conflict; both contents stay in the store either way.

    `keep-journal`: the one of the journal counts, as before. `keep-source`: that one is held, so
    that it is offered to nobody. `keep-both`: both count, and the one of the journal is offered
    as before.
    """

    KEEP_JOURNAL = "keep-journal"
    KEEP_SOURCE = "keep-source"
    KEEP_BOTH = "keep-both"


class Became(StrEnum):
    """What became of a row of a source."""

    IMPORTED = "imported"
    DEDUPLICATED = "deduplicated"
    CONFLICT = "conflict"
    RESOLVED = "resolved"
    QUARANTINED = "quarantined"


class RowKey(NamedTuple):
    """One content of one row: its table (`lines` for a file of lines), number and `row_digest`."""

    part: str
    row: int
    digest: bytes


def row_digest(raw: bytes, beside: str = "") -> bytes:
    """Return the SHA-256 of what a row holds: of its bytes, and of what else stands in it."""
    return sha256(raw + b"\0" + beside.encode() if beside else raw).digest()


@attrs.frozen(kw_only=True)
class SourceRow:
    """
    One event as an old program kept it; `raw` are the exact bytes.

    `event_id` and `project` are what stands beside the bytes; None: nothing is said there.
    `queued_at` is in microseconds since 1970 UTC. `beside` is a JSON object of columns that mean
    nothing here, or hold something else than they should; empty where there are none. `damage` is
    why nobody can tell which bytes are the event, in a line; `raw` is then all that stands there.
    With `is_unfinished` more may be written to it.
    """

    part: str
    row: int
    event_id: str | None
    raw: bytes
    queued_at: int | None = None
    retry_count: int | None = None
    beside: str = ""
    project: str | None = None
    damage: str = ""
    is_unfinished: bool = False

    @property
    def key(self) -> RowKey:
        """Which row it is, and with which content."""
        return RowKey(self.part, self.row, row_digest(self.raw, self.beside))


@attrs.frozen(kw_only=True)
class Source:
    """
    A file of an old program.

    `path` is its place, in characters that can be stored, of which some may not be fit to be
    printed. `target` names whose it is:
    `known:` or `unknown:` and the digest of its name; `spelling` says how it was recognised.
    """

    path: str
    kind: Kind
    target: str = ""
    spelling: str = ""


@attrs.frozen(kw_only=True)
class Noted:
    """
    A source as it was when everything in it had been looked at.

    `fingerprint` is of the file's parts, empty while something may be new in it. `rows_left` rows
    were left there, and about `open_left` of these nobody has decided; `became` says as JSON what
    became of them.
    """

    source: Source
    fingerprint: str = ""
    rows_left: int = 0
    open_left: int = 0
    became: str = ""


@attrs.frozen(kw_only=True)
class Provenance:
    """
    Where an event came from: a row of the source at `path`, and what stood beside it.

    Of a row of a failure log `queued_at` is when it first failed, and `retry_count` how often.
    `event_id` is the name of a body or a refusal where it came from their tables, and empty where
    that was erased before with its project.
    """

    path: str
    key: RowKey
    event_id: str
    queued_at: int | None
    retry_count: int | None
    taken_at: int
    beside: str = ""

    def nameless(self) -> "Provenance":
        """Return what tells that a row was dealt with, and nothing of what it held."""
        return attrs.evolve(self, event_id="", queued_at=None, retry_count=None, beside="")


@attrs.frozen(kw_only=True)
class SetAside:
    """
    A row that was not imported, on record with its bytes; `number` counts from 1, 0 before that.

    `event_id` is the id that it stands under, empty where there is none. Of a conflict
    `existing` and `incoming` are the canonical digests of the event in the journal and of the
    row. `resolution` is empty while nobody has decided.
    """

    path: str
    key: RowKey
    event_id: str
    why: Why
    detail: str
    size: int
    at: int
    existing: bytes = b""
    incoming: bytes = b""
    queued_at: int | None = None
    retry_count: int | None = None
    beside: str = ""
    raw: bytes = attrs.field(default=b"", repr=False)
    number: int = 0
    resolution: str = ""
    resolved_at: int | None = None


@attrs.frozen(kw_only=True)
class Stored:
    """An event as it stands in the journal; `text` is None when its payload was purged."""

    stream: str
    position: int
    digest: bytes
    canonical_digest: bytes
    text: str | None


@attrs.frozen
class Judged:
    """A row with the event that it holds, or with why it holds none, in a word and a line."""

    row: SourceRow
    key: RowKey
    event: Event | None
    stream: str = ""
    why: Why | None = None
    detail: str = ""


@attrs.frozen
class Decision:
    """What is to become of a row; of a conflict `existing` is the journal's canonical digest."""

    judged: Judged
    became: Became
    existing: bytes = b""


Seen = Mapping[str, bytes]
"""Canonical digests of events by their ids."""
