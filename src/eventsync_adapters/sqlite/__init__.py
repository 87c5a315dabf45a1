"""The stores over one SQLite file per home; imports only what a capture needs."""

from eventsync_adapters.sqlite._backup import copy_store, flaw_of, put_in_place
from eventsync_adapters.sqlite._connection import is_in_unit
from eventsync_adapters.sqlite._facts import StorageFacts
from eventsync_adapters.sqlite._joined import join_stores
from eventsync_adapters.sqlite._migrate import pending_versions
from eventsync_adapters.sqlite._mode import check_journal_mode, set_journal_mode
from eventsync_adapters.sqlite._reading import open_at_once, open_for_reading
from eventsync_adapters.sqlite._shrink import Space, compact, give_back, measure
from eventsync_adapters.sqlite._store import SqliteStores, is_exposed, not_made, open_stores

__all__ = [
    "Space",
    "SqliteStores",
    "StorageFacts",
    "check_journal_mode",
    "compact",
    "copy_store",
    "flaw_of",
    "give_back",
    "is_exposed",
    "is_in_unit",
    "join_stores",
    "measure",
    "not_made",
    "open_at_once",
    "open_for_reading",
    "open_stores",
    "pending_versions",
    "put_in_place",
    "set_journal_mode",
]
