"""What is set aside: rows of old programs, and damaged entries."""

from collections.abc import Sequence
from typing import Any

from eventsync_cli.absent import absent_lines
from eventsync_cli.compose import App
from eventsync_cli.damage import damage_document, damage_lines
from eventsync_cli.failures import UsageProblemError
from eventsync_cli.render import Progress, Result, table
from eventsync_core.clock import iso_time
from eventsync_core.codec import MOST_ITEMS, read_document
from eventsync_core.errors import UnknownEventError
from eventsync_core.events import Hold
from eventsync_core.ids import printable
from eventsync_core.integrity import Damage, damage_in, named_damage, quarantine
from eventsync_core.journal import Head, heads_of
from eventsync_core.legacy import SetAside
from eventsync_core.stores import Stores

__all__ = ["list_all", "quarantine_entries", "show_row"]

_SHOWN = 20


def quarantine_entries(app: App, event_ids: Sequence[str], *, dry_run: bool) -> Result:
    """Set the damaged ones of *event_ids* aside, or without any name all that there are."""
    if dry_run or not app.has_store:
        with app.reading() as stores:
            damage = _damage(app, stores, event_ids)
            changed = damage.free
            absent = absent_lines(app, stores)
    else:
        with app.stores() as opened:
            damage = _damage(app, opened, event_ids)
            changed = quarantine(opened, damage, actor="cli", at=app.clock())
            absent = absent_lines(app, opened)
    would = "would be " if dry_run else ""
    lines = [f"{would}quarantined {changed}  already held {damage.held}"]
    if event_ids:
        lines[0] += f"  not damaged {len(damage.intact)}"
    lines += damage_lines(damage.found)
    talk = [
        f"eventsync: {event_id} is not damaged; to keep it back: eventsync journal hold"
        for event_id in damage.intact[:_SHOWN]
    ]
    return Result(
        document={
            "quarantined": changed,
            "already_held": damage.held,
            "not_damaged": list(damage.intact[:MOST_ITEMS]),
            "not_damaged_count": len(damage.intact),
            "entries": damage_document(damage.found[:MOST_ITEMS]),
            "entries_count": len(damage.found),
            "dry_run": dry_run,
        },
        lines=lines,
        talk=(*talk, *([] if event_ids else absent), *app.concerns()),
        is_act=not dry_run,
    )


def _damage(app: App, stores: Stores | None, event_ids: Sequence[str]) -> Damage:
    if event_ids:
        if stores is None:
            raise UnknownEventError(*event_ids)
        return named_damage(stores, event_ids)
    if stores is None:
        return Damage()
    heads = _heads(app, stores)
    with Progress("verifying", app.clock, total=None, no_color=app.no_color) as bar:
        return damage_in(stores, heads, progress=bar.reach)


def _heads(app: App, stores: Stores) -> list[Head]:
    return heads_of(stores.journal, None if app.chosen.project is None else app.stream)


def list_all(app: App, *, limit: int, after: int) -> Result:
    """List the rows above *after* that were set aside, and the entries that are."""
    found: list[SetAside] = []
    entries: list[dict[str, Any]] = []
    total = entry_count = 0
    with app.reading() as stores:
        absent = absent_lines(app, stores)
        if stores is not None:
            total = stores.legacy.aside_count()
            found = stores.legacy.aside(after=after, limit=limit + 1)
            entries, entry_count = _entries(app, stores, limit)
    shown = found[:limit]
    following = shown[-1].number if len(found) > limit else None
    lines = table([_row(row) for row in shown])
    lines += table([_entry_row(each) for each in entries])
    if entry_count > len(entries):
        more = entry_count - len(entries)
        lines.append(f"and {more} more entries: eventsync journal list --hold quarantined")
    return Result(
        document={
            "set_aside": [_document(row) for row in shown],
            "set_aside_count": total,
            "entries": entries,
            "entries_count": entry_count,
            "next_after": following,
        },
        lines=lines or ["nothing was set aside"],
        talk=(*absent, *app.concerns(), *([f"more: --after {following}"] if following else [])),
    )


def _entries(app: App, stores: Stores, limit: int) -> tuple[list[dict[str, Any]], int]:
    """Return the first quarantined entries, and how many there are."""
    shown: list[dict[str, Any]] = []
    count = 0
    for stream in [head.stream for head in _heads(app, stores)]:
        positions = stores.holds.held(stream, Hold.QUARANTINED, limit=1 << 40)
        count += len(positions)
        for position in positions[: limit - len(shown)]:
            last = stores.holds.holdings(stream, position)[-1]
            entry = stores.journal.entries(stream, after=position - 1, limit=1)[0]
            shown.append(
                {
                    "stream": stream,
                    "position": position,
                    "event_id": entry.event.event_id,
                    "reason": last.reason,
                    "actor": last.actor,
                    "at": iso_time(last.held_at),
                }
            )
    return shown, count


def _entry_row(shown: dict[str, Any]) -> tuple[str, ...]:
    place = f"{shown['stream']}:{shown['position']}"
    return (printable(place), printable(shown["event_id"]), shown["reason"])


def show_row(app: App, number: int) -> Result:
    """Show the content of one row of an old program."""
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
