import click

from eventsync_cli.acting import acting
from eventsync_cli.compose import App
from eventsync_cli.render import Result
from eventsync_core.desk import Moved, find_entries, hold
from eventsync_core.errors import UnknownEventError
from eventsync_core.ids import given_words
from eventsync_core.stores import Stores


@acting("hold")
@click.argument("event_ids", nargs=-1, required=True)
@click.option("--reason", default="", help="Why, for whoever looks at them.")
@click.option("--dry-run", is_flag=True, help="Count, but change nothing.")
def command(app: App, event_ids: tuple[str, ...], reason: str, *, dry_run: bool) -> Result:
    """Keep EVENT_IDS from being offered to any target until they are released."""
    if dry_run or not app.has_store:
        with app.reading() as stores:
            moved = _preview(stores, event_ids)
    else:
        with app.stores() as opened:
            moved = hold(opened, event_ids, reason=given_words(reason), actor="cli", at=app.clock())
    would = "would be " if dry_run else ""
    return Result(
        document={
            "held": moved.changed,
            "already_held": moved.unchanged,
            "dry_run": dry_run,
        },
        lines=[f"{would}held {moved.changed}  already held {moved.unchanged}"],
        talk=app.concerns(),
    )


def _preview(stores: Stores | None, event_ids: tuple[str, ...]) -> Moved:
    if stores is None:
        raise UnknownEventError(*event_ids)
    entries = find_entries(stores, event_ids)
    held = sum(entry.event.hold is not None for entry in entries)
    return Moved(len(entries) - held, held)
