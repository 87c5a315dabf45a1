"""Choosing a target: register it, grant a stream to it, write the configuration; or nothing."""

import shlex
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import attrs

from eventsync_cli.compose import App
from eventsync_cli.failures import UsageProblemError
from eventsync_cli.granting import gone_lines, grant_words
from eventsync_cli.letting_go import is_live, let_go
from eventsync_cli.render import Result
from eventsync_core.census import Tally, remaining
from eventsync_core.errors import SettingsError
from eventsync_core.policy import Mode
from eventsync_core.stores import Stores
from eventsync_core.targets import (
    BackOff,
    Target,
    canonical_url,
    holds_user_info,
    require_safe,
)

__all__ = [
    "REFERENCES",
    "Choice",
    "absolute",
    "choose",
    "owed",
    "reference_given",
    "safe_server",
    "target_document",
    "without_credentials",
]

REFERENCES = "env:NAME, file:PATH, cmd:PROGRAM or keyring:SERVICE/USER"

Changes = Mapping[str, Mapping[str, Any]]


@attrs.frozen(kw_only=True)
class Choice:
    """A mode, the target it leads to (None: nobody), and what changes in config.toml."""

    mode: Mode
    target: Target | None
    changes: Changes
    from_now: bool = False
    talk: tuple[str, ...] = ()


def choose(app: App, choice: Choice) -> Result:
    """
    Make *choice* hold: the target registered, no longer paused or left alone after faults.

    Which streams may go there is as `let_go` says. All is written, or nothing.

    Raises:
        StoreError: The store or the configuration cannot be written.
        SettingsError: The configuration cannot be read.
    """
    if choice.target is None:
        app.change_config(choice.changes)
        return _result(app, choice, 0, is_granted=False)
    with app.sending_stores() as stores:
        change = None
        try:
            with stores.atomic():
                staying = let_go(app, stores, choice.target, from_now=choice.from_now)
                stores.targets.set_back_off(choice.target.target_id, BackOff())
                stores.targets.set_body_back_off(choice.target.target_id, BackOff())
                change = app.change_config(choice.changes)
        except BaseException:
            if change is not None:
                change.undo()
            raise
        tallies = _tallies(app, stores, choice.target)
        return _result(
            app,
            attrs.evolve(choice, talk=(*choice.talk, *staying)),
            _remaining(tallies),
            gone=sum(tally.gone for tally in tallies),
            is_granted=is_live(stores, choice.target, app.stream),
        )


def owed(app: App, stores: Stores, target: Target) -> int:
    """Return how many events the target is owed of all streams granted to it."""
    return _remaining(_tallies(app, stores, target))


def _remaining(tallies: Iterable[Tally]) -> int:
    return sum(remaining(tally.classes()) for tally in tallies)


def _tallies(app: App, stores: Stores, target: Target) -> list[Tally]:
    return [
        stores.backlog.tally(target.target_id, found.stream, at=app.clock())
        for found in stores.grants.grants(target.target_id)
        if found.is_live
    ]


def reference_given(app: App, text: str, source: str) -> str:
    """
    Return the reference to a secret that was given on the command line.

    A file, or a program that is named by a path, by its whole path.

    Raises:
        UsageProblemError: It is none; it is not repeated.
    """
    try:
        kind, _, rest = app.check_reference(text, source).partition(":")
    except SettingsError as error:
        raise UsageProblemError(
            error.message, code=error.code, fix_text=f"give {source} as {REFERENCES}"
        ) from None
    if kind == "file":
        return f"file:{absolute(rest)}"
    return f"cmd:{_from_anywhere(rest)}" if kind == "cmd" else f"{kind}:{rest}"


def _from_anywhere(command: str) -> str:
    """Return *command* with the whole path of its program, where it names one by a path."""
    program, *others = shlex.split(command)
    if "/" not in program and "\\" not in program:
        return command
    return shlex.join((absolute(program), *others))


def absolute(file: str) -> str:
    """
    Return the path of *file* as it may stand in a configuration that is read elsewhere.

    Raises:
        UsageProblemError: It is in the folder of a user who is not known.
    """
    try:
        return str(Path(file).expanduser().absolute())
    except RuntimeError:
        raise UsageProblemError(
            f"{file}: there is no such user", fix_text="give the whole path of the file"
        ) from None


def without_credentials(url: str) -> str:
    """
    Return *url* as it was given.

    Raises:
        UsageProblemError: It holds a user or password, which belong into no file.
    """
    if holds_user_info(url):
        raise UsageProblemError(
            "the URL holds credentials",
            code="secret_not_a_reference",
            fix_text=f"leave them out, and name a header or token as {REFERENCES}",
        )
    return url


def safe_server(url: str) -> str:
    """
    Return the canonical URL of a Teamspace server that a token may be sent to.

    Raises:
        TargetUrlError: It cannot name a server, or is another machine without TLS.
        UsageProblemError: It holds credentials.
    """
    place = canonical_url(without_credentials(url))
    require_safe(place)
    return place


def target_document(target: Target) -> dict[str, Any]:
    """Return who *target* is, as JSON."""
    return {
        "target_id": target.target_id,
        "kind": target.kind.value,
        "url": target.url,
        "team": target.team,
        "user": target.user,
    }


def _result(app: App, choice: Choice, will_send: int, *, gone: int = 0, is_granted: bool) -> Result:
    target = choice.target
    document = {
        "mode": choice.mode.value,
        "target": None if target is None else target_document(target),
        "stream": app.stream,
        "granted": is_granted,
        "will_send": will_send,
    }
    if target is None:
        lines = [f"mode {choice.mode}: events are delivered to nobody"]
    else:
        command = app.chosen.spelt(grant_words(app.stream))
        verb = "may go there" if is_granted else f"stays here until {command}"
        lines = [
            f"mode {choice.mode}: {target.url}",
            f"stream {app.stream} {verb}; {will_send} events go at the next sync now",
            *gone_lines(gone),
        ]
    again = app.reread()
    return Result(document=document, lines=lines, talk=(*choice.talk, *again.concerns()))
