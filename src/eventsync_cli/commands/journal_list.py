from collections.abc import Iterator
from typing import Any

import attrs
import click

from eventsync_cli.absent import nothing_stored
from eventsync_cli.acting import acting
from eventsync_cli.compose import App
from eventsync_cli.damage import flaw_document
from eventsync_cli.failures import UsageProblemError
from eventsync_cli.render import Result, table
from eventsync_cli.succession import place_of, superseded_among
from eventsync_core.clock import iso_time
from eventsync_core.codec import MOST_ITEMS
from eventsync_core.desk import held_pages
from eventsync_core.events import Hold
from eventsync_core.journal import Entry, Head, heads_of, judge_text
from eventsync_core.stores import Stores


@acting("list")
@click.option(
    "--limit",
    type=click.IntRange(min=1, max=MOST_ITEMS),
    default=50,
    show_default=True,
    help="Most entries shown.",
)
@click.option("--after", metavar="[STREAM:]POSITION", help="Go on after this entry.")
@click.option(
    "--hold",
    "why",
    type=click.Choice([hold.value for hold in Hold]),
    help="Only those that are held for this reason.",
)
def command(app: App, limit: int, after: str | None, why: str | None) -> Result:
    """List captured events in order, stream by stream, or those of --project's stream."""
    start = _start(app, after)
    hold = None if why is None else Hold(why)
    entries: list[Entry] = []
    heads: list[Head] = []
    superseded: set[tuple[str, int]] = set()
    total = 0
    with app.reading() as stores:
        nothing = nothing_stored(app, stores)
        if stores is not None:
            heads = _heads(app, stores)
            total = sum(_count(stores, head, hold) for head in heads)
            entries = list(_entries(stores, heads, start, limit + 1, hold))
            superseded = superseded_among(stores, entries)
    shown = entries[:limit]
    if hold and heads:
        nothing = "nothing is held for that"
    following = f"{shown[-1].stream}:{shown[-1].position}" if len(entries) > limit else None
    return Result(
        document={
            "entries": [
                {**entry_document(entry), "superseded": place_of(entry) in superseded}
                for entry in shown
            ],
            "entries_count": total,
            "next_after": following,
        },
        lines=table([_row(entry, superseded) for entry in shown])
        or [f"nothing comes after {after}" if total else nothing],
        talk=(*app.concerns(), *([f"more: --after {following}"] if following else [])),
    )


def _start(app: App, after: str | None) -> tuple[str, int]:
    """Return the stream and position to go on after."""
    if after is None:
        return "", 0
    stream, mark, position = after.rpartition(":")
    if not (position.isascii() and position.isdigit() and len(position) < 19):
        raise UsageProblemError(
            "--after is a position, or STREAM:POSITION",
            fix_argv=("eventsync", "journal", "list", "--help"),
        )
    return (stream if mark else app.stream), int(position)


def _heads(app: App, stores: Stores) -> list[Head]:
    return heads_of(stores.journal, None if app.chosen.project is None else app.stream)


def _entries(
    stores: Stores, heads: list[Head], start: tuple[str, int], most: int, hold: Hold | None
) -> Iterator[Entry]:
    stream, position = start
    for head in heads:
        if head.stream < stream or most <= 0:
            continue
        after = position if head.stream == stream else 0
        if hold is None:
            found = stores.journal.entries(head.stream, after=after, limit=most)
        else:
            found = _held(stores, head.stream, hold, after, most)
        most -= len(found)
        yield from found


def _held(stores: Stores, stream: str, hold: Hold, after: int, most: int) -> list[Entry]:
    return [
        entry
        for position in stores.holds.held(stream, hold, after=after, limit=most)
        for entry in stores.journal.entries(stream, after=position - 1, limit=1)
    ]


def _count(stores: Stores, head: Head, hold: Hold | None) -> int:
    if hold is None:
        return head.position
    return sum(len(page) for page in held_pages(stores, head.stream, hold))


def entry_document(entry: Entry) -> dict[str, Any]:
    """Return one entry as JSON, without its text."""
    event = entry.event
    return {
        "event_id": event.event_id,
        "stream": entry.stream,
        "position": entry.position,
        "event_type": event.event_type,
        "aggregate": event.aggregate,
        "captured_at": iso_time(entry.captured_at),
        "size": event.size,
        "hold": None if event.hold is None else event.hold.value,
        "hold_reason": event.hold_reason,
        "purged": entry.is_purged,
        "damaged": flaw_document(entry),
        "producer": None if entry.producer is None else attrs.asdict(entry.producer),
    }


def _row(entry: Entry, superseded: set[tuple[str, int]]) -> tuple[str, ...]:
    event = entry.event
    marks = [f"held: {event.hold}: {event.hold_reason or ''}".rstrip(": ")] if event.hold else []
    flaw = judge_text(entry)
    marks += [f"damaged: {flaw[1]}"] if flaw else []
    marks += ["purged"] if entry.is_purged else []
    marks += ["superseded"] if place_of(entry) in superseded else []
    return (
        f"{entry.stream}:{entry.position}",
        event.event_id,
        event.event_type or "-",
        iso_time(entry.captured_at),
        ", ".join(marks),
    )
