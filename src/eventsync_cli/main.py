"""The commands by name; a command is imported when it is called."""

import signal
import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from types import FrameType
from typing import Any

import click

from eventsync_cli.exits import ExitCode
from eventsync_cli.options import Chosen, WithGlobals

__all__ = ["LazyGroup", "program", "run"]

_SOON = 0.02
_PATIENCE = 1.0
_TOP = {
    "audit": "See what was dropped or purged on purpose.",
    "body": "Keep artifact texts, and upload them after their events.",
    "capture": "Store events, one JSON object per line.",
    "config": "Show what is set, and where.",
    "demo": "Show the whole path with made-up events and two local receivers.",
    "family": "See which events stay here and which may be dropped.",
    "journal": "Look at what was captured; hold, copy, check, erase it.",
    "serve": "Run a local receiver that keeps what it is sent.",
    "sync": "Choose a target, deliver to it, see what it has.",
    "target": "Targets, and what may go to each.",
}
_BELOW: Mapping[str, Mapping[str, str]] = {
    "audit": {
        "list": "List events that were dropped on purpose.",
        "purges": "List the acts by which payloads went, or came back.",
    },
    "body": {
        "add": "Keep files to be uploaded.",
        "list": "List bodies and where each stands.",
        "push": "Upload bodies to the current target.",
        "retry": "Let bodies that failed or wait go again.",
    },
    "config": {
        "show": "Show every setting and where it comes from.",
    },
    "family": {
        "list": "List event types with the family of each.",
    },
    "journal": {
        "backup": "Copy the whole store into a file, while others write.",
        "export": "Write captured events out, one per line, exactly as stored.",
        "hold": "Keep events from being offered to any target.",
        "import": "Take events in again from an export or archive.",
        "list": "List captured events.",
        "purge": "Erase all content of a project; ids and outcomes stay.",
        "quarantine": "Set damaged entries aside; list what was set aside.",
        "release": "Let held events be offered again.",
        "restore": "Put a backup where the store is.",
        "show": "Show one event and what each target said of it.",
        "verify": "Check every stream and all references, or compare with a receiver.",
    },
    "sync": {
        "archive": "Move payloads into a compressed file, with all of it read back first.",
        "doctor": "Examine what is stored and mend it, or change the journal mode.",
        "gc": "Let payloads go that every target has; the record of them stays.",
        "migrate": "Bring home what old programs queued.",
        "mode": "Show or choose where events go.",
        "now": "Deliver what is owed to the current target.",
        "replay": "Deliver events again to a target that has them.",
        "retry": "Let events that failed or were refused go again.",
        "server": "Show or choose the Teamspace server.",
        "status": "Show what is stored, delivered and owed.",
        "support-bundle": "Write what helps somebody who helps you, without secrets.",
    },
    "target": {
        "grant": "Permit a stream to go to a target.",
        "list": "List all targets and their grants.",
        "pause": "Let a target rest: nothing is sent to it.",
        "resume": "Let a target go on.",
        "revoke": "End a stream's permission to go to a target.",
        "show": "Show all that is known of a target.",
    },
}


class LazyGroup(WithGlobals, click.Group):
    """A group that imports a command's module when the command is called, not for its help."""

    def __init__(self, *arguments: Any, prefix: str, table: Mapping[str, str], **more: Any) -> None:
        super().__init__(*arguments, **more)
        self._prefix = prefix
        self._table = table

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of all commands."""
        del ctx
        return list(self._table)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return the command of that name, imported now, or None."""
        del ctx
        if cmd_name not in self._table:
            return None
        if not self._prefix and cmd_name in _BELOW:
            return LazyGroup(
                cmd_name,
                help=self._table[cmd_name],
                prefix=f"{cmd_name}_",
                table=_BELOW[cmd_name],
            )
        module = import_module(f"eventsync_cli.commands.{self._prefix}{cmd_name.replace('-', '_')}")
        found = module.command
        return found if isinstance(found, click.Command) else None

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the table of commands without importing any."""
        del ctx
        with formatter.section("Commands"):
            formatter.write_dl(list(self._table.items()))


def _show_version(context: click.Context, _: click.Parameter, value: bool) -> None:  # noqa: FBT001
    if not value:
        return
    from eventsync_cli import render
    from eventsync_core import __version__
    from eventsync_core.codec import write_document

    wanted = context.find_object(Chosen)
    if wanted is not None and wanted.as_json:
        place = Path(__file__).with_name("schema") / "answers.json"
        shown = {"version": __version__, "answers_schema": str(place)}
        render.write_out(write_document({"schema": 1, "ok": True, **shown}))
    else:
        render.write_out(f"eventsync {__version__}")
    context.exit()


def program() -> LazyGroup:
    """Return the whole command line, ready to be run or mounted."""
    group = LazyGroup(
        "eventsync",
        help="Capture events durably, deliver them to targets, and know who has been told.",
        prefix="",
        table=_TOP,
    )
    group.params.append(
        click.Option(
            ["--version"],
            is_flag=True,
            is_eager=True,
            expose_value=False,
            callback=_show_version,
            help="Show the version and exit.",
        )
    )
    return group


def run(arguments: Sequence[str]) -> int:
    """Run the command in *arguments* and return its exit code; every failure is told."""
    from eventsync_cli import render

    as_json = _wants_json(arguments)
    render.begin()
    try:
        with _terminate_gently():
            return render.ended(_invoke(arguments, as_json=as_json))
    except BaseException as error:  # noqa: BLE001 - the last resort: nobody sees a traceback
        return _tell(error, as_json=as_json)


def _invoke(arguments: Sequence[str], *, as_json: bool) -> int:
    group = program()
    preset = Chosen(as_json=as_json)
    try:
        with group.make_context("eventsync", list(arguments), obj=preset) as context:
            return int(group.invoke(context) or ExitCode.OK)
    except click.exceptions.Exit as error:
        return error.exit_code


def _tell(error: BaseException, *, as_json: bool) -> int:
    from eventsync_cli import failures, render

    if isinstance(error, SystemExit):
        return error.code if isinstance(error.code, int) else ExitCode.BUG
    if isinstance(error, click.exceptions.NoArgsIsHelpError) and not as_json:
        render.say(error.format_message())
    reason, code = failures.explain(error)
    if as_json and isinstance(error, KeyboardInterrupt) and render.is_told():
        return code
    return render.fail(reason, code, as_json=as_json)


def _wants_json(arguments: Sequence[str]) -> bool:
    """Look for --json before anything is parsed: a usage error must be JSON too."""
    for argument in arguments:
        if argument == "--":
            return False
        if argument == "--json":
            return True
    return False


@contextmanager
def _terminate_gently() -> Iterator[None]:
    """Let SIGTERM end the command as Ctrl-C does, and neither in the midst of a unit of work."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    timers: list[threading.Timer] = []
    is_heeded = False

    def later(seconds: float, call: Callable[..., None], *arguments: int) -> None:
        timers.append(threading.Timer(seconds, call, arguments))
        timers[-1].daemon = True
        timers[-1].start()

    def forget() -> None:
        nonlocal is_heeded
        is_heeded = False

    def interrupt(number: int, _: FrameType | None) -> None:
        nonlocal is_heeded
        from eventsync_cli.compose import is_in_unit

        if is_heeded:
            # A second one so soon would break what the first one is bringing to its end.
            return
        if is_in_unit():
            # Whether a unit of work was stored must not be in doubt: come back when it has ended.
            later(_SOON, _signal_main_thread, number)
            return
        is_heeded = True
        later(_PATIENCE, forget)
        raise KeyboardInterrupt

    numbers = (signal.SIGINT, signal.SIGTERM)
    before = [signal.signal(number, interrupt) for number in numbers]
    try:
        yield
    finally:
        for timer in timers:
            timer.cancel()
        for number, handler in zip(numbers, before, strict=True):
            signal.signal(number, handler)


def _signal_main_thread(number: int) -> None:
    main_thread = threading.main_thread().ident
    if sys.platform == "win32" or main_thread is None:
        signal.raise_signal(number)
    else:
        # A signal to any other thread would not end what the main thread is waiting for.
        signal.pthread_kill(main_thread, number)
