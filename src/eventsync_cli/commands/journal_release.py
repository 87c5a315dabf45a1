import click

from eventsync_cli.acting import acting
from eventsync_cli.compose import App
from eventsync_cli.failures import UsageProblemError
from eventsync_cli.render import Result
from eventsync_core.desk import Moved, find_entries, held_pages, release, release_all
from eventsync_core.errors import UnknownEventError
from eventsync_core.events import Hold
from eventsync_core.stores import Stores


@acting("release")
@click.argument("event_ids", nargs=-1)
@click.option(
    "--hold",
    "why",
    type=click.Choice([hold.value for hold in Hold]),
    help="All of --project's stream that are held for this reason.",
)
@click.option("--dry-run", is_flag=True, help="Count, but change nothing.")
def command(app: App, event_ids: tuple[str, ...], why: str | None, *, dry_run: bool) -> Result:
    """Let EVENT_IDS, or all held for one reason, be offered again where they are granted."""
    if bool(event_ids) is (why is not None):
        raise UsageProblemError(
            "name events, or with --hold why they are held",
            fix_argv=("eventsync", "journal", "release", "--help"),
        )
    hold = None if why is None else Hold(why)
    if dry_run or not app.has_store:
        with app.reading() as stores:
            moved = _preview(app, stores, event_ids, hold)
    else:
        with app.stores() as opened:
            moved = _release(app, opened, event_ids, hold)
    would = "would be " if dry_run else ""
    return Result(
        document={
            "released": moved.changed,
            "not_held": moved.unchanged,
            "hold": why,
            "stream": None if why is None else app.stream,
            "dry_run": dry_run,
        },
        lines=[f"{would}released {moved.changed}  not held {moved.unchanged}"],
        talk=app.concerns(),
    )


def _release(app: App, stores: Stores, event_ids: tuple[str, ...], hold: Hold | None) -> Moved:
    if hold is None:
        return release(stores, event_ids, actor="cli", at=app.clock())
    return Moved(release_all(stores, app.stream, hold, actor="cli", clock=app.clock), 0)


def _preview(
    app: App, stores: Stores | None, event_ids: tuple[str, ...], hold: Hold | None
) -> Moved:
    if hold is not None:
        pages = held_pages(stores, app.stream, hold) if stores else ()
        return Moved(sum(len(page) for page in pages), 0)
    if stores is None:
        raise UnknownEventError(*event_ids)
    entries = find_entries(stores, event_ids)
    held = sum(entry.event.hold is not None for entry in entries)
    return Moved(held, len(entries) - held)
