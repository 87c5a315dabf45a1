from pathlib import Path

import click

from eventsync_cli.acting import acting
from eventsync_cli.bringing import bring_home, read_resolutions
from eventsync_cli.compose import App
from eventsync_cli.render import Result


@acting("migrate")
@click.option(
    "--from",
    "places",
    multiple=True,
    metavar="PATH",
    type=click.Path(exists=True, path_type=Path),
    help="Look here too: a folder, or one file.",
)
@click.option("--dry-run", is_flag=True, help="Count, but change nothing.")
@click.option(
    "--resolve",
    "resolutions",
    multiple=True,
    metavar="[ID=]WORD",
    help="Settle conflicts: keep-journal, keep-source or keep-both; all, or that of one event.",
)
@click.option("--keep-sources", is_flag=True, help="Delete nothing from the old files.")
@click.option(
    "--take-quarantined",
    is_flag=True,
    help="Let rows that hold no event leave the old files too; their bytes are kept.",
)
def command(
    app: App,
    places: tuple[Path, ...],
    resolutions: tuple[str, ...],
    *,
    dry_run: bool,
    keep_sources: bool,
    take_quarantined: bool,
) -> Result:
    """
    Import what old programs left in their queues, and empty these of what was imported.

    Events go to the stream of their project, else to that of --project, else to `unassigned`.
    """
    everywhere, single = read_resolutions(resolutions)
    return bring_home(
        app,
        places,
        dry_run=dry_run,
        keep_sources=keep_sources,
        take_quarantined=take_quarantined,
        resolve_all=everywhere,
        resolve=single,
    )
