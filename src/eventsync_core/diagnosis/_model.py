from enum import StrEnum

import attrs

from eventsync_core.errors import EventSyncError, GrantDamagedError, Reason
from eventsync_core.inspection import Miscount
from eventsync_core.integrity import References, Verification


class Severity(StrEnum):
    """How bad it is: promises are broken, something will go wrong, or good to know."""

    ERROR = "error"
    WARNING = "warning"
    INFO = "info"


@attrs.frozen
class Finding:
    """One thing that was found, how bad it is, and what helps."""

    severity: Severity
    reason: Reason


@attrs.frozen(kw_only=True)
class Facts:
    """
    What is known of a home without opening its store, as far as it could be found out.

    `journal_mode`, as SQLite says, is None while there is no database, and so is
    `configured_mode`, which it is told to use. `is_writable` is false where a database is there
    that cannot be written. `loose` are files and folders that others may read, `free_bytes` is
    what the disk still holds, `pending` are versions of the schema that the database does not
    have yet, `copies` are files beside it that hold what it held once, `legacy` says what old
    files hold.
    """

    path: str
    sqlite_version: str
    is_exposed: bool = False
    journal_mode: str | None = None
    configured_mode: str | None = None
    is_local: bool = True
    disk_kind: str = ""
    wal_bytes: int = 0
    is_writable: bool = True
    free_bytes: int | None = None
    loose: tuple[str, ...] = ()
    pending: tuple[str, ...] = ()
    copies: tuple[str, ...] = ()
    legacy: tuple[tuple[str, str], ...] = ()
    problems: tuple[EventSyncError, ...] = ()


@attrs.frozen(kw_only=True)
class Gone:
    """
    A process that ended without giving back what it had: the lease of `stream` to a target.

    `carried` events were on their way. `is_current`: the target is the one that is chosen now,
    and may be sent to.
    """

    pid: int
    url: str
    stream: str
    carried: int
    is_current: bool


@attrs.frozen(kw_only=True)
class Lookup:
    """
    What was found in the store.

    `flaws` are SQLite's own complaints, which mending sets right if `is_mendable`;
    `is_checked` is false where looking for them took too long, `schema` are tables, indexes
    and triggers that are missing, altered or not ours.
    `sampled` are walks over the ends of the streams, `loose_damage` how many damaged entries
    among them are not held. `off_record` says of each grant that is not what was done to it
    by record what ends it. `ungranted` are targets that nothing may go to, `gone` are
    senders that ended without a word, `newest_at` is the latest time that is stored, `at` is
    now, in microseconds since 1970 UTC.
    """

    flaws: tuple[str, ...] = ()
    is_mendable: bool = False
    schema: tuple[str, ...] = ()
    is_checked: bool = True
    sampled: tuple[Verification, ...] = ()
    loose_damage: int = 0
    miscounts: tuple[Miscount, ...] = ()
    references: References | None = None
    off_record: tuple[GrantDamagedError, ...] = ()
    ungranted: tuple[tuple[str, str], ...] = ()
    gone: tuple[Gone, ...] = ()
    newest_at: int = 0
    at: int = 0
