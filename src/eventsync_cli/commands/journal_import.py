import os
from contextlib import ExitStack, suppress
from pathlib import Path

import click

from eventsync_cli.acting import acting
from eventsync_cli.compose import App
from eventsync_cli.failures import UsageProblemError
from eventsync_cli.importing import import_lines, result_of
from eventsync_cli.render import Progress, Result
from eventsync_cli.sources import open_source

_DATABASE = b"SQLite format 3\0"


@acting("import")
@click.argument("file", metavar="FILE|-", default="-")
@click.option("--dry-run", is_flag=True, help="Count, but change nothing.")
def command(app: App, file: str, *, dry_run: bool) -> Result:
    """
    Take in the lines of an export or archive, gzip or not, from FILE or standard input.

    A payload that went comes back where its digest is equal; unknown events are captured.
    """
    with ExitStack() as opened:
        _check_no_database(file)
        source = open_source(file, opened)
        with Progress("importing", app.clock, total=None, no_color=app.no_color) as bar:
            findings = import_lines(app, source, dry_run=dry_run, progress=bar.reach)
    return result_of(app, findings, dry_run=dry_run)


def _check_no_database(file: str) -> None:
    path = Path(file)
    if file == "-" or not os.access(path, os.R_OK) or not path.is_file():
        return
    # Where it cannot be read, whoever takes its lines tells so.
    with suppress(OSError), path.open("rb") as opened:
        if opened.read(len(_DATABASE)) == _DATABASE:
            raise UsageProblemError(
                f"{file} is a database, and no export or archive",
                code="input_unusable",
                fix_argv=("eventsync", "journal", "restore", file),
            )
