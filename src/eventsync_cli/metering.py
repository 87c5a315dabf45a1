"""The status as metrics, for a program that collects them."""

from eventsync_cli.compose import App
from eventsync_cli.failures import UsageProblemError
from eventsync_cli.looking import exit_of, look
from eventsync_cli.render import Result
from eventsync_cli.streaming import write_stream
from eventsync_core.status import as_document, check
from eventsync_core.telemetry import prometheus_text

__all__ = ["write_metrics"]

_HELP = ("eventsync", "sync", "status", "--help")


def write_metrics(app: App, *, is_check: bool) -> Result:
    """
    Write the status of *app*'s home to stdout in the text format of Prometheus.

    Raises:
        UsageProblemError: JSON or a check was asked for as well.
        OutputLostError: It cannot be written.
    """
    if app.chosen.as_json or is_check:
        option = "--json" if app.chosen.as_json else "--check"
        raise UsageProblemError(f"--prometheus is a stream and has no {option}", fix_argv=_HELP)
    status = look(app)
    found = check(status)
    code, reason = exit_of(status, found, is_check=False)
    write_stream(prometheus_text(as_document(status, found, exit_code=code)))
    return Result(document={}, talk=app.concerns(), code=code, reason=reason)
