"""The server's half of the batch contract: keep events by id and answer for each."""

from eventsync_core.ingest._batch import MOST_BYTES, MOST_EVENTS, Reply, answer_batch
from eventsync_core.ingest._health import answer_health
from eventsync_core.ingest._held import answer_held
from eventsync_core.ingest._memory import MemoryInbox
from eventsync_core.ingest._port import Inbox, Kept
from eventsync_core.ingest._push import MOST_PUSH_BYTES, answer_push

__all__ = [
    "MOST_BYTES",
    "MOST_EVENTS",
    "MOST_PUSH_BYTES",
    "Inbox",
    "Kept",
    "MemoryInbox",
    "Reply",
    "answer_batch",
    "answer_health",
    "answer_held",
    "answer_push",
]
