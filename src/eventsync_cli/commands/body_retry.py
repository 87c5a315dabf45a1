from typing import Any

import click

from eventsync_cli.acting import acting
from eventsync_cli.choosing import target_document
from eventsync_cli.compose import App
from eventsync_cli.failures import UsageProblemError
from eventsync_cli.render import Result
from eventsync_cli.targeting import meant, when_it_goes
from eventsync_core.stores import Stores
from eventsync_core.targets import Target
from eventsync_core.upload import RetryAccount, retry

_NUMBER = click.IntRange(min=1, max=2**62)


@acting("retry")
@click.argument("numbers", nargs=-1, type=_NUMBER)
@click.option("--target", "target_id", help="At this target, not the current one.")
@click.option("--dry-run", is_flag=True, help="Count, but change nothing.")
def command(app: App, numbers: tuple[int, ...], target_id: str | None, *, dry_run: bool) -> Result:
    """
    Let bodies that failed for good or wait go again at once: NUMBERS, or all of them.

    With --project only those of its stream. The failure log stays as it is.
    """
    wanted = meant(app, target_id)
    if dry_run or not app.has_store:
        with app.reading() as found:
            return _done(app, found, wanted, numbers, dry_run=True)
    with app.sending_stores() as stores:
        return _done(app, stores, wanted, numbers, dry_run=False)


def _done(
    app: App, stores: Stores | None, target_id: str, numbers: tuple[int, ...], *, dry_run: bool
) -> Result:
    if stores is None:
        raise UsageProblemError(
            "nothing is stored here", code="body_unknown", fix_argv=("eventsync", "body", "list")
        )
    target = stores.targets.get(target_id)
    stream = "" if app.chosen.project is None else app.stream
    at = app.clock()
    account = retry(stores, target_id, stream, numbers=numbers, at=at, dry_run=True)
    if account.unmatched:
        named = ", ".join(map(str, account.unmatched[:20]))
        raise UsageProblemError(
            f"no body {named} is stored here",
            code="body_unknown",
            fix_argv=("eventsync", "body", "list"),
        )
    if not dry_run:
        account = retry(stores, target_id, stream, numbers=numbers, at=at)
    return Result(
        document=_document(account, target, dry_run=dry_run), lines=_lines(app, account, target)
    )


def _document(account: RetryAccount, target: Target, *, dry_run: bool) -> dict[str, Any]:
    return {
        "dry_run": dry_run,
        "retried": account.failed + account.waiting,
        "failed": account.failed,
        "waiting": account.waiting,
        "already_due": account.already_due,
        "already_there": account.already_there,
        "target": target_document(target),
    }


def _lines(app: App, account: RetryAccount, target: Target) -> list[str]:
    total = account.failed + account.waiting
    gone = f"failed {account.failed}  waiting {account.waiting}"
    rest = f"already-due {account.already_due}  already-there {account.already_there}"
    lines = [f"retried {total}  {gone}  {rest}"]
    if total:
        lines.append(f"bodies go to {target.url} {when_it_goes(app, target)}")
    return lines
