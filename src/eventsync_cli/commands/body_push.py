import click

from eventsync_cli.acting import acting
from eventsync_cli.compose import App
from eventsync_cli.render import Result
from eventsync_cli.uploading import Limits, push


@acting("push")
@click.option("--limit", type=click.IntRange(min=1), help="Stop after so many bodies.")
@click.option("--dry-run", is_flag=True, help="Count, but send nothing.")
def command(app: App, limit: int | None, *, dry_run: bool) -> Result:
    """
    Upload to the current target the bodies it is owed; of all its streams, or of --project's.

    Each goes after the events of its stream, and only if its hash is that of its content.
    """
    return push(app, Limits(bodies=limit), dry_run=dry_run)
