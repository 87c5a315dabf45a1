import json
from pathlib import Path

import click

from eventsync_cli.acting import acting
from eventsync_cli.bundling import bundle
from eventsync_cli.compose import App
from eventsync_cli.render import Result


@acting("support-bundle")
@click.argument("file", metavar="FILE")
@click.option("--with-names", is_flag=True, help="Show names of projects, teams and users.")
@click.option("--force", is_flag=True, help="Replace FILE if it is there.")
def command(app: App, file: str, *, with_names: bool, force: bool) -> Result:
    """
    Write what helps somebody who helps you to FILE, as JSON that you can read before.

    No payload, no secret and no address beyond its host is in it.
    """
    found = bundle(app, with_names=with_names)
    text = json.dumps(found, indent=1) + "\n"
    with app.whole_file(Path(file), replace=force) as made:
        made.write(text)
    return Result(
        document={
            "file": file,
            "file_bytes": len(text),
            "sections": [name for name, each in found.items() if isinstance(each, dict | list)],
            "with_names": with_names,
        },
        lines=[
            f"wrote {file} ({len(text)} bytes); read it before you hand it on",
            *([] if with_names else ["names are replaced by marks; --with-names shows them"]),
        ],
        talk=app.concerns(),
    )
