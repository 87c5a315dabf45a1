"""From a plain function to a command: it gets an `App`, and its `Result` is shown."""

from collections.abc import Callable, Iterable
from functools import wraps
from typing import Any

import attrs
import click

from eventsync_cli import render
from eventsync_cli.compose import App, assemble
from eventsync_cli.exits import ExitCode
from eventsync_cli.failures import UsageProblemError
from eventsync_cli.locating import here, located
from eventsync_cli.options import Leaf, chosen
from eventsync_cli.render import Result
from eventsync_cli.stalling import stall_lines
from eventsync_core.errors import EventSyncError
from eventsync_core.events import require_project

__all__ = ["acting"]


def check_texts(values: Iterable[object]) -> None:
    """
    Let only pass what can be written as UTF-8; paths of which there may be several can be any.

    Raises:
        UsageProblemError: A value of the command line cannot.
    """
    for value in values:
        texts = [str(value)]
        if isinstance(value, tuple):
            texts = [each for each in value if isinstance(each, str)]
        try:
            "".join(texts).encode()
        except UnicodeEncodeError:
            raise UsageProblemError("the command line is not UTF-8") from None


def closing(app: App) -> list[str]:
    """Return what every command says at its end, while something is at risk or stalls."""
    if not app.was_opened:
        app.glance()
    return [*app.closing_lines(), *stall_lines(app)]


def _log(app: App, name: str, result: Result) -> None:
    """Log what the command *name* did, where that was an act."""
    if not result.is_act:
        return
    target, reason = result.document.get("target"), result.reason
    more = {
        "exit": int(result.code),
        "error": None if reason is None else reason.code,
        "target_id": target["target_id"] if isinstance(target, dict) else None,
    }
    problem = app.log_act(name, {**result.document, **more})
    if problem:
        render.say(f"eventsync: {problem}")


def acting(name: str) -> Callable[[Callable[..., Result]], Leaf]:
    """Make a function from an `App` and its parameters to a `Result` the command *name*."""

    def wrap(function: Callable[..., Result]) -> Leaf:
        @wraps(function)
        def act(**parameters: Any) -> ExitCode:
            options = chosen(click.get_current_context())
            check_texts((options.home, options.project, *parameters.values()))
            require_project(options.project)
            app: App | None = None
            try:
                app = assemble(options)
                result = function(app, **parameters)
            except EventSyncError as error:
                if app is not None:
                    render.later(closing(app))
                error.fix_argv = here(error.fix_argv, options)
                error.fix_text = options.spelt(error.fix_text)
                raise
            if result.reason is not None:
                result = attrs.evolve(result, reason=located(result.reason, options))
            code = render.show(result, as_json=options.as_json)
            _log(app, name, result)
            is_told = result.reason is not None and result.reason.code == "stalled"
            for line in app.closing_lines() if is_told and not options.as_json else closing(app):
                render.say(line)
            return code

        return click.command(name, cls=Leaf)(act)

    return wrap
