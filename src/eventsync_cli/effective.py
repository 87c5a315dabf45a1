"""Every setting as it is in force, and where it comes from."""

from collections.abc import Iterator, Mapping
from enum import Enum
from typing import Any

import attrs

from eventsync_cli.compose import App
from eventsync_core.ids import one_line
from eventsync_core.targets import without_user_info

__all__ = ["Effective", "effective", "in_words"]

_DEFAULT = "default"
_LONGEST = 400
_WITHHELD = "<not shown: it may hold a password>"
_PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY")
# Of the configuration and of the environment; they are shown in rows of their own.
_ELSEWHERE = frozenset({"path", "problem", "sources", "server_url", "team", "user"}) | {
    "home",
    "saas_url",
    "persistence",
    "persist_db_path",
    "no_color",
    "proxies",
}


@attrs.frozen
class Effective:
    """One setting: its name, what holds now (None: nothing), and who says so."""

    name: str
    value: Any
    source: str

    def document(self) -> dict[str, Any]:
        """Return it as JSON."""
        return {"name": self.name, "value": self.value, "source": self.source}


def effective(app: App) -> list[Effective]:
    """
    Return every setting, none of them a secret: references stand as they are.

    A field that the configuration or the environment gains is shown by its name.
    """
    return [*_places(app), *_target(app), *_of(app.config), *_network(app), *_display(app)]


def in_words(value: Any) -> str:
    """Return a value as one line of text."""
    if value is None:
        return "<unset>"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Mapping):
        said = (f"{name}={each}" for name, each in value.items() if each is not None)
        return one_line(", ".join(said), _LONGEST)
    if isinstance(value, list):
        return one_line(", ".join(str(each) for each in value), _LONGEST)
    return one_line(str(value), _LONGEST)


def _places(app: App) -> Iterator[Effective]:
    environment, named = app.environment, app.environment.sources
    home_source = "--home" if app.chosen.home else named.get("home", _DEFAULT)
    yield Effective("home", str(app.home), home_source)
    yield Effective("config_file", str(app.config.path), home_source)
    yield Effective("persistence", environment.persistence, named.get("persistence", _DEFAULT))
    source = named.get("persist_db_path", home_source)
    yield Effective("database", app.shown_database, source)


def _target(app: App) -> Iterator[Effective]:
    found = app.authority
    for name, field in (
        ("server_url", "resolved_server_url"),
        ("team", "team_slug"),
        ("user", "user_id"),
    ):
        yield Effective(name, getattr(found, field), found.provenance[field])


def _network(app: App) -> Iterator[Effective]:
    yield from _of(app.environment)
    proxies, named = app.environment.proxies, app.environment.sources
    for name in _PROXIES:
        text = proxies.get(name, "")
        yield Effective(name.lower(), _proxy(name, text) or None, named.get(name, _DEFAULT))


def _proxy(name: str, text: str) -> str:
    """Return what may be shown of a proxy; an `@` that is left may end a password."""
    found = text if name == "NO_PROXY" else without_user_info(text)
    return _WITHHELD if "@" in found else found


def _display(app: App) -> Iterator[Effective]:
    source = "--no-color" if app.chosen.no_color else app.environment.sources.get("no_color")
    yield Effective("no_color", app.no_color, source or _DEFAULT)


def _of(read: Any) -> Iterator[Effective]:
    for field in attrs.fields(type(read)):
        if field.name not in _ELSEWHERE:
            value = _plain(getattr(read, field.name))
            yield Effective(field.name, value, read.sources.get(field.name, _DEFAULT))


def _plain(value: Any) -> Any:
    """Return *value* as JSON knows it; what is empty is nothing."""
    if isinstance(value, Enum):
        return value.value
    if attrs.has(type(value)):
        value = attrs.asdict(value)
    if isinstance(value, Mapping):
        return {str(name): _plain(each) for name, each in value.items()} or None
    if isinstance(value, tuple | list | set | frozenset):
        found = [_plain(each) for each in value]
        return (found if isinstance(value, tuple | list) else sorted(found, key=str)) or None
    if value is None or isinstance(value, bool | int | float):
        return value
    return str(value) or None
