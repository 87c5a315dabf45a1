"""What each target said of each entry, who is sending, what is left, and what is superseded."""

from eventsync_core.ledger._damage import follows, is_damaged, stands
from eventsync_core.ledger._desk_port import Desk, Holds
from eventsync_core.ledger._memory import MemoryLedger
from eventsync_core.ledger._memory_backlog import MemoryBacklog
from eventsync_core.ledger._memory_desk import MemoryDesk, MemoryHolds
from eventsync_core.ledger._memory_superseding import MemorySuperseding
from eventsync_core.ledger._model import (
    Abandoned,
    Act,
    Busy,
    Candidate,
    HistoryItem,
    Holder,
    Holding,
    Lane,
    Lease,
    LedgerEntry,
    Opening,
    Request,
    Standing,
)
from eventsync_core.ledger._port import Backlog, Leases, Ledger
from eventsync_core.ledger._ranges import in_ranges, read_ranges, spans, write_ranges
from eventsync_core.ledger._reopen import adopt, is_for, last_words, reopen
from eventsync_core.ledger._rules import (
    LEASE_LENGTH,
    LONGEST_WAIT,
    LOST_REASON,
    effect_of,
    fold,
    is_kept,
    is_replaceable,
    is_same_boot,
    let_wait,
    lost,
    said_of,
    silenced,
)
from eventsync_core.ledger._superseding import (
    Link,
    Succession,
    Superseding,
    succeed,
)

__all__ = [
    "LEASE_LENGTH",
    "LONGEST_WAIT",
    "LOST_REASON",
    "Abandoned",
    "Act",
    "Backlog",
    "Busy",
    "Candidate",
    "Desk",
    "HistoryItem",
    "Holder",
    "Holding",
    "Holds",
    "Lane",
    "Lease",
    "Leases",
    "Ledger",
    "LedgerEntry",
    "Link",
    "MemoryBacklog",
    "MemoryDesk",
    "MemoryHolds",
    "MemoryLedger",
    "MemorySuperseding",
    "Opening",
    "Request",
    "Standing",
    "Succession",
    "Superseding",
    "adopt",
    "effect_of",
    "fold",
    "follows",
    "in_ranges",
    "is_damaged",
    "is_for",
    "is_kept",
    "is_replaceable",
    "is_same_boot",
    "last_words",
    "let_wait",
    "lost",
    "read_ranges",
    "reopen",
    "said_of",
    "silenced",
    "spans",
    "stands",
    "succeed",
    "write_ranges",
]
