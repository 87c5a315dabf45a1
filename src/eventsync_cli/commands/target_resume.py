from typing import Any

import attrs
import click

from eventsync_cli.acting import acting
from eventsync_cli.choosing import owed, target_document
from eventsync_cli.compose import App
from eventsync_cli.render import Result
from eventsync_cli.targeting import meant, when_it_goes
from eventsync_core.codec import MOST_ITEMS
from eventsync_core.egress import Grant, rest_grant
from eventsync_core.errors import UnknownTargetError
from eventsync_core.status import back_off_document
from eventsync_core.stores import Stores
from eventsync_core.targets import BackOff, Target


@attrs.frozen
class _Rest:
    """What keeps a target from being sent anything, and how many events wait there."""

    target: Target
    grants: list[Grant]
    owed: int


@acting("resume")
@click.argument("target_id", required=False)
@click.option("--dry-run", is_flag=True, help="Count, but change nothing.")
def command(app: App, target_id: str | None, *, dry_run: bool) -> Result:
    """
    Let TARGET_ID go on, by default the current target.

    Ends its pause, the pauses of its grants, and its back-off after faults. Nothing is sent.
    """
    whose = meant(app, target_id)
    if dry_run:
        with app.reading() as stores:
            if stores is None:
                raise UnknownTargetError(whose)
            return _result(app, _rest(app, stores, whose), dry_run=True)
    if not app.has_store:
        raise UnknownTargetError(whose)
    with app.sending_stores() as stores, stores.atomic():
        rest = _rest(app, stores, whose)
        stores.targets.pause(whose, "")
        stores.targets.set_back_off(whose, BackOff())
        stores.targets.set_body_back_off(whose, BackOff())
        for grant in rest.grants:
            stores.grants.resume(
                whose, grant.stream, actor="cli", reason="resumed by target resume", at=app.clock()
            )
    return _result(app, rest, dry_run=False)


def _rest(app: App, stores: Stores, target_id: str) -> _Rest:
    target = stores.targets.get(target_id)
    grants = stores.grants.grants(target_id)
    resting = [grant for grant in grants if grant.is_live and grant.paused]
    for grant in resting:
        rest_grant(grant, "")
    return _Rest(target, resting, owed(app, stores, target))


def _result(app: App, rest: _Rest, *, dry_run: bool) -> Result:
    target = rest.target
    document = {
        "target": target_document(target),
        "ended": {
            "paused": target.paused,
            "back_off": back_off_document(target, at=app.clock()),
            "grants": [
                {"stream": grant.stream, "paused": grant.paused}
                for grant in rest.grants[:MOST_ITEMS]
            ],
            "grants_count": len(rest.grants),
        },
        "will_send": rest.owed,
        "dry_run": dry_run,
    }
    lines = _lines(rest, "would end" if dry_run else "ended")
    when = when_it_goes(app, attrs.evolve(target, paused="", back_off=BackOff()))
    return Result(
        document=document,
        lines=[*lines, f"{rest.owed} events go {when}"],
        talk=app.concerns(),
    )


def _lines(rest: _Rest, verb: str) -> list[str]:
    target, found = rest.target, list[Any]()
    if target.paused:
        found.append(f"{target.url}: the pause {verb}: {target.paused}")
    for faults in (target.back_off, target.body_back_off):
        if faults.failures:
            found.append(f"{target.url}: the back-off {verb}: {faults.reason}")
    found += [f"stream {grant.stream}: the pause {verb}: {grant.paused}" for grant in rest.grants]
    return found or [f"{target.url} was not paused"]
