"""Changes to a home's config.toml."""

import os
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import attrs

from eventsync_adapters import machine
from eventsync_adapters.files._reading import config_bytes
from eventsync_core.errors import SettingsError, StoreFullError, StoreNotWritableError

Changes = Mapping[str, Mapping[str, Any]]

_NO_SPACE = 28


@attrs.frozen
class ConfigChange:
    """A change that was written: `after`; `before` is what stood there, or None."""

    path: Path
    before: bytes | None
    after: bytes

    def undo(self) -> None:
        """
        Put the file back as it was, unless another change was written since.

        Raises:
            StoreError: It cannot be written.
        """
        try:
            present = config_bytes(self.path)
        except SettingsError:
            return
        if present != self.after:
            return
        if self.before is None:
            with suppress(FileNotFoundError):
                self.path.unlink()
        else:
            _replace(self.path, self.before)


def change_config(path: Path, changes: Changes) -> ConfigChange:
    """
    Write *changes* (table to keys to values; None removes a key) and return what was done.

    Everything else in the file stays, comments too. The file is replaced whole: a reader
    sees the old or the new one.

    Raises:
        SettingsError: The present file is not TOML, or cannot be changed without changing more of
            what it says; it is left alone.
        StoreError: It cannot be written; it is as it was.
    """
    from tomlkit.exceptions import TOMLKitError  # noqa: PLC0415

    before = config_bytes(path)
    try:
        after = _changed((before or b"").decode("utf-8"), changes).encode("utf-8")
    except (TOMLKitError, ValueError, AttributeError, TypeError, RecursionError) as error:
        raise SettingsError(f"{path} cannot be changed: {error}", source=str(path)) from error
    _replace(path, after)
    return ConfigChange(path, before, after)


def _changed(text: str, changes: Changes) -> str:
    """Return *text* with *changes*, which then says just that; else ValueError."""
    wanted = _read(text)
    for name, values in changes.items():
        _change_table(wanted, name, values, dict)
    # Behind dotted keys, a table of its own would take in the keys that follow.
    for inline in (False, True):
        made = _written(text, changes, inline=inline)
        if _says(made, wanted):
            return made
    raise ValueError("its tables are written in a way that it would not survive")


def _says(text: str, wanted: Mapping[str, Any]) -> bool:
    try:
        return _read(text) == wanted
    except ValueError:
        return False


def _read(text: str) -> dict[str, Any]:
    import tomllib  # noqa: PLC0415

    # Not each number equals itself.
    return tomllib.loads(text, parse_float=str)


def _written(text: str, changes: Changes, *, inline: bool) -> str:
    import tomlkit  # noqa: PLC0415

    def in_line(value: Mapping[str, Any]) -> Any:
        table = tomlkit.inline_table()
        table.update(value)
        return table

    document = tomlkit.parse(text)
    for name, values in changes.items():
        _change_table(document, name, values, in_line if inline else dict)
    return tomlkit.dumps(document)


def _change_table(
    document: Any, name: str, values: Mapping[str, Any], mapping: Callable[[Mapping[str, Any]], Any]
) -> None:
    if name not in document:
        document[name] = {}
    table = document[name]
    if not isinstance(table, Mapping):
        raise TypeError(f"{name} is not a table")
    for key, value in values.items():
        if value is None or value == {}:
            table.pop(key, None)  # type: ignore[attr-defined]
        else:
            table[key] = mapping(value) if isinstance(value, Mapping) else value  # type: ignore[index]


def _replace(path: Path, content: bytes) -> None:
    """Put *content* where *path* leads, whole or not at all, readable by its owner only."""
    import tempfile  # noqa: PLC0415

    place = Path(os.path.realpath(path))
    temporary = ""
    try:
        machine.make_private_folder(place.parent)
        handle, temporary = tempfile.mkstemp(dir=place.parent, prefix=".config-")
        with open(handle, "wb") as file:  # noqa: PTH123 - a descriptor, not a path
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).replace(place)
        temporary = ""
        machine.sync_folder(place.parent)
    except OSError as error:
        kind = StoreFullError if error.errno == _NO_SPACE else StoreNotWritableError
        raise kind(f"{path} cannot be written: {error.strerror}") from error
    finally:
        if temporary:
            with suppress(OSError):
                Path(temporary).unlink()
