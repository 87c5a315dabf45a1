import attrs
import click

from eventsync_cli.acting import acting
from eventsync_cli.compose import App
from eventsync_cli.compose.copies import left_copies
from eventsync_cli.exits import ExitCode
from eventsync_cli.failures import UsageProblemError, if_interrupted
from eventsync_cli.render import Progress, Result
from eventsync_cli.waiting import left_sources
from eventsync_core.codec import MOST_ITEMS
from eventsync_core.erasure import Erased
from eventsync_core.errors import Reason, StoreBusyError, StoreFullError
from eventsync_core.ids import printable
from eventsync_core.integrity import COPIES_LEFT
from eventsync_core.ledger import Busy
from eventsync_core.payloads import Act, Deed
from eventsync_core.retention import erase, is_known, plan_erasure, sender_of
from eventsync_core.stores import Stores

_NAMED = 3
_SOURCES_LEFT = (
    "eventsync sync migrate empties the queues among them; then erase again what it imported. "
    "What it only reads is yours to erase"
)
_PART = "what is erased stays so; the rest is there, and the file may still hold pieces of it all"


@attrs.frozen
class _Left:
    """Files that hold content of the project and are not touched: copies, and old programs'."""

    copies: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()


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
        is_there = stores is not None and (erased != Erased() or is_known(stores, app.stream))
        sources = () if stores is None or not is_there else tuple(left_sources(app, stores))
        others = [] if stores is None else [head.stream for head in stores.journal.heads()]
    if not is_there:
        known = f", but of {', '.join(others[:_NAMED])}" if others else ""
        raise UsageProblemError(
            f"nothing is known here of a project {app.stream}{known}; nothing is erased",
            code="project_unknown",
            fix_argv=("eventsync", "journal", "list"),
        )
    left = _Left(left_copies(app), sources)
    if dry_run or busy is not None:
        reason = None if busy is None else _busy_reason(app, busy, "nothing is erased")
        return _result(app, erased, reason, left, dry_run=dry_run, is_done=False)
    planned = erased
    with if_interrupted(_PART):
        with app.stores() as opened:
            erased, busy = _erase(app, opened)
        if busy is not None and erased == Erased():
            reason = _busy_reason(app, busy, "nothing is erased")
            return _result(app, planned, reason, left, dry_run=False, is_done=False)
        reason = _compact(app) if busy is None else _busy_reason(app, busy, "not all is erased")
    if reason is None:
        reason = _left_reason(left)
    return _result(app, erased, reason, left, dry_run=False, is_done=True)


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


def _left_reason(left: _Left) -> Reason | None:
    said = {"copies beside the database": left.copies, "files of old programs": left.sources}
    parts = [f"{what}: {', '.join(some[:_NAMED])}" for what, some in said.items() if some]
    if not parts:
        return None
    fixes = [COPIES_LEFT] * bool(left.copies) + [_SOURCES_LEFT] * bool(left.sources)
    return Reason(
        code="copies_left" if left.copies else "sources_left",
        message=printable(f"not erased from {'; from '.join(parts)}"),
        fix_text="; ".join(fixes),
    )


def _result(
    app: App,
    erased: Erased,
    reason: Reason | None,
    left: _Left,
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
    spared = _left_reason(left) if dry_run else None
    said = "  ".join(f"{name.replace('_', ' ')} {count}" for name, count in counts.items())
    return Result(
        document={
            "stream": app.stream,
            **done,
            "copies": list(left.copies[:MOST_ITEMS]),
            "copies_count": len(left.copies),
            "sources": list(left.sources[:MOST_ITEMS]),
            "sources_count": len(left.sources),
            "dry_run": dry_run,
        },
        lines=[f"{app.stream}: {would}{said}"],
        talk=[*([] if spared is None else [f"eventsync: {spared.message}"]), *app.concerns()],
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
