from collections.abc import Callable
from pathlib import Path

import click

from eventsync_cli.acting import acting
from eventsync_cli.compose import App
from eventsync_cli.exits import ExitCode
from eventsync_cli.failures import UsageProblemError
from eventsync_cli.render import Progress, Result
from eventsync_cli.streaming import write_stream
from eventsync_core.errors import Reason
from eventsync_core.portability import Exported, export, wanted_heads
from eventsync_core.stores import Stores

_HELP = ("eventsync", "journal", "export", "--help")


@acting("export")
@click.argument("file", metavar="FILE|-")
@click.option("--all-projects", is_flag=True, help="Every stream, not only that of --project.")
@click.option("--force", is_flag=True, help="Replace FILE if it is there.")
def command(app: App, file: str, *, all_projects: bool, force: bool) -> Result:
    """
    Write the events of --project's stream to FILE, or with - to standard output.

    One per line, exactly as stored, in order. FILE is made whole or not at all.
    """
    if app.chosen.as_json:
        raise UsageProblemError("journal export is a stream and has no --json", fix_argv=_HELP)
    if all_projects and app.chosen.project is not None:
        raise UsageProblemError("--all-projects and --project exclude each other", fix_argv=_HELP)
    stream = None if all_projects else app.stream
    with app.reading() as stores:
        found = Exported() if stores is None else _export(app, stores, stream, file, force=force)
    reason = _reason(found)
    return Result(
        document={},
        talk=(
            f"exported {_told(found, stream)}{_place(file, found)}",
            *_left(found),
            *_gone(found),
            *([] if app.has_store else [f"nothing is stored yet: {app.database}"]),
            *app.concerns(),
        ),
        code=ExitCode.OK if reason is None else ExitCode.INCOMPLETE,
        reason=reason,
    )


def _export(app: App, stores: Stores, stream: str | None, file: str, *, force: bool) -> Exported:
    wanted, others = wanted_heads(stores.journal, stream)
    total = sum(head.position for head in wanted)

    def into(write: Callable[[str], object]) -> Exported:
        with Progress("exporting", app.clock, total=total, no_color=app.no_color) as bar:
            return export(stores.journal, write, stream=stream, progress=bar.reach)

    if file == "-":
        return into(write_stream)
    if not total:
        return Exported(other_streams=others)
    with app.whole_file(Path(file), replace=force) as made:
        return into(made.write)


def _place(file: str, found: Exported) -> str:
    if file == "-":
        return ""
    is_made = found.events or found.without_text
    return f" to {file}" if is_made else f"; {file} is not made"


def _told(found: Exported, stream: str | None) -> str:
    counts = f"{_many(found.events, 'event')} of {_many(found.streams, 'stream')}"
    return counts if stream is None else f"{counts} ({stream})"


def _left(found: Exported) -> list[str]:
    if not found.other_streams:
        return []
    others = _many(found.other_streams, "other stream")
    return [f"left out: {others}; --project KEY names one, --all-projects takes all"]


def _gone(found: Exported) -> list[str]:
    if not found.purged:
        return []
    return [f"left out, for their payload was purged: {_many(found.purged, 'event')}"]


def _many(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def _reason(found: Exported) -> Reason | None:
    if not found.without_text:
        return None
    return Reason(
        code="text_missing",
        message=f"not exported, for their text is not there: {_many(found.without_text, 'event')}",
        fix_argv=("eventsync", "journal", "verify"),
    )
