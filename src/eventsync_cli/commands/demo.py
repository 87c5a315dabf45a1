from typing import Any

import attrs

from eventsync_cli.acting import acting
from eventsync_cli.compose import App
from eventsync_cli.demo import Outcome, run_demo
from eventsync_cli.exits import ExitCode
from eventsync_cli.render import Result, say, write_out
from eventsync_core.clock import SECOND
from eventsync_core.errors import Reason


@acting("demo")
def command(app: App) -> Result:
    """Show the whole path with made-up events and two local receivers, in a temporary home."""
    started = app.clock()
    outcome = run_demo(say if app.chosen.as_json else write_out)
    seconds = (app.clock() - started) / SECOND
    return _result(outcome, seconds)


def _result(outcome: Outcome, seconds: float) -> Result:
    document: dict[str, Any] = {**attrs.asdict(outcome), "seconds": seconds}
    if outcome.is_proven:
        line = f"proven in {seconds:.1f} s; nothing is left behind"
        return Result(document=document, lines=[line])
    return Result(
        document=document,
        code=ExitCode.INCOMPLETE,
        reason=Reason(
            code="demo_failed",
            message="the receivers do not hold what was captured",
            fix_text="please report this",
        ),
    )
