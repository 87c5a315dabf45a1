import attrs
import click

from eventsync_cli.acting import acting
from eventsync_cli.choosing import target_document
from eventsync_cli.compose import App
from eventsync_cli.failures import UsageProblemError
from eventsync_cli.render import Result
from eventsync_cli.targeting import meant, when_it_goes
from eventsync_core.bodies import UploadState
from eventsync_core.ledger import Act
from eventsync_core.stores import Stores
from eventsync_core.targets import Target
from eventsync_core.upload import BodyAccount, BodyOrder, reopen_bodies

_NUMBER = click.IntRange(min=1, max=2**62)


@acting("retry")
@click.argument("numbers", nargs=-1, type=_NUMBER)
@click.option("--uploaded", is_flag=True, help="Instead, those that the target holds.")
@click.option("--target", "target_id", help="At this target, not the current one.")
@click.option("--dry-run", is_flag=True, help="Count, but change nothing.")
def command(
    app: App,
    numbers: tuple[int, ...],
    target_id: str | None,
    *,
    uploaded: bool,
    dry_run: bool,
) -> Result:
    """
    Let bodies that failed for good or wait go again at once: NUMBERS, or all of them.

    With --project only those of its stream. The failure log stays as it is.
    """
    order = BodyOrder(
        act=Act.DELIVERED_BEFORE if uploaded else Act.RETRIED,
        target_id=meant(app, target_id),
        actor="cli",
        numbers=frozenset(numbers),
    )
    if dry_run or not app.has_store:
        with app.reading() as found:
            return _done(app, found, order, dry_run=True)
    with app.sending_stores() as stores:
        return _done(app, stores, order, dry_run=False)


def _done(app: App, stores: Stores | None, order: BodyOrder, *, dry_run: bool) -> Result:
    if stores is None:
        raise UsageProblemError(
            "nothing is stored here", code="body_unknown", fix_argv=("eventsync", "body", "list")
        )
    target = stores.targets.get(order.target_id)
    streams = () if app.chosen.project is None else (app.stream,)
    at = app.clock()
    account = reopen_bodies(stores, order, streams, at=at, dry_run=True)
    if account.unmatched:
        named = ", ".join(map(str, account.unmatched[:20]))
        raise UsageProblemError(
            f"no body {named} is stored here",
            code="body_unknown",
            fix_argv=("eventsync", "body", "list"),
        )
    if not dry_run:
        account = reopen_bodies(stores, order, streams, at=at)
    return Result(
        document={
            "dry_run": dry_run,
            "retried": account.changed.total(),
            **_counts(account),
            "target": target_document(target),
        },
        lines=_lines(app, account, target),
    )


def _counts(account: BodyAccount) -> dict[str, int]:
    return {
        "failed": account.changed[UploadState.FAILED],
        "waiting": account.changed[UploadState.QUEUED],
        "uploaded": sum(n for state, n in account.changed.items() if state.is_there),
        "already_due": account.already_due,
        "already_there": account.already_there,
        "not_granted": account.not_granted,
    }


def _lines(app: App, account: BodyAccount, target: Target) -> list[str]:
    total = account.changed.total()
    counts = "  ".join(f"{name.replace('_', '-')} {n}" for name, n in _counts(account).items())
    lines = [f"retried {total}  {counts}"]
    if total:
        heeded = attrs.evolve(target, back_off=target.longer_back_off)
        lines.append(f"bodies go to {target.url} {when_it_goes(app, heeded)}")
    return lines
