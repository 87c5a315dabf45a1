from collections.abc import Sequence
from functools import cache, partial
from pathlib import Path

from eventsync_adapters import machine
from eventsync_adapters.files import Environment, config_file, read_config
from eventsync_adapters.files.claims import read_claims
from eventsync_adapters.legacy_queues import find_sources
from eventsync_adapters.sqlite import open_for_reading, open_stores
from eventsync_core.authority import Hypotheses, hypotheses
from eventsync_core.clock import Clock
from eventsync_core.migration import Migration, MigrationRules, OnRow, migrate, preview

_AS_IT_IS = MigrationRules()


def migrate_legacy(
    home: Path | str,
    *,
    places: Sequence[Path | str] = (),
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
    is told of each row what became of it, once; no log is written. Never called by any other
    function of this package.

    Raises:
        StoreError: The database cannot be used; what was stored before is kept. What is wrong
            with an old file stands in the result.
    """
    home = Path(home)
    database = home / "eventsync" / "eventsync.db"
    found = find_sources(
        home, [Path(place) for place in places], tried=cache(partial(_tried, home))
    )
    decides = (rules.resolve or rules.resolve_all) and database.exists()
    if found.is_empty and not decides:
        return Migration(is_preview=dry_run, not_in_conflict=set(rules.resolve))
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


def _tried(home: Path) -> Hypotheses:
    config = read_config(config_file(home))
    return hypotheses(read_claims(home, config, Environment(home=home)))
