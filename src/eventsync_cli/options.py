"""The options every command takes, before and after its name."""

import re
import shlex
from typing import Any

import attrs
import click

__all__ = ["Chosen", "Leaf", "WithGlobals", "chosen"]

_META = "eventsync"
_COMMAND = re.compile(r"\beventsync (?=(?:journal|sync|target) [a-z])")


@attrs.define
class Chosen:
    """What the global options say; the later mention of an option wins."""

    home: str | None = None
    project: str | None = None
    as_json: bool = False
    no_color: bool = False

    def spelt(self, text: str) -> str:
        """Return *text* with every command that it names for the home that was named."""
        if self.home is None:
            return text
        there = f"eventsync --home {shlex.quote(self.home)} "
        return _COMMAND.sub(lambda _: there, text)


def chosen(context: click.Context) -> Chosen:
    """Return what was chosen on the command line of *context*, up to and including it."""
    found = context.meta.setdefault(_META, Chosen())
    if not isinstance(found, Chosen):
        raise TypeError(f"{_META} in the context is somebody else's")
    return found


def _note(context: click.Context, parameter: click.Parameter, value: Any) -> None:
    if value is not None and value is not False and parameter.name is not None:
        setattr(chosen(context), parameter.name, value)


def _globals() -> list[click.Option]:
    def option(*names: str, **settings: Any) -> click.Option:
        return click.Option(names, callback=_note, expose_value=False, **settings)

    return [
        option("--home", "home", metavar="DIR", help="The home; default ~/.spec-kitty."),
        option("--project", "project", metavar="KEY", help="The project whose stream is meant."),
        option("--json", "as_json", is_flag=True, help="Answer with one JSON object."),
        option("--no-color", "no_color", is_flag=True, help="No colours on a terminal."),
    ]


def _show_help(context: click.Context, _: click.Parameter, value: bool) -> None:  # noqa: FBT001
    if not value or context.resilient_parsing:
        return
    from eventsync_cli import render

    render.write_out(context.get_help())
    context.exit()


class WithGlobals(click.Command):
    """A command that takes the global options too, and gives its help as JSON when asked to."""

    def __init__(self, *arguments: Any, **settings: Any) -> None:
        super().__init__(*arguments, **settings)
        self.params.extend(_globals())
        self.context_settings.setdefault("help_option_names", ["-h", "--help"])

    def get_help_option(self, ctx: click.Context) -> click.Option | None:
        """Return the option that shows the help as data is shown, also where that cannot be."""
        found = super().get_help_option(ctx)
        if found is not None:
            found.callback = _show_help
        return found

    def get_help(self, context: click.Context) -> str:
        """Return the help; one JSON object when the caller wants only such."""
        text = super().get_help(context)
        wanted = context.find_object(Chosen)
        if wanted is None or not wanted.as_json:
            return text
        from eventsync_core.codec import write_document

        return write_document({"schema": 1, "ok": True, "help": text})


class Leaf(WithGlobals):
    """A command that does something."""
