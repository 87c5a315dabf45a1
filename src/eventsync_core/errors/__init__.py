"""
Everything eventsync raises on purpose.

EventSyncError
├── NotJsonError                not one JSON object
│   └── MissingEventIdError     an object without a usable event_id
├── PayloadConflictError        a known id with other content
├── DiscardRefusedError         the policy may not drop this event
├── RedactionError              a host's redaction failed
├── ProjectUnusableError        no event could name such a project
├── UnknownEventError           no event of that id is stored
├── UnknownTargetError          no such target
├── NotToldError                a target does not say what it holds
├── UnsendableEventError        what the host made of an event cannot be sent
├── DamagedEntryError           what is stored of an entry is not what was captured
├── NotGrantedError             a stream may not go to that target
├── TargetUrlError              a URL that cannot name a target
├── ServerMissingError          no Teamspace server is named
├── TargetConflictError         environment and configuration name different servers
├── SettingsError               configuration that cannot be read or understood
├── JournalModeRefusedError     WAL would not be safe here
├── HomeNotEmptyError           a backup is not restored over what is there
├── BackupDamagedError          a copy of a store does not hold together
├── SourceError                 a file of an old program cannot be read, or not be emptied
├── NothingOpenError            a permit, lease or unit of work used after its end
├── OutputLostError             what was to be written cannot be written
├── OutputUnusableError         a file that cannot be made where it was named
└── StoreError                  the database cannot do this now
    ├── StoreBusyError          another process holds it
    ├── StoreFullError          no space left
    ├── StoreNotWritableError   read-only file, folder or medium
    ├── StoreNewerError         written by a newer program
    └── StoreUnreadableError    not a database, or damaged
        └── GrantDamagedError   a grant is not what was done to it by record
"""

from eventsync_core.errors._base import (
    EventSyncError,
    Reason,
    fix_document,
    reason_of,
    spelt,
)
from eventsync_core.errors._given import (
    BackupDamagedError,
    DiscardRefusedError,
    HomeNotEmptyError,
    JournalModeRefusedError,
    MissingEventIdError,
    NotGrantedError,
    NothingOpenError,
    NotJsonError,
    NotToldError,
    OutputLostError,
    OutputUnusableError,
    PayloadConflictError,
    ProjectUnusableError,
    RedactionError,
    ServerMissingError,
    SettingsError,
    SourceError,
    TargetConflictError,
    TargetUrlError,
    UnknownEventError,
    UnknownTargetError,
    UnsendableEventError,
)
from eventsync_core.errors._store import (
    OF_ODD_VALUES,
    DamagedEntryError,
    GrantDamagedError,
    StoreBusyError,
    StoreError,
    StoreFullError,
    StoreNewerError,
    StoreNotWritableError,
    StoreUnreadableError,
)

__all__ = [
    "OF_ODD_VALUES",
    "BackupDamagedError",
    "DamagedEntryError",
    "DiscardRefusedError",
    "EventSyncError",
    "GrantDamagedError",
    "HomeNotEmptyError",
    "JournalModeRefusedError",
    "MissingEventIdError",
    "NotGrantedError",
    "NotJsonError",
    "NotToldError",
    "NothingOpenError",
    "OutputLostError",
    "OutputUnusableError",
    "PayloadConflictError",
    "ProjectUnusableError",
    "Reason",
    "RedactionError",
    "ServerMissingError",
    "SettingsError",
    "SourceError",
    "StoreBusyError",
    "StoreError",
    "StoreFullError",
    "StoreNewerError",
    "StoreNotWritableError",
    "StoreUnreadableError",
    "TargetConflictError",
    "TargetUrlError",
    "UnknownEventError",
    "UnknownTargetError",
    "UnsendableEventError",
    "fix_document",
    "reason_of",
    "spelt",
]
