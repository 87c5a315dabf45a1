"""What each target said of each entry, who is sending, what is left, and what is superseded."""

from eventsync_core.ledger._memory import MemoryLedger
from eventsync_core.ledger._memory_backlog import MemoryBacklog
from eventsync_core.ledger._memory_superseding import MemorySuperseding
from eventsync_core.ledger._model import (
    Busy,
    Candidate,
    HistoryItem,
    Holder,
    Lane,
    Lease,
    LedgerEntry,
    Opening,
    Request,
)
from eventsync_core.ledger._port import Backlog, Leases, Ledger
from eventsync_core.ledger._ranges import read_ranges, spans, write_ranges
from eventsync_core.ledger._rules import (
    LEASE_LENGTH,
    LOST_REASON,
    effect_of,
    fold,
    is_kept,
    is_replaceable,
    let_wait,
    lost,
    said_of,
)
from eventsync_core.ledger._superseding import (
    Link,
    Succession,
    Superseding,
    may_be_superseded,
    succeed,
)

__all__ = [
    "LEASE_LENGTH",
    "LOST_REASON",
    "Backlog",
    "Busy",
    "Candidate",
    "HistoryItem",
    "Holder",
    "Lane",
    "Lease",
    "Leases",
    "Ledger",
    "LedgerEntry",
    "Link",
    "MemoryBacklog",
    "MemoryLedger",
    "MemorySuperseding",
    "Opening",
    "Request",
    "Succession",
    "Superseding",
    "effect_of",
    "fold",
    "is_kept",
    "is_replaceable",
    "let_wait",
    "lost",
    "may_be_superseded",
    "read_ranges",
    "said_of",
    "spans",
    "succeed",
    "write_ranges",
]
