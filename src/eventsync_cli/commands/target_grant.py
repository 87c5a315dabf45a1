import attrs
import click

from eventsync_cli.acting import acting
from eventsync_cli.choosing import grant, head_of, owed, target_document
from eventsync_cli.compose import App
from eventsync_cli.render import Result
from eventsync_cli.targeting import current_target, when_it_goes
from eventsync_core.census import Class
from eventsync_core.errors import UnknownTargetError
from eventsync_core.stores import Stores
from eventsync_core.targets import Target


@acting("grant")
@click.argument("target_id", required=False)
@click.option("--from-now", is_flag=True, help="Only events captured from now on.")
@click.option("--dry-run", is_flag=True, help="Count, but change nothing.")
def command(app: App, target_id: str | None, *, from_now: bool, dry_run: bool) -> Result:
    """Permit --project's stream to go to TARGET_ID, by default the current target."""
    if target_id is None:
        app.require_usable()
    if dry_run:
        with app.reading() as stores:
            return _preview(app, stores, target_id, from_now=from_now)
    if target_id is not None and not app.has_store:
        raise UnknownTargetError(target_id)
    with app.sending_stores() as stores:
        target = _target(app, stores, target_id)
        with stores.atomic():
            grant(app, stores, target, from_now=from_now)
        known = stores.targets.get(target.target_id)
        return _result(app, known, owed(app, stores, target), dry_run=False)


def _target(app: App, stores: Stores, target_id: str | None) -> Target:
    return stores.targets.get(target_id) if target_id is not None else current_target(app)


def _preview(app: App, stores: Stores | None, target_id: str | None, *, from_now: bool) -> Result:
    if stores is None:
        if target_id is not None:
            raise UnknownTargetError(target_id)
        return _result(app, current_target(app), 0, dry_run=True)
    target = _target(app, stores, target_id)
    is_known = any(found == target for found in stores.targets.targets())
    if not is_known:
        count = 0 if from_now else head_of(stores, app.stream)
        return _result(app, target, count, dry_run=True)
    count = owed(app, stores, target)
    if not from_now:
        tally = stores.backlog.tally(target.target_id, app.stream, at=app.clock())
        count += tally.classes()[Class.NOT_GRANTED]
    return _result(app, stores.targets.get(target.target_id), count, dry_run=True)


def _result(app: App, target: Target, will_send: int, *, dry_run: bool) -> Result:
    verb = "would be" if dry_run else "is"
    return Result(
        document={
            "target": target_document(target),
            "stream": app.stream,
            "will_send": will_send,
            "dry_run": dry_run,
        },
        lines=[
            f"stream {app.stream} {verb} granted to {target.url}",
            f"{will_send} events go {when_it_goes(app, attrs.evolve(target, paused=''))}",
        ],
        talk=app.concerns(),
    )
