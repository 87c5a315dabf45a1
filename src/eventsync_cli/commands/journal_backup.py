from pathlib import Path
from typing import Any

import click

from eventsync_cli.acting import acting
from eventsync_cli.compose import App
from eventsync_cli.compose.copies import backing_up
from eventsync_cli.copying import Checked, checked
from eventsync_cli.render import Result, counted

_FIX = (
    "eventsync journal verify and eventsync sync doctor name what is damaged; --damaged makes the "
    "copy with all of it, as it is"
)


@acting("backup")
@click.argument("file", metavar="FILE")
@click.option("--force", is_flag=True, help="Replace FILE if it is there.")
@click.option("--damaged", is_flag=True, help="Make it though what is stored is damaged.")
def command(app: App, file: str, *, force: bool, damaged: bool) -> Result:
    """
    Copy everything that is stored to FILE, as it is at one moment, while others write.

    The copy is verified before it gets its name: FILE is made whole or not at all.
    """
    app.require_file()
    if not app.has_store:
        return Result(
            document={**_document(Checked(0, 0)), "file": None, "file_bytes": None},
            talk=(f"nothing is stored yet: {app.shown_database}; no backup is made",),
        )
    with backing_up(app, Path(file), replace=force) as copy:
        with copy.reading() as stores:
            found = checked(app, copy, stores, called="the copy", damaged=damaged, fix=_FIX)
        size = copy.bytes
    of = "" if found.streams is None else f" of {counted(found.streams, 'stream')}"
    return Result(
        document={**_document(found), "file": file, "file_bytes": size},
        lines=[f"backed up {found.said}{of} to {file} ({size} bytes), {found.verdict}"],
        talk=app.concerns(),
        is_act=True,
    )


def _document(found: Checked) -> dict[str, Any]:
    return {
        "events": found.events,
        "streams_count": found.streams,
        "flaw": found.flaw or None,
    }
