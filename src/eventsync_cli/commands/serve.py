import sys
import threading
from pathlib import Path

import click

from eventsync_cli.acting import acting
from eventsync_cli.compose import App
from eventsync_cli.failures import UsageProblemError
from eventsync_cli.render import Result, say, write_out
from eventsync_core.codec import read_document
from eventsync_core.receivers import Script, read_script
from eventsync_core.targets import Deployment


@acting("serve")
@click.option(
    "--port", type=click.IntRange(0, 65_535), default=0, help="Where to listen; 0: any free port."
)
@click.option("--db", "database", metavar="FILE", help="Keep what arrives in FILE.")
@click.option("--instance", metavar="ID", help="The server_instance_id its health names.")
@click.option("--environment", metavar="NAME", help="The environment_name its health names.")
@click.option("--script", "script_file", metavar="FILE", help="Answer as the JSON in FILE says.")
def command(
    app: App,
    port: int,
    database: str | None,
    instance: str | None,
    environment: str | None,
    script_file: str | None,
) -> Result:
    """
    Run a receiver on this machine that keeps what it is sent, until interrupted.

    Its URL is the first line on stdout. Without --db what arrives is kept in memory.
    """
    if app.chosen.as_json:
        raise UsageProblemError(
            "serve is a stream and has no --json", fix_argv=("eventsync", "serve", "--help")
        )
    script = Script() if script_file is None else _script(Path(script_file))
    place = None if database is None else Path(database)
    deployment = Deployment(server_instance_id=instance, environment_name=environment)
    try:
        with app.serve(
            place, port=port, script=script, deployment=deployment, talk=sys.stderr
        ) as serving:
            write_out(serving.url)
            serving.start()
            _wait()
    except OSError as error:
        raise UsageProblemError(
            f"cannot listen on port {port}: {error.strerror or error}",
            code="port_unusable",
            fix_text="choose another --port, or 0 for any free one",
        ) from error
    return Result(document={})


def _script(path: Path) -> Script:
    try:
        return read_script(read_document(path.read_bytes()))
    except (OSError, ValueError) as error:
        raise UsageProblemError(
            f"{path} is no script: {error}",
            code="input_unusable",
            fix_text="name a JSON file with requests, events, poison or max_bytes",
        ) from error


def _wait() -> None:
    try:
        threading.Event().wait()
    except KeyboardInterrupt:
        say("eventsync: stopped")
