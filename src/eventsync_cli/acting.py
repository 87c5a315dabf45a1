"""From a plain function to a command: it gets an `App`, and its `Result` is shown."""

from collections.abc import Callable, Iterable
from functools import wraps
from typing import Any

import attrs
import click

from eventsync_cli import render
from eventsync_cli.compose import assemble
from eventsync_cli.exits import ExitCode
from eventsync_cli.failures import UsageProblemError
from eventsync_cli.options import Chosen, Leaf, chosen
from eventsync_cli.render import Result
from eventsync_core.errors import EventSyncError

__all__ = ["acting", "here"]


def here(argv: tuple[str, ...], options: Chosen) -> tuple[str, ...]:
    """Return the command *argv* for the home that was named on this command line."""
    if not argv or options.home is None:
        return argv
    return (argv[0], "--home", options.home, *argv[1:])


def check_texts(values: Iterable[object]) -> None:
    """
    Let only pass what can be written as UTF-8.

    Raises:
        UsageProblemError: A value of the command line cannot.
    """
    for value in values:
        try:
            str(value).encode()
        except UnicodeEncodeError:
            raise UsageProblemError("the command line is not UTF-8") from None


def check_project(key: str | None) -> None:
    """
    Let only a project pass that an event could name.

    Raises:
        UsageProblemError: It holds what cannot be printed.
    """
    if key is not None and not key.isprintable():
        raise UsageProblemError(
            "the --project holds characters that cannot be printed",
            code="project_unusable",
            fix_text="name a project as it stands in project_uuid",
        )


def acting(name: str) -> Callable[[Callable[..., Result]], Leaf]:
    """Make a function from an `App` and its parameters to a `Result` the command *name*."""

    def wrap(function: Callable[..., Result]) -> Leaf:
        @wraps(function)
        def act(**parameters: Any) -> ExitCode:
            options = chosen(click.get_current_context())
            check_texts((options.home, options.project, *parameters.values()))
            check_project(options.project)
            try:
                app = assemble(options)
                result = function(app, **parameters)
            except EventSyncError as error:
                error.fix_argv = here(error.fix_argv, options)
                raise
            if result.reason is not None:
                argv = here(result.reason.fix_argv, options)
                result = attrs.evolve(result, reason=result.reason._replace(fix_argv=argv))
            code = render.show(result, as_json=options.as_json)
            for line in app.closing_lines():
                render.say(line)
            return code

        return click.command(name, cls=Leaf)(act)

    return wrap
