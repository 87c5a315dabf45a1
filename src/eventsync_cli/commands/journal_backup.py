from pathlib import Path

import click

from eventsync_cli.acting import acting
from eventsync_cli.compose import App
from eventsync_cli.compose.copies import backing_up
from eventsync_cli.copying import checked
from eventsync_cli.render import Result, counted


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
            document={"file": None, "file_bytes": None, "events": 0, "streams_count": 0},
            talk=(f"nothing is stored yet: {app.shown_database}; no backup is made",),
        )
    with backing_up(app, Path(file), replace=force) as copy:
        with copy.reading() as stores:
            streams = sum(head.position > 0 for head in stores.journal.heads())
            events = checked(app, copy, stores, called="the copy", damaged=damaged)
        size = copy.bytes
    told = f"{counted(events, 'event')} of {counted(streams, 'stream')}"
    return Result(
        document={"file": file, "file_bytes": size, "events": events, "streams_count": streams},
        lines=[f"backed up {told} to {file} ({size} bytes), verified"],
        talk=app.concerns(),
        is_act=True,
    )
