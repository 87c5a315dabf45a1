from eventsync_cli.acting import acting
from eventsync_cli.compose import App
from eventsync_cli.effective import effective, in_words
from eventsync_cli.exits import ExitCode
from eventsync_cli.render import Result, table
from eventsync_core.errors import reason_of


@acting("show")
def command(app: App) -> Result:
    """Show every setting that holds now and where it comes from; changes nothing."""
    shown, problem, talk = effective(app), app.config.problem, app.concerns()
    problems = [reason_of(error) for error in app.problems()]
    return Result(
        document={
            "settings": [each.document() for each in shown],
            "settings_count": len(shown),
            "problems": [reason.document() for reason in problems],
            "problems_count": len(problems),
        },
        lines=table([(each.name, in_words(each.value), each.source) for each in shown]),
        # Its line comes first, and is said as the reason already.
        talk=talk if problem is None else talk[1:],
        code=ExitCode.OK if problem is None else ExitCode.REFUSED,
        reason=None if problem is None else reason_of(problem),
    )
