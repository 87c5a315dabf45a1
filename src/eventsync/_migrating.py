from collections.abc import Sequence
from pathlib import Path

from eventsync_adapters import machine
from eventsync_adapters.files import Environment, config_file, read_config
from eventsync_adapters.files.claims import read_claims
from eventsync_adapters.legacy_queues import Found, find_sources
from eventsync_adapters.sqlite import open_for_reading, open_stores
from eventsync_core.authority import hypotheses
from eventsync_core.clock import Clock
from eventsync_core.migration import Migration, MigrationRules, OnRow, migrate, preview

_AS_IT_IS = MigrationRules()


def migrate_legacy(
    home: Path,
    *,
    places: Sequence[Path] = (),
    rules: MigrationRules = _AS_IT_IS,
    dry_run: bool = False,
    clock: Clock = machine.now,
    on_row: OnRow = lambda *_: None,
) -> Migration:
    """
    Import what old programs left in *home*, and in the folders and files in *places*.

    Any number of times: what is stored already is not stored again, and where nothing new waits
    it looks at the names of files only. Old files are emptied of what was imported, and never
    removed. With *dry_run* nothing is changed, and the result is what would come of it. *on_row*
    is told of each row what became of it. Never called by any other function of this package.

    Raises:
        StoreError: The database cannot be used; what was stored before is kept. What is wrong
            with an old file stands in the result.
    """
    if find_sources(home, places).is_empty:
        return Migration(is_preview=dry_run)
    database = home / "eventsync" / "eventsync.db"
    found = _found(home, places)
    if dry_run:
        reading = open_for_reading(database)
        if reading is None:
            return preview(None, found.sources, rules, clock=clock, records=found.records)
        with reading:
            return preview(reading, found.sources, rules, clock=clock, records=found.records)
    with open_stores(database, clock=clock) as stores:
        return migrate(
            stores, found.sources, rules, clock=clock, records=found.records, on_row=on_row
        )


def _found(home: Path, places: Sequence[Path]) -> Found:
    config = read_config(config_file(home))
    claims = read_claims(home, config, Environment(home=home))
    return find_sources(home, places, tried=hypotheses(claims))
