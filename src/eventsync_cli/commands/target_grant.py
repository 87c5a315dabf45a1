import attrs
import click

from eventsync_cli.acting import acting
from eventsync_cli.choosing import owed, target_document
from eventsync_cli.compose import App
from eventsync_cli.granting import Said, said
from eventsync_cli.letting_go import grant
from eventsync_cli.render import Result
from eventsync_cli.targeting import current_target, target_called, when_it_goes
from eventsync_core.census import remaining
from eventsync_core.desk import head_of
from eventsync_core.egress import Grant, change_grant
from eventsync_core.errors import UnknownTargetError
from eventsync_core.status import grant_document
from eventsync_core.stores import Stores
from eventsync_core.targets import Target

_DEFAULT = "granted by target grant"


@attrs.frozen(kw_only=True)
class _Granted:
    """The grant that holds then, and how many events the target is owed before and then."""

    target: Target
    grant: Grant
    owed_now: int
    will_send: int
    dry_run: bool


@acting("grant")
@click.argument("target_id", required=False)
@click.option(
    "--from-now", is_flag=True, help="Only events captured, and bodies added, from now on."
)
@click.option("--reason", metavar="TEXT", help=f"Why.  [default: {_DEFAULT}]")
@click.option("--by", metavar="NAME", help="Who permits it.  [default: cli]")
@click.option("--dry-run", is_flag=True, help="Count, but change nothing.")
def command(
    app: App,
    target_id: str | None,
    *,
    from_now: bool,
    reason: str | None,
    by: str | None,
    dry_run: bool,
) -> Result:
    """Permit --project's stream to go to TARGET_ID, by default the current target."""
    if target_id is None:
        app.require_usable()
    why = said(by, reason, f"{_DEFAULT} --from-now" if from_now else _DEFAULT)
    if dry_run:
        with app.reading() as stores:
            return _result(app, _preview(app, stores, target_id, why, from_now=from_now))
    if target_id is not None and not app.has_store:
        raise UnknownTargetError(target_id)
    with app.sending_stores() as stores:
        target = _target(app, stores, target_id)
        with stores.atomic():
            owed_now = owed(app, stores, target)
            granted = grant(app, stores, target, why, from_now=from_now)
            done = _Granted(
                target=stores.targets.get(target.target_id),
                grant=granted,
                owed_now=owed_now,
                will_send=owed(app, stores, target),
                dry_run=False,
            )
        return _result(app, done)


def _target(app: App, stores: Stores, target_id: str | None) -> Target:
    return current_target(app) if target_id is None else target_called(stores, target_id)


def _preview(
    app: App, stores: Stores | None, target_id: str | None, why: Said, *, from_now: bool
) -> _Granted:
    """Count what would go: the stream as if it were granted so, and all else as it is."""
    if stores is None and target_id is not None:
        raise UnknownTargetError(target_id)
    target = current_target(app) if stores is None else _target(app, stores, target_id)
    asked = Grant(
        target_id=target.target_id,
        stream=app.stream,
        from_position=head_of(stores, app.stream) if from_now and stores is not None else 0,
        generation=1,
        actor=why.actor,
        reason=why.reason,
        granted_at=app.clock(),
        from_body=stores.bodies.head() if from_now and stores is not None else 0,
    )
    if stores is None:
        return _Granted(target=target, grant=asked, owed_now=0, will_send=0, dry_run=True)
    if any(found == target for found in stores.targets.targets()):
        target = stores.targets.get(target.target_id)
    before = stores.grants.get(target.target_id, app.stream)
    would = change_grant(before, asked)
    owed_now = owed(app, stores, target)
    here = _remaining(app, stores, target) if before is not None and before.is_live else 0
    there = _remaining(app, stores, target, above=would.from_position)
    return _Granted(
        target=target,
        grant=would,
        owed_now=owed_now,
        will_send=owed_now - here + there,
        dry_run=True,
    )


def _remaining(app: App, stores: Stores, target: Target, *, above: int | None = None) -> int:
    tally = stores.backlog.tally(target.target_id, app.stream, at=app.clock(), above=above)
    return remaining(tally.classes())


def _result(app: App, done: _Granted) -> Result:
    verb = "would be" if done.dry_run else "is"
    target = done.target
    when = when_it_goes(app, attrs.evolve(target, paused=""))
    before = f"; {done.owed_now} of them were owed before" if done.owed_now else ""
    return Result(
        document={
            "target": target_document(target),
            "stream": app.stream,
            "grant": grant_document(done.grant),
            "owed_now": done.owed_now,
            "will_send": done.will_send,
            "dry_run": done.dry_run,
        },
        lines=[
            f"stream {app.stream} {verb} granted to {target.url}",
            f"{done.will_send} events go {when}{before}",
        ],
        talk=app.concerns(),
    )
