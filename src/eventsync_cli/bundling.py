"""What a support bundle holds, none of it a payload, a secret or, unless asked for, a name."""

from collections.abc import Iterator
from itertools import islice
from typing import Any

import click

from eventsync_cli.compose import App
from eventsync_cli.compose.surroundings import file_listing, one_way, versions
from eventsync_cli.effective import effective
from eventsync_cli.examining import facts_of
from eventsync_cli.examining import look as examine
from eventsync_cli.looking import exit_of, look
from eventsync_cli.main import program
from eventsync_core import __version__
from eventsync_core.clock import iso_time
from eventsync_core.codec import MOST_ITEMS
from eventsync_core.diagnosis import diagnose
from eventsync_core.errors import SettingsError, StoreError
from eventsync_core.ledger import Request
from eventsync_core.status import as_document, check
from eventsync_core.stores import Stores
from eventsync_core.support import Redaction

__all__ = ["bundle"]

_RECENT = 20
_STORES = ("sqlite", "memory", "postgres")


def bundle(app: App, *, with_names: bool) -> dict[str, Any]:
    """Return the sections of a support bundle for the home of *app*; nothing is changed."""
    mark = one_way()
    redaction = Redaction(mark, with_names=with_names, words=frozenset(_words(program())))
    status = look(app)
    reasons = check(status)
    code, _ = exit_of(status, reasons, is_check=False)
    files = list(file_listing(app, mark))
    return {
        "schema": 1,
        "made_at": iso_time(app.clock()),
        "with_names": with_names,
        "versions": {"eventsync": __version__, **versions(), **_storage(app)},
        "settings": [_setting(redaction, each.document()) for each in effective(app)],
        "problems": redaction.show([{"code": error.code} for error in app.problems()]),
        "status": redaction.show(as_document(status, reasons, exit_code=code)),
        "requests": redaction.show(_requests(app)),
        "doctor": redaction.show(_findings(app)),
        "files": files[:MOST_ITEMS],
        "files_count": len(files),
    }


def _words(command: click.Command) -> Iterator[str]:
    """Yield the words of which *command* and those below it are made: names and options."""
    yield str(command.name)
    for each in command.params:
        yield from each.opts if isinstance(each, click.Option) else ()
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            below = command.get_command(context, name)
            yield from () if below is None else _words(below)


def _storage(app: App) -> dict[str, Any]:
    version, is_exposed = app.library()
    facts = app.storage
    return {
        "sqlite": version,
        "is_exposed": is_exposed,
        "journal_mode": None if facts is None else facts.journal_mode,
    }


def _setting(redaction: Redaction, shown: dict[str, Any]) -> dict[str, Any]:
    """Return one setting; of several values in one only how many there are."""
    name, value = str(shown["name"]), shown["value"]
    if isinstance(value, dict | list):
        value = {"count": len(value)}
    # Only this one stands in the environment, and may be any word there.
    is_other = name == "persistence" and value not in _STORES
    return {
        "name": name,
        "value": redaction.show(value, "" if is_other else name),
        "source": redaction.show(shown["source"], "source"),
    }


def _findings(app: App) -> list[dict[str, Any]]:
    lookup, unreadable = None, None
    try:
        with app.reading() as stores:
            if stores is not None:
                lookup = examine(app, stores, thorough=False)
            facts = facts_of(app, stores)
    except (StoreError, SettingsError) as error:
        facts, unreadable = facts_of(app, None), error
    found = diagnose(facts, lookup, unreadable)[:MOST_ITEMS]
    return [{"severity": each.severity.value, "code": each.reason.code} for each in found]


def _requests(app: App) -> list[dict[str, Any]]:
    try:
        with app.reading() as stores:
            return [] if stores is None else list(islice(_recent(stores), MOST_ITEMS))
    except (StoreError, SettingsError):
        # The status tells why.
        return []


def _recent(stores: Stores) -> Iterator[dict[str, Any]]:
    for target in stores.targets.targets():
        for grant in stores.grants.grants(target.target_id):
            for request in stores.ledger.requests(target.target_id, grant.stream, limit=_RECENT):
                yield {"kind": target.kind.value, **_shape(request)}


def _shape(request: Request) -> dict[str, Any]:
    closed = request.closed_at
    return {
        "target_id": request.target_id,
        "stream": request.stream,
        "request_id": request.request_id,
        "opened_at": iso_time(request.opened_at),
        "closed_at": None if closed is None else iso_time(closed),
        "event_count": request.event_count,
        "body_bytes": request.body_bytes,
        "status": request.status,
        "answer": request.answer,
        "guidance_length": len(request.guidance),
    }
