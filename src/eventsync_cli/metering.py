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


def write_metrics(app: App, *, is_check: bool, is_watch: bool) -> Result:
    """
    Write the status of *app*'s home to stdout in the text format of Prometheus.

    Raises:
        UsageProblemError: JSON, a check or another stream was asked for as well.
        OutputLostError: It cannot be written.
    """
    options = {"--json": app.chosen.as_json, "--check": is_check, "--watch": is_watch}
    for option in (name for name, is_given in options.items() if is_given):
        raise UsageProblemError(f"--prometheus is a stream and has no {option}", fix_argv=_HELP)
    status = look(app)
    found = check(status)
    code, reason = exit_of(status, found, is_check=False)
    write_stream(prometheus_text(as_document(status, found, exit_code=code)))
    return Result(document={}, talk=app.concerns(), code=code, reason=reason)
