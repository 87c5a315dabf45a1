from typing import Any

import attrs
import click

from eventsync_cli.absent import absent_lines
from eventsync_cli.acting import acting
from eventsync_cli.compose import App
from eventsync_cli.failures import UsageProblemError
from eventsync_cli.render import Progress, Result
from eventsync_cli.selecting import (
    choice_of,
    collected_document,
    owed_lines,
    payload_options,
    size_words,
    sizes_of,
    wanted_stream,
)
from eventsync_core.measures import total
from eventsync_core.payloads import Act, Deed
from eventsync_core.retention import Choice, Collected, Stay, collect, preview


@acting("gc")
@payload_options
@click.option("--apply", is_flag=True, help="Do it; without this it is only counted.")
@click.option("--dry-run", is_flag=True, help="Count, but change nothing.")
@click.option("--compact", is_flag=True, help="Write the whole database anew, with nothing unused.")
def command(app: App, *, apply: bool, dry_run: bool, compact: bool, **filters: Any) -> Result:
    """
    Count the payloads that every target has, or with --apply let them go.

    Ids, digests and what every target said stay for ever. Without a target nothing goes.
    """
    if apply and dry_run:
        raise UsageProblemError(
            "--apply and --dry-run exclude each other",
            fix_argv=("eventsync", "sync", "gc", "--help"),
        )
    choice, stream = choice_of(app, **filters), wanted_stream(app)
    found, size = Collected(frozenset()), 0
    with app.reading() as stores:
        absent = absent_lines(app, stores)
        if stores is not None:
            size = total(stores.measures.retained()).size_bytes
            found = found if apply else preview(stores, choice, stream, at=app.clock())
    # To write it anew is an act of its own, by which no payload goes.
    is_only_of_file = compact and not apply
    if is_only_of_file:
        found = Collected(found.targets)
    before = app.space()
    left = max(size - found.size, 0)
    if apply and app.has_store:
        found, left = _collect(app, choice, stream)
    after, compact = before, compact and not dry_run
    if compact:
        after = app.compact()
    elif apply:
        after = app.give_back()
    is_done = apply or compact
    sizes = sizes_of((size, left), before, after, is_known=is_done or before is None)
    unused = 0 if after is None else after.unused
    is_compacted = compact and after is not None
    result = _result(app, found, sizes, unused, is_done=is_done, is_compacted=is_compacted)
    result = attrs.evolve(result, talk=[*absent, *result.talk])
    if is_only_of_file:
        return attrs.evolve(result, lines=_of_file(sizes, is_done=compact, is_there=app.has_store))
    return result


def _collect(app: App, choice: Choice, stream: str | None) -> tuple[Collected, int]:
    """Let payloads go, and return which went, and the bytes of those that are left."""
    deed = Deed(act=Act.GC, actor="cli", at=app.clock())
    with (
        app.stores() as stores,
        Progress("purging", app.clock, total=None, no_color=app.no_color) as bar,
    ):
        found = collect(stores, choice, stream, deed, app.clock, progress=bar.reach)
        return found, total(stores.measures.retained()).size_bytes


def _result(
    app: App,
    found: Collected,
    sizes: dict[str, int | None],
    unused: int,
    *,
    is_done: bool,
    is_compacted: bool,
) -> Result:
    document = {
        "operation": "gc",
        "purged": found.purged,
        "purged_bytes": found.size,
        **collected_document(found),
        **sizes,
        "unused_bytes": unused,
        "compacted": is_compacted,
        "dry_run": not is_done,
    }
    return Result(
        document=document,
        lines=_lines(found, sizes, is_done=is_done, is_compacted=is_compacted),
        talk=[*app.concerns(), *_talk(app, found, unused, is_done=is_done)],
        is_act=is_done,
    )


def _lines(
    found: Collected, sizes: dict[str, int | None], *, is_done: bool, is_compacted: bool
) -> list[str]:
    would = "" if is_done else "would be "
    stayed = "  ".join(f"{why.value} {found.stayed[why]}" for why in Stay)
    counts = f"purged {found.purged} ({found.size} bytes)  skipped {found.stayed.total()}"
    compacted = ["gc: the database was written anew"] if is_compacted else []
    line = f"gc: {would}{counts} ({stayed})  ({size_words(sizes)})"
    return [line, *owed_lines(found, is_done=is_done), *compacted]


def _of_file(sizes: dict[str, int | None], *, is_done: bool, is_there: bool) -> list[str]:
    if not is_there:
        return ["gc: there is no database to write anew"]
    would = "was" if is_done else "would be"
    return [f"gc: the database {would} written anew  ({size_words(sizes)})"]


def _talk(app: App, found: Collected, unused: int, *, is_done: bool) -> list[str]:
    lines = []
    if not found.targets:
        lines.append("no target is known here: nothing may go")
    if not is_done and found.purged:
        lines.append("no payload went; the same command with --apply does it")
    if is_done and unused:
        again = app.chosen.spelt("eventsync sync gc --compact")
        lines.append(f"{unused} bytes of the file are unused; to give them back: {again}")
    return lines
