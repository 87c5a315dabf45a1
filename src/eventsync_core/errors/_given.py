from eventsync_core.errors._base import EventSyncError

_MOST_NAMED = 20


class NotJsonError(EventSyncError):
    """What was handed in is not one JSON object in UTF-8; nothing was stored."""

    code = "not_json"
    fix_text = "hand in exactly one JSON object per event, in UTF-8"


class MissingEventIdError(NotJsonError):
    """A JSON object without a string `event_id` of 1 to 200 printable characters."""

    code = "no_event_id"
    fix_text = "give the event a string event_id of 1 to 200 printable characters"


class PayloadConflictError(EventSyncError):
    """
    An event came back under a known id with other content; the stored one is unchanged.

    Attributes:
        event_id: The id both contents claim.
        stream: The stream that holds it.
        position: Where it stands there.
    """

    code = "payload_conflict"

    def __init__(self, event_id: str, stream: str, position: int) -> None:
        super().__init__(
            f"event {event_id} is already stored with other content "
            f"(stream {stream}, position {position})"
        )
        self.event_id = event_id
        self.stream = stream
        self.position = position
        self.fix_argv = ("eventsync", "journal", "show", event_id)


class ProjectUnusableError(EventSyncError):
    """A project was named that no event could name."""

    code = "project_unusable"
    fix_text = "name a project as it stands in project_uuid"

    def __init__(self) -> None:
        super().__init__("the name of the project holds characters that cannot be printed")


class DiscardRefusedError(EventSyncError):
    """
    The policy would drop an event that may be bound for a target; it is not stored.

    Attributes:
        event_id: The id of the event.
        family: The word of its family, `target_bound` or `unknown`.
    """

    code = "discard_refused"
    fix_text = "capture it under a mode that retains, or have what is dropped put on record"

    def __init__(self, event_id: str, family: str) -> None:
        super().__init__(
            f"mode OPT_OUT keeps nothing, but event {event_id} may not be dropped: "
            f"its family is {family}"
        )
        self.event_id = event_id
        self.family = family


class RedactionError(EventSyncError):
    """
    A host's redaction failed; the event is not stored, for it may hold what must not stay.

    Of the event it tells the id only, and it keeps no cause, which could quote the rest.

    Attributes:
        event_id: The id of the event.
    """

    code = "redaction_failed"
    fix_text = "correct the redaction of the host, then capture the event again"

    def __init__(self, event_id: str, why: str) -> None:
        super().__init__(f"event {event_id} is not stored, its redaction failed: {why}")
        self.event_id = event_id


class UnknownEventError(EventSyncError):
    """
    No event of that id is stored, or of several.

    Attributes:
        event_ids: The ids that are unknown.
    """

    code = "event_unknown"

    def __init__(self, *event_ids: str) -> None:
        named, more = ", ".join(event_ids[:_MOST_NAMED]), len(event_ids) - _MOST_NAMED
        names = named + (f" and {more} more" if more > 0 else "")
        one = len(event_ids) == 1
        super().__init__(f"no event {names} is stored here" if one else f"not stored: {names}")
        self.event_ids = event_ids
        self.fix_argv = ("eventsync", "journal", "list")


class UnknownTargetError(EventSyncError):
    """No target of that id is registered."""

    code = "target_unknown"

    def __init__(self, target_id: str) -> None:
        super().__init__(f"no target {target_id} is registered here")
        self.fix_argv = ("eventsync", "target", "list")


class NotToldError(EventSyncError):
    """A target does not say what it holds."""

    code = "not_told"
    fix_text = "start the eventsync serve that listens there, then run the same command again"


class UnsendableEventError(EventSyncError):
    """
    What a host's `wire_transform` made of one event of a batch cannot be sent; nothing was.

    Attributes:
        index: Its place in the batch.
        event_id: The id of the event; the stored event is unchanged.
        reason: One line on why, without what the event holds.
    """

    code = "event_unsendable"
    fix_text = "correct the wire_transform of this receiver"

    def __init__(self, index: int, event_id: str, reason: str) -> None:
        super().__init__(f"event {event_id} cannot be sent: {reason}")
        self.index = index
        self.event_id = event_id
        self.reason = reason


class NotGrantedError(EventSyncError):
    """A stream may not go to the target."""

    code = "no_grant"

    def __init__(self, stream: str, target_id: str, url: str) -> None:
        super().__init__(f"stream {stream} is not granted to {url}")
        self.fix_argv = ("eventsync", "target", "grant", target_id, "--project", stream)


class TargetUrlError(EventSyncError):
    """A URL that cannot name a target."""

    code = "target_url_invalid"
    fix_text = "give an absolute URL that begins with https:// or http://"


class TargetConflictError(EventSyncError):
    """
    Environment and configuration name different servers; nothing was contacted.

    Attributes:
        configured: The server that config.toml names.
        env: The server that SPEC_KITTY_SAAS_URL names.
    """

    code = "target_conflict"

    def __init__(self, configured: str, env: str, *, can_choose: bool) -> None:
        choose = ("eventsync", "sync", "server", env if can_choose else "URL")
        self.fix_text = (
            "unset SPEC_KITTY_SAAS_URL or let it name the server in config.toml, "
            f"or choose {'its' if can_choose else 'another'} server: {' '.join(choose)}"
        )
        super().__init__(
            f"config.toml names the server {configured}, but SPEC_KITTY_SAAS_URL names {env}; "
            f"{self.fix_text}"
        )
        self.configured = configured
        self.env = env
        if can_choose:
            self.fix_argv = choose


class ServerMissingError(EventSyncError):
    """No Teamspace server is named, neither in the configuration nor in the environment."""

    code = "server_missing"
    fix_text = "name it: eventsync sync server URL"

    def __init__(self) -> None:
        super().__init__("no Teamspace server is named")


class SettingsError(EventSyncError):
    """
    Configuration that cannot be read or understood.

    Attributes:
        source: The file or variable it stands in.
    """

    code = "config_unreadable"

    def __init__(self, message: str, *, source: str, code: str = "config_unreadable") -> None:
        super().__init__(message)
        self.source = source
        self.code = code
        self.fix_text = f"correct {source}"


class JournalModeRefusedError(EventSyncError):
    """WAL is not safe with this SQLite library, or on a disk that is not local."""

    code = "journal_mode_refused"
    fix_argv = ("eventsync", "sync", "doctor", "--journal-mode", "truncate")


_KEEP = "keep the file as it is: nothing of it is deleted"
_SOURCE_FIXES = {
    "source_locked": "end the program that uses the file, then run the command again",
    "source_gone": "look for where it went, and name it there: --from FILE",
    "source_unreadable": "let this user read the file, or move it out of the home",
    "source_empty_file": "look for a copy of it, and move this one out of the home",
    "source_not_a_database": "look for a copy of it, and move this one out of the home",
    "source_foreign": "no row of it can be imported: move it out of the home, or do not name it",
    "source_damaged": "keep the file: what could be read is imported, a backup may have the rest",
    "source_linked": "name the file under its other names too: --from FILE",
    "source_not_emptied": "nothing is lost: --keep-sources leaves the file alone",
}


class SourceError(EventSyncError):
    """A file of an old program cannot be read now, or not be emptied; it is as it was."""

    code = "source_unreadable"

    def __init__(self, message: str, *, code: str = "source_unreadable", fix: str = "") -> None:
        super().__init__(message)
        self.code = code
        self.fix_text = fix or _SOURCE_FIXES.get(code, _KEEP)


class NothingOpenError(EventSyncError):
    """A unit of work, lease or batch was used after it ended; a mistake of the caller."""

    code = "nothing_open"
    fix_text = "keep the store open while it is used"


class OutputLostError(EventSyncError):
    """What was to be written cannot be, to a full disk say; a file is then not made."""

    code = "output_lost"
    fix_text = "write it elsewhere; what is stored is untouched"


class OutputUnusableError(EventSyncError):
    """A file cannot be made where it was named, or is there already; nothing was written."""

    code = "output_unusable"
    fix_text = "name a file in a folder that is there"

    def __init__(self, message: str, *, exists: bool = False, is_ours: bool = False) -> None:
        super().__init__(message)
        if is_ours:
            self.fix_text = "name a file outside of the home"
        if exists:
            self.code = "output_exists"
            self.fix_text = "name another file, or let this one be replaced with --force"


class HomeNotEmptyError(EventSyncError):
    """
    A backup is not restored over a home that holds something already; nothing was changed.

    *unknown* is why nobody can tell what it holds.
    """

    code = "home_not_empty"

    def __init__(self, database: str, file: str, *more: str, unknown: str = "") -> None:
        is_used = f"{database} holds something already; it would be put aside, not deleted"
        super().__init__(f"{unknown}; the backup would take its place" if unknown else is_used)
        self.fix_argv = ("eventsync", "journal", "restore", file, "--replace", *more)


class BackupDamagedError(EventSyncError):
    """A copy of a store does not hold together; it was not made, or not restored."""

    code = "backup_damaged"
    fix_text = "use another backup that eventsync journal backup made; this one is as it was"
