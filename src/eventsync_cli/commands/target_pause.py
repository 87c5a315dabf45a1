import click

from eventsync_cli.acting import acting
from eventsync_cli.choosing import owed, target_document
from eventsync_cli.compose import App
from eventsync_cli.render import Result
from eventsync_cli.targeting import current_if_any, meant
from eventsync_core.errors import UnknownTargetError
from eventsync_core.ids import given_words
from eventsync_core.targets import Target

_DEFAULT = "paused by an operator"


@acting("pause")
@click.argument("target_id", required=False)
@click.option("--reason", metavar="TEXT", default=_DEFAULT, show_default=True, help="Why.")
@click.option("--dry-run", is_flag=True, help="Count, but change nothing.")
def command(app: App, target_id: str | None, *, reason: str, dry_run: bool) -> Result:
    """
    Let TARGET_ID rest, by default the current target.

    A drain that runs stops before its next request. Grants stay; events are captured and wait.
    """
    whose, why = meant(app, target_id), given_words(reason) or _DEFAULT
    if dry_run:
        with app.reading() as stores:
            if stores is None:
                raise UnknownTargetError(whose)
            target = stores.targets.get(whose)
            return _result(app, target, why, owed(app, stores, target), dry_run=True)
    if not app.has_store:
        raise UnknownTargetError(whose)
    with app.sending_stores() as stores:
        target = stores.targets.get(whose)
        stores.targets.pause(whose, why)
        return _result(app, target, why, owed(app, stores, target), dry_run=False)


def _result(app: App, before: Target, why: str, count: int, *, dry_run: bool) -> Result:
    verb = "would be" if dry_run else "is"
    whose = "" if current_if_any(app) == before else f" {before.target_id}"
    return Result(
        document={
            "target": target_document(before),
            "paused": why,
            "was_paused": before.paused,
            "will_not_send": count,
            "dry_run": dry_run,
        },
        lines=[
            f"{before.url} {verb} paused: {why}",
            f"{count} events that are owed wait until eventsync target resume{whose}",
        ],
        talk=app.concerns(),
    )
