from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path

import attrs
import click

from eventsync_cli.acting import acting
from eventsync_cli.compose import App
from eventsync_cli.compose.copies import (
    Copy,
    Found,
    heeded,
    looking_into,
    preparing,
    present,
    standing,
)
from eventsync_cli.copying import Checked, checked
from eventsync_cli.failures import if_interrupted
from eventsync_cli.render import Result, counted
from eventsync_core.errors import HomeNotEmptyError, StoreBusyError, StoreError
from eventsync_core.restoring import (
    Settled,
    holds_something,
    left_behind,
    settle,
    who_sends,
    would_settle,
)
from eventsync_core.stores import Stores

_AGAIN = (
    "what was delivered after the backup was made is offered again, and a target that has it "
    "answers duplicate"
)
_EITHER = (
    "either store may be in place; if it is the backup's, what was stored before is in a file "
    "beside it with before-restore in its name"
)
_LOOK = (
    "see with eventsync journal list which one it is; only where it is not the backup's, run the "
    "command again"
)


@attrs.frozen(kw_only=True)
class _Plan:
    """What is in the backup, what becomes of grants, what only the store before it holds."""

    found: Checked
    settled: Settled
    left: int | None


@acting("restore")
@click.argument("file", metavar="FILE", type=click.Path(exists=True, dir_okay=False))
@click.option("--replace", is_flag=True, help="Put what is stored now aside; it is not deleted.")
@click.option("--damaged", is_flag=True, help="Take the backup though it is damaged.")
@click.option("--dry-run", is_flag=True, help="Verify and count, but change nothing.")
def command(app: App, file: str, *, replace: bool, damaged: bool, dry_run: bool) -> Result:
    """
    Let the backup FILE be what is stored.

    It is verified first. All its grants rest until `target resume`, so that nothing is sent by
    surprise.
    """
    backup = looking_into(Path(file))
    given = {"--damaged": damaged, "--dry-run": dry_run}
    more = tuple(option for option, is_given in given.items() if is_given)

    def check(before: Found) -> None:
        is_used = before.stores is not None and holds_something(before.stores)
        if not replace and (is_used or before.unknown):
            raise HomeNotEmptyError(app.shown_database, file, *more, unknown=before.unknown)

    with present(app) as before:
        check(before)
        if dry_run:
            with backup.reading() as stores:
                plan = _plan(app, backup, heeded(app, stores), before, file, damaged=damaged)
            return _result(app, file, plan, None, dry_run=True)
    with if_interrupted(_EITHER, _LOOK), preparing(app, Path(file)) as made:
        with made.reading() as stores:
            found = checked(app, made, stores, called=file, damaged=damaged)
        aside, settled = made.put(app, partial(_settle, app, check))
        plan = _Plan(found=found, settled=settled, left=_left(app, made, aside, before))
        app.glance()
    return _result(app, file, plan, aside, dry_run=False)


def _settle(app: App, check: Callable[[Found], None], stores: Stores, before: Found) -> Settled:
    check(before)
    at = app.clock()
    sent = None if before.stores is None else who_sends(before.stores, at=at)
    if sent is not None:
        stream, busy = sent
        raise StoreBusyError(f"process {busy.holder.pid} is sending stream {stream}")
    return settle(stores, before.stores, actor="cli", at=at)


def _left_in(stores: Stores, before: Found) -> int | None:
    """Return how many events only *before* holds; None: nobody can tell."""
    if before.stores is None:
        return None if before.unknown else 0
    return left_behind(stores.journal, before.stores.journal)


def _left(app: App, made: Copy, aside: Copy | None, before: Found) -> int | None:
    """Return how many events only *aside* holds; where there is none, nothing was, or is lost."""
    if aside is None:
        return None if before.unknown else 0
    # One that took the place of a file that nobody could open has its name now.
    restored = made if made.place.exists() else Copy(app.database)
    with suppress(StoreError), restored.reading() as stores, standing(aside.place) as old:
        return _left_in(stores, attrs.evolve(old, unknown=old.unknown or before.unknown))
    return None


def _plan(
    app: App, copy: Copy, stores: Stores, before: Found, file: str, *, damaged: bool
) -> _Plan:
    found = checked(app, copy, stores, called=file, damaged=damaged)
    settled = would_settle(stores, before.stores)
    return _Plan(found=found, settled=settled, left=_left_in(stores, before))


def _result(app: App, file: str, plan: _Plan, aside: Copy | None, *, dry_run: bool) -> Result:
    resting, revoked = plan.settled.resting, plan.settled.revoked
    verb = "would restore" if dry_run else "restored"
    lines = [f"{verb} {plan.found.said} from {file}, {plan.found.verdict}"]
    if aside is not None:
        lines.append(f"what was stored before is in {aside.place}")
    if plan.left:
        lines.append(f"not in the backup: {counted(plan.left, 'event')} of it")
    if resting:
        resume = app.chosen.spelt("eventsync target resume TARGET_ID")
        lines.append(f"resting: {counted(resting, 'grant')}, until: {resume}")
    if revoked:
        lines.append(f"over: {counted(revoked, 'grant')}, revoked since the backup was made")
    return Result(
        document={
            "file": file,
            "events": plan.found.events,
            "flaw": plan.found.flaw or None,
            "left_behind": plan.left,
            "grants_resting": resting,
            "grants_revoked": revoked,
            "put_aside": None if aside is None else str(aside.place),
            "dry_run": dry_run,
        },
        lines=lines,
        talk=(*([_AGAIN] if resting else []), *app.concerns()),
        is_act=not dry_run,
    )
