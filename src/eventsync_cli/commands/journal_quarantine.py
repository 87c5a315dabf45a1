import click

from eventsync_cli.acting import acting
from eventsync_cli.compose import App
from eventsync_cli.failures import UsageProblemError
from eventsync_cli.quarantining import list_all, quarantine_entries, show_row
from eventsync_cli.render import Result
from eventsync_core.codec import MOST_ITEMS

_MOST = 10**18


@acting("quarantine")
@click.argument("names", nargs=-1, metavar="[NUMBER | EVENT_ID...]")
@click.option("--damaged", is_flag=True, help="Set aside every damaged entry, or --project's.")
@click.option("--dry-run", is_flag=True, help="Count, but change nothing.")
@click.option(
    "--limit",
    type=click.IntRange(min=1, max=MOST_ITEMS),
    default=50,
    show_default=True,
    help="Most rows shown.",
)
@click.option(
    "--after",
    metavar="NUMBER",
    type=click.IntRange(min=0, max=_MOST),
    default=0,
    help="Go on after this row.",
)
def command(
    app: App, names: tuple[str, ...], limit: int, after: int, *, damaged: bool, dry_run: bool
) -> Result:
    """List what is set aside, show the row NUMBER, or set damaged EVENT_IDS aside."""
    is_row = len(names) == 1 and names[0].isascii() and names[0].isdigit()
    if damaged and names:
        raise UsageProblemError(
            "name events, or take all with --damaged",
            fix_argv=("eventsync", "journal", "quarantine", "--help"),
        )
    if damaged or (names and not is_row):
        return quarantine_entries(app, names, dry_run=dry_run)
    if dry_run:
        raise UsageProblemError(
            "--dry-run goes with EVENT_IDS or --damaged",
            fix_argv=("eventsync", "journal", "quarantine", "--damaged", "--dry-run"),
        )
    if not is_row:
        return list_all(app, limit=limit, after=after)
    number = int(names[0][:19])
    if not 0 < number <= _MOST:
        raise UsageProblemError(
            f"{names[0][:40]} is no number of a row",
            fix_argv=("eventsync", "journal", "quarantine"),
        )
    return show_row(app, number)
