from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import attrs
import click

from eventsync_cli.acting import acting
from eventsync_cli.compose import App
from eventsync_cli.damage import damage_lines, left_reason
from eventsync_cli.exits import ExitCode
from eventsync_cli.failures import UsageProblemError
from eventsync_cli.render import Progress, Result, counted
from eventsync_cli.streaming import write_stream
from eventsync_cli.times import moment
from eventsync_core.journal import Entry
from eventsync_core.portability import Exported, Filter, choose, export, tell, wanted_heads
from eventsync_core.stores import Stores

_HELP = ("eventsync", "journal", "export", "--help")


@attrs.frozen(kw_only=True)
class _Wish:
    """What the command line asks for; `stream` None: all of them."""

    file: str
    stream: str | None
    wanted: Filter
    with_history: bool
    force: bool


@acting("export")
@click.argument("file", metavar="FILE|-")
@click.option("--all-projects", is_flag=True, help="Every stream, not only that of --project.")
@click.option("--type", "types", multiple=True, help="Only events of this type.")
@click.option("--since", metavar="TIME", help="Only those captured at or after TIME.")
@click.option("--until", metavar="TIME", help="Only those captured before TIME.")
@click.option("--undelivered-to", metavar="TARGET", default="", help="Only what TARGET lacks.")
@click.option("--with-history", is_flag=True, help="Behind each event, what became of it.")
@click.option("--force", is_flag=True, help="Replace FILE if it is there.")
def command(
    app: App, file: str, *, all_projects: bool, with_history: bool, force: bool, **filters: Any
) -> Result:
    """
    Write the events of --project's stream to FILE, or with - to standard output.

    One per line, exactly as stored, in order. FILE is made whole or not at all.
    """
    if app.chosen.as_json:
        raise UsageProblemError("journal export is a stream and has no --json", fix_argv=_HELP)
    if all_projects and app.chosen.project is not None:
        raise UsageProblemError("--all-projects and --project exclude each other", fix_argv=_HELP)
    stream = None if all_projects else app.stream
    wish = _Wish(
        file=file, stream=stream, wanted=_filter(**filters), with_history=with_history, force=force
    )
    with app.reading() as stores:
        found = _export(app, stores, wish)
    reason = left_reason(found.damaged, "exported")
    return Result(
        document={},
        talk=(
            f"exported {_told(found, stream)}{_place(file, found, force=force)}",
            *_left(found),
            *_gone(found),
            *damage_lines(found.damaged.first),
            *([] if app.has_store else [f"nothing is stored yet: {app.database}"]),
            *app.concerns(),
        ),
        code=ExitCode.OK if reason is None else ExitCode.INCOMPLETE,
        reason=reason,
    )


def _filter(
    *, types: tuple[str, ...], since: str | None, until: str | None, undelivered_to: str
) -> Filter:
    return Filter(
        types=frozenset(types),
        captured_from=None if since is None else moment(since, "--since"),
        captured_until=None if until is None else moment(until, "--until"),
        lacking=undelivered_to,
    )


def _export(app: App, stores: Stores | None, wish: _Wish) -> Exported:
    if stores is None:
        if wish.force and wish.file != "-":
            _write_nothing(app, wish.file)
        return Exported()
    if wish.wanted.lacking:
        stores.targets.get(wish.wanted.lacking)
    wanted, others = wanted_heads(stores.journal, wish.stream)
    total = sum(max(head.position, 0) for head in wanted)

    def into(write: Callable[[str], object]) -> Exported:
        with Progress("exporting", app.clock, total=total, no_color=app.no_color) as bar:
            return export(
                stores.journal,
                write,
                stream=wish.stream,
                progress=bar.reach,
                choose=partial(choose, stores, wish.wanted),
                tell=partial(tell, stores) if wish.with_history else _nothing,
            )

    if wish.file == "-":
        return into(write_stream)
    if not wanted:
        if wish.force:
            _write_nothing(app, wish.file)
        return Exported(other_streams=others)
    with app.whole_file(Path(wish.file), replace=wish.force) as made:
        return into(made.write)


def _nothing(_: Entry) -> str:
    return ""


def _write_nothing(app: App, file: str) -> None:
    """Leave no older export where the export of nothing was asked for."""
    with app.whole_file(Path(file), replace=True):
        pass


def _place(file: str, found: Exported, *, force: bool) -> str:
    if file == "-":
        return ""
    is_made = force or found.events or found.damaged.count or found.purged or found.not_chosen
    return f" to {file}" if is_made else f"; {file} is not made"


def _told(found: Exported, stream: str | None) -> str:
    counts = f"{counted(found.events, 'event')} of {counted(found.streams, 'stream')}"
    return counts if stream is None else f"{counts} ({stream})"


def _left(found: Exported) -> list[str]:
    if not found.other_streams:
        return []
    others = counted(found.other_streams, "other stream")
    return [f"left out: {others}; --project KEY names one, --all-projects takes all"]


def _gone(found: Exported) -> list[str]:
    lines = []
    if found.not_chosen:
        lines.append(f"left out, for they were not asked for: {counted(found.not_chosen, 'event')}")
    if not found.purged:
        return lines
    return [
        *lines,
        f"left out, for their payload was purged: {counted(found.purged, 'event')}",
    ]
