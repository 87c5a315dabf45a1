"""From a plain function to a command: it gets an `App`, and its `Result` is shown."""

from collections.abc import Callable
from functools import wraps
from typing import Any

import click

from eventsync_cli import render
from eventsync_cli.compose import assemble
from eventsync_cli.exits import ExitCode
from eventsync_cli.options import Leaf, chosen
from eventsync_cli.render import Result

__all__ = ["acting"]


def acting(name: str) -> Callable[[Callable[..., Result]], Leaf]:
    """Make a function from an `App` and its parameters to an `Result` the command *name*."""

    def wrap(function: Callable[..., Result]) -> Leaf:
        @wraps(function)
        def act(**parameters: Any) -> ExitCode:
            options = chosen(click.get_current_context())
            app = assemble(options)
            answer = function(app, **parameters)
            code = render.show(answer, as_json=options.as_json)
            for line in app.closing_lines():
                render.say(line)
            return code

        return click.command(name, cls=Leaf)(act)

    return wrap
