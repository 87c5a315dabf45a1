from collections.abc import Sequence

import attrs
import click

from eventsync_cli.acting import acting
from eventsync_cli.compose import App
from eventsync_cli.compose.copies import left_copies
from eventsync_cli.exits import ExitCode
from eventsync_cli.failures import UsageProblemError, if_interrupted
from eventsync_cli.render import Progress, Result
from eventsync_core.codec import MOST_ITEMS
from eventsync_core.erasure import Erased
from eventsync_core.errors import Reason, StoreBusyError, StoreFullError
from eventsync_core.integrity import COPIES_LEFT
from eventsync_core.ledger import Busy
from eventsync_core.payloads import Act, Deed
from eventsync_core.retention import erase, is_known, plan_erasure, sender_of
from eventsync_core.stores import Stores

_NAMED = 3
_PART = "what is erased stays so; the rest is there, and the file may still hold pieces of it all"


@acting("purge")
@click.option("--dry-run", is_flag=True, help="Count, but change nothing.")
def command(app: App, *, dry_run: bool) -> Result:
    """
    Erase all content of --project: payloads, provenance, rows set aside, bodies, answers' words.

    It is overwritten in the database, delivered or not. Ids, digests and outcomes stay, and
    that it was done stays on record.
    """
    if app.chosen.project is None:
        raise UsageProblemError(
            "journal purge erases the project that --project names",
            fix_argv=("eventsync", "journal", "purge", "--help"),
        )
    with app.reading() as stores:
        busy = None if stores is None else sender_of(stores, app.stream, at=app.clock())
        erased = Erased() if stores is None else plan_erasure(stores, app.stream)
        is_there = stores is not None and is_known(stores, app.stream)
        others = [] if stores is None else [head.stream for head in stores.journal.heads()]
    if not is_there and erased == Erased():
        known = f", but of {', '.join(others[:_NAMED])}" if others else ""
        raise UsageProblemError(
            f"nothing is known here of a project {app.stream}{known}; nothing is erased",
            code="project_unknown",
            fix_argv=("eventsync", "journal", "list"),
        )
    copies = left_copies(app)
    if dry_run or busy is not None:
        reason = None if busy is None else _busy_reason(app, busy, "nothing is erased")
        return _result(app, erased, reason, copies, dry_run=dry_run, is_done=False)
    planned = erased
    with if_interrupted(_PART):
        with app.stores() as opened:
            erased, busy = _erase(app, opened)
        if busy is not None and erased == Erased():
            reason = _busy_reason(app, busy, "nothing is erased")
            return _result(app, planned, reason, copies, dry_run=False, is_done=False)
        reason = _compact(app) if busy is None else _busy_reason(app, busy, "not all is erased")
    if reason is None and copies:
        reason = _copies_reason(copies)
    return _result(app, erased, reason, copies, dry_run=False, is_done=True)


def _erase(app: App, stores: Stores) -> tuple[Erased, Busy | None]:
    deed = Deed(act=Act.PURGE, actor="cli", at=app.clock(), detail=app.stream)
    with Progress("erasing", app.clock, total=None, no_color=app.no_color) as bar:
        return erase(stores, app.stream, deed, app.clock, progress=bar.reach)


def _compact(app: App) -> Reason | None:
    """Write the database anew, so that no page keeps what an earlier change left in it."""
    try:
        app.compact()
    except (StoreBusyError, StoreFullError) as error:
        return Reason(
            code="not_compacted",
            message=f"erased; unused parts of the file may still hold pieces: {error.message}",
            fix_argv=("eventsync", "sync", "gc", "--compact"),
        )
    return None


def _copies_reason(copies: Sequence[str]) -> Reason:
    return Reason(
        code="copies_left",
        message=f"not erased from copies beside the database: {', '.join(copies[:_NAMED])}",
        fix_text=COPIES_LEFT,
    )


def _result(
    app: App,
    erased: Erased,
    reason: Reason | None,
    copies: Sequence[str],
    *,
    dry_run: bool,
    is_done: bool,
) -> Result:
    if is_done:
        would = "erased: "
    else:
        would = "would be erased: " if reason is None else "nothing is erased; there are: "
    counts = attrs.asdict(erased)
    done = attrs.asdict(erased if is_done or dry_run else Erased())
    said = "  ".join(f"{name.replace('_', ' ')} {count}" for name, count in counts.items())
    return Result(
        document={
            "stream": app.stream,
            **done,
            "copies": list(copies[:MOST_ITEMS]),
            "copies_count": len(copies),
            "dry_run": dry_run,
        },
        lines=[f"{app.stream}: {would}{said}"],
        talk=app.concerns(),
        code=ExitCode.OK if reason is None else ExitCode.INCOMPLETE,
        reason=reason,
        is_act=is_done,
    )


def _busy_reason(app: App, busy: Busy, said: str) -> Reason:
    return Reason(
        code="busy",
        message=f"process {busy.holder.pid} is at work on stream {app.stream}; {said}",
        fix_text="run the same command again when the other process has finished",
    )
