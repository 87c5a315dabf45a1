from typing import TYPE_CHECKING, Any

import click

from eventsync_cli.acting import acting
from eventsync_cli.compose import App
from eventsync_cli.render import Progress, Result
from eventsync_cli.selecting import choice_of, payload_options, wanted_stream
from eventsync_core.codec import MOST_ITEMS
from eventsync_core.payloads import Act, Deed
from eventsync_core.retention import Choice, Collected, Stay, collect, preview

if TYPE_CHECKING:
    from eventsync_cli.compose import Space


@acting("gc")
@payload_options
@click.option("--apply", is_flag=True, help="Do it; without this it is only counted.")
@click.option("--compact", is_flag=True, help="Write the whole database anew, with nothing unused.")
def command(app: App, *, apply: bool, compact: bool, **filters: Any) -> Result:
    """
    Count the payloads that every target has, or with --apply let them go.

    Ids, digests and what every target said stay for ever. Without a target nothing goes.
    """
    choice, stream = choice_of(app, **filters), wanted_stream(app)
    before = app.space()
    if apply and app.has_store:
        found = _collect(app, choice, stream)
    else:
        with app.reading() as stores:
            found = Collected(frozenset())
            if stores is not None:
                found = preview(stores, choice, stream)
    after = before
    if compact:
        after = app.compact()
    elif apply:
        after = app.give_back()
    return _result(app, found, (before, after), apply=apply, compact=compact)


def _collect(app: App, choice: Choice, stream: str | None) -> Collected:
    deed = Deed(act=Act.GC, actor="cli", at=app.clock())
    with (
        app.stores() as stores,
        Progress("purging", app.clock, total=None, no_color=app.no_color) as bar,
    ):
        return collect(stores, choice, stream, deed, progress=bar.reach)


def _result(
    app: App,
    found: Collected,
    space: "tuple[Space | None, Space | None]",
    *,
    apply: bool,
    compact: bool,
) -> Result:
    before, after = (0 if each is None else each.after for each in space)
    unused = 0 if space[1] is None else space[1].unused
    targets = sorted(found.targets)
    document = {
        "operation": "gc",
        "purged": found.purged,
        "purged_bytes": found.size,
        "skipped": found.stayed.total(),
        "stayed": {why.value: found.stayed[why] for why in Stay},
        "streams": dict(found.streams.most_common(MOST_ITEMS)),
        "streams_count": len(found.streams),
        "targets": targets[:MOST_ITEMS],
        "targets_count": len(targets),
        "journal_size_bytes_before": before,
        "journal_size_bytes_after": after,
        "unused_bytes": unused,
        "compacted": compact and space[1] is not None,
        "dry_run": not apply,
    }
    return Result(
        document=document,
        lines=_lines(found, (before, after), apply=apply),
        talk=[*app.concerns(), *_talk(app, found, unused, apply=apply)],
    )


def _lines(found: Collected, sizes: tuple[int, int], *, apply: bool) -> list[str]:
    would = "" if apply else "would be "
    stayed = "  ".join(f"{why.value} {found.stayed[why]}" for why in Stay)
    counts = f"purged {found.purged} ({found.size} bytes)  skipped {found.stayed.total()}"
    return [f"gc: {would}{counts} ({stayed})  (journal {sizes[0]} -> {sizes[1]} bytes)"]


def _talk(app: App, found: Collected, unused: int, *, apply: bool) -> list[str]:
    lines = []
    if not found.targets:
        lines.append("no target is known here: nothing may go")
    if not apply and found.purged:
        lines.append("nothing changed; the same command with --apply does it")
    if apply and unused:
        again = app.chosen.spelt("eventsync sync gc --compact")
        lines.append(f"{unused} bytes of the file are unused; to give them back: {again}")
    return lines
