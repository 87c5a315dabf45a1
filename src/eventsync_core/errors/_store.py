from eventsync_core.errors._base import EventSyncError

_ELSEWHERE = "name another home with --home (where PERSIST_DB_PATH names the file, another with it)"
OF_ODD_VALUES = (TypeError, ValueError, AttributeError, LookupError, ArithmeticError)
"""What code that trusts its rows ends with where they hold something else."""


class StoreError(EventSyncError):
    """The database cannot do this now; what was stored before is untouched."""

    code = "store_unavailable"
    fix_text = "see the message, then run the same command again"


class StoreBusyError(StoreError):
    """Another process held the database for longer than the busy time-out."""

    code = "store_busy"
    fix_text = "run the same command again when the other process has finished"


class StoreFullError(StoreError):
    """No space is left on the disk, or the database reached its size limit."""

    code = "store_full"
    fix_text = "free some disk space, then run the same command again"


class StoreNotWritableError(StoreError):
    """The database, its folder or the medium is read-only."""

    code = "store_not_writable"
    fix_text = f"make the file and its folder writable, or {_ELSEWHERE}"


class StoreNewerError(StoreError):
    """The database holds a migration that this program does not know."""

    code = "store_newer"
    fix_text = "use an eventsync at least as new as the one that wrote this home"


class StoreUnreadableError(StoreError):
    """The file is not a database, or is damaged."""

    code = "store_unreadable"
    fix_text = f"{_ELSEWHERE}, or eventsync journal restore BACKUP --replace"


class GrantDamagedError(StoreUnreadableError):
    """
    A grant is not what was done to it by record; nothing goes by it until it is ended.

    Attributes:
        stream: What it is said to let go.
    """

    code = "grant_damaged"

    def __init__(self, stream: str, fix_argv: tuple[str, ...]) -> None:
        super().__init__(
            f"the grant of stream {stream} is not what was done to it by record: the database is "
            "damaged; end it, then grant anew what may go"
        )
        self.stream = stream
        self.fix_argv = fix_argv


class DamagedEntryError(EventSyncError):
    """
    What is stored of an entry is not what was captured; nothing of it was sent.

    Attributes:
        index: Its place in the batch.
    """

    code = "damaged"
    fix_argv = ("eventsync", "journal", "quarantine", "--damaged")

    def __init__(self, index: int) -> None:
        super().__init__("what is stored is not what was captured: eventsync journal verify")
        self.index = index
