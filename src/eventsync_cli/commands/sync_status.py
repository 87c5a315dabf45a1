import click

from eventsync_cli.acting import acting, located
from eventsync_cli.compose import App
from eventsync_cli.looking import exit_of, look, status_lines
from eventsync_cli.metering import write_metrics
from eventsync_cli.render import Result
from eventsync_core.status import as_document, check


@acting("status")
@click.option("--check", "is_check", is_flag=True, help="Exit 2 unless everything is coherent.")
@click.option("--prometheus", "as_metrics", is_flag=True, help="Write it as metrics.")
def command(app: App, *, is_check: bool, as_metrics: bool) -> Result:
    """Show what is stored, delivered and owed; changes nothing, not even on a fresh home."""
    if as_metrics:
        return write_metrics(app, is_check=is_check)
    status = look(app)
    found = check(status)
    code, reason = exit_of(status, found, is_check=is_check)
    reasons = tuple(located(each, app.chosen) for each in found)
    return Result(
        document=as_document(status, reasons, exit_code=code),
        lines=status_lines(status, reasons, app.chosen, is_check=is_check),
        code=code,
        reason=reason,
    )
