import sys

import click

from eventsync_cli.acting import acting
from eventsync_cli.bars import width_of_output
from eventsync_cli.compose import App
from eventsync_cli.failures import UsageProblemError
from eventsync_cli.locating import located
from eventsync_cli.looking import exit_of, look, status_lines
from eventsync_cli.metering import write_metrics
from eventsync_cli.render import Result
from eventsync_cli.watching import screen, watch
from eventsync_core.status import as_document, check

_HELP = ("eventsync", "sync", "status", "--help")
_EACH = 2


@acting("status")
@click.option("--check", "is_check", is_flag=True, help="Exit 2 unless everything is coherent.")
@click.option("--prometheus", "as_metrics", is_flag=True, help="Write it as metrics.")
@click.option("--watch", "is_watch", is_flag=True, help="Look again and again, until Ctrl-C.")
@click.option(
    "--interval",
    type=click.IntRange(1, 3_600),
    help=f"With --watch: seconds between two looks.  [default: {_EACH}]",
)
def command(
    app: App, *, is_check: bool, is_watch: bool, interval: int | None, as_metrics: bool
) -> Result:
    """Show what is stored, delivered and owed; changes nothing, not even on a fresh home."""
    if as_metrics:
        return write_metrics(app, is_check=is_check, is_watch=is_watch)
    if is_watch:
        if app.chosen.as_json or is_check:
            option = "--json" if app.chosen.as_json else "--check"
            raise UsageProblemError(f"--watch is a stream and has no {option}", fix_argv=_HELP)
        return _watch(app, interval or _EACH)
    if interval is not None:
        raise UsageProblemError("--interval needs --watch", fix_argv=_HELP)
    return _look(app, is_check=is_check)


def _look(app: App, *, is_check: bool) -> Result:
    status = look(app)
    found = check(status)
    code, reason = exit_of(status, found, is_check=is_check)
    reasons = tuple(located(each, app.chosen) for each in found)
    return Result(
        document=as_document(status, reasons, exit_code=code),
        lines=status_lines(
            status,
            reasons,
            app.chosen,
            is_check=is_check,
            width=width_of_output(),
            no_color=app.no_color,
        ),
        code=code,
        reason=reason,
    )


def _watch(app: App, seconds: int) -> Result:
    """Show it until somebody has seen enough; what cannot be read now may be, the next time."""

    def picture() -> list[str]:
        found = _look(app.reread(), is_check=False)
        said = [] if found.reason is None else [f"{found.reason.message} [{found.reason.code}]"]
        return [*found.lines, *said]

    with screen(app.clock, no_color=app.no_color) as paint:
        last = watch(picture, paint, seconds=seconds, sleep=app.sleep)
    # What was painted over a terminal is gone; below one it stands there.
    return Result(document={}, lines=last if sys.stdout.isatty() else ())
