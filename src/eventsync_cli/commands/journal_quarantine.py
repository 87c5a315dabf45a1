from typing import Any

import click

from eventsync_cli.acting import acting
from eventsync_cli.compose import App
from eventsync_cli.failures import UsageProblemError
from eventsync_cli.render import Result, table
from eventsync_core.clock import iso_time
from eventsync_core.codec import MOST_ITEMS, read_document
from eventsync_core.ids import printable
from eventsync_core.legacy import SetAside

_MOST = 10**18


@acting("quarantine")
@click.argument("number", required=False, type=click.IntRange(min=1, max=_MOST))
@click.option(
    "--limit",
    type=click.IntRange(min=1, max=MOST_ITEMS),
    default=50,
    show_default=True,
    help="Most rows shown.",
)
@click.option(
    "--after",
    metavar="NUMBER",
    type=click.IntRange(min=0, max=_MOST),
    default=0,
    help="Go on after this row.",
)
def command(app: App, number: int | None, limit: int, after: int) -> Result:
    """List rows of old programs that were set aside, or show the content of NUMBER."""
    if number is not None:
        return _show(app, number)
    found: list[SetAside] = []
    total = 0
    with app.reading() as stores:
        if stores is not None:
            total = stores.legacy.aside_count()
            found = stores.legacy.aside(after=after, limit=limit + 1)
    shown = found[:limit]
    following = shown[-1].number if len(found) > limit else None
    return Result(
        document={
            "set_aside": [_document(row) for row in shown],
            "set_aside_count": total,
            "next_after": following,
        },
        lines=table([_row(row) for row in shown]) or ["nothing was set aside"],
        talk=(*app.concerns(), *([f"more: --after {following}"] if following else [])),
    )


def _show(app: App, number: int) -> Result:
    with app.reading() as stores:
        raw = None if stores is None else stores.legacy.bytes_of(number)
        found = [] if stores is None else stores.legacy.aside(after=number - 1, limit=1)
    if raw is None:
        raise UsageProblemError(
            f"no row was set aside under {number}",
            fix_argv=("eventsync", "journal", "quarantine"),
        )
    try:
        text: str | None = raw.decode("utf-8")
    except UnicodeDecodeError:
        text = None
    return Result(
        document={**_document(found[0]), "text": text, "hex": raw.hex() if text is None else None},
        lines=[raw.decode("utf-8", "backslashreplace")],
        talk=app.concerns(),
    )


def _document(row: SetAside) -> dict[str, Any]:
    return {
        "number": row.number,
        "code": row.why.value,
        "detail": row.detail,
        "event_id": row.event_id or None,
        "source": row.path,
        "part": row.key.part,
        "row": row.key.row,
        "digest": row.key.digest.hex(),
        "existing_sha": row.existing.hex() or None,
        "incoming_sha": row.incoming.hex() or None,
        "queued_at": None if row.queued_at is None else iso_time(row.queued_at),
        "retry_count": row.retry_count,
        "beside": read_document(row.beside) if row.beside else None,
        "size": row.size,
        "at": iso_time(row.at),
        "resolution": row.resolution or None,
        "resolved_at": None if row.resolved_at is None else iso_time(row.resolved_at),
    }


def _row(row: SetAside) -> tuple[str, ...]:
    where = f"{row.path} {row.key.part} {row.key.row}"
    cells = (str(row.number), row.why.value, row.resolution or "-", row.event_id or "-", where)
    return tuple(map(printable, cells))
