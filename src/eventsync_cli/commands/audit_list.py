from typing import Any

import click

from eventsync_cli.acting import acting
from eventsync_cli.compose import App
from eventsync_cli.render import Result, table
from eventsync_core.clock import iso_time
from eventsync_core.codec import MOST_ITEMS
from eventsync_core.policy import AuditRecord

_MOST = 10**18


@acting("list")
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
def command(app: App, limit: int, after: int) -> Result:
    """List events that were dropped and put on record, of every stream, oldest first."""
    found: list[AuditRecord] = []
    total = 0
    with app.reading() as stores:
        if stores is not None:
            total = stores.audit.count()
            found = stores.audit.rows(after=after, limit=limit + 1)
    shown = found[:limit]
    following = shown[-1].number if len(found) > limit else None
    return Result(
        document={
            "audit": [_document(row) for row in shown],
            "audit_count": total,
            "next_after": following,
        },
        lines=table([_row(row) for row in shown]) or [_nothing(total)],
        talk=(*app.concerns(), *([f"more: --after {following}"] if following else [])),
    )


def _document(row: AuditRecord) -> dict[str, Any]:
    return {
        "number": row.number,
        "event_id": row.event_id,
        "event_type": row.event_type,
        "family": row.family.value,
        "stream": row.stream,
        "reason": row.reason,
        "digest": row.digest.hex(),
        "at": iso_time(row.at),
    }


def _row(row: AuditRecord) -> tuple[str, ...]:
    return (
        str(row.number),
        iso_time(row.at),
        row.stream,
        row.event_id,
        row.event_type or "-",
        row.family.value,
        row.reason,
    )


def _nothing(total: int) -> str:
    return f"nothing after that; rows: {total}" if total else "nothing is on record"
