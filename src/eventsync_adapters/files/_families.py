from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from eventsync_core.errors import SettingsError
from eventsync_core.events import Family

_WORDS = {family.value: family for family in Family if family is not Family.UNKNOWN}


def check_families(document: Mapping[str, Any], path: Path) -> None:
    """
    Let only pass a table `[families]` that can be understood, or none.

    Raises:
        SettingsError: It is no table, or a family is none of the three that can be named.
    """
    table = document.get("families", {})
    if not isinstance(table, Mapping):
        raise SettingsError(f"{path}: families is not a table", source=str(path))
    for event_type, word in _named(table):
        if _family(word) is None:
            raise SettingsError(
                f"{path}: the family of {event_type[:40]!r} is none of {', '.join(_WORDS)}",
                source=str(path),
            )


def families(document: Mapping[str, Any]) -> dict[str, Family]:
    """
    Return the types in `[families]`, whatever else stands in *document*.

    A type whose family cannot be understood is local only: what is captured until the file is
    corrected must not leave for want of one word, and can be released.
    """
    table = document.get("families", {})
    if not isinstance(table, Mapping):
        return {}
    return {event_type: _family(word) or Family.LOCAL_ONLY for event_type, word in _named(table)}


def _named(table: Mapping[str, Any], before: str = "") -> Iterator[tuple[str, object]]:
    """Yield types and words; TOML makes tables of a type with dots that is not in quotes."""
    for key, value in table.items():
        if isinstance(value, Mapping):
            yield from _named(value, f"{before}{key}.")
        else:
            yield before + key, value


def _family(word: object) -> Family | None:
    return _WORDS.get(word) if isinstance(word, str) else None
