"""What no row of ours holds, where it stands in what was read."""

from collections.abc import Iterable, Mapping
from types import UnionType
from typing import Any, get_args, get_origin

import attrs

from eventsync_core.status._model import Status

_OF_STORE = tuple(field for field in attrs.fields(Status) if field.name != "setting")


def require_plain(status: Status) -> None:
    """
    Let only pass a status whose values are of the kinds they should be.

    Raises:
        TypeError: One read from the store is not.
    """
    for field in _OF_STORE:
        if not _fits(getattr(status, field.name), field.type):
            raise TypeError(f"{field.name} is not what it should be")


def _fits(value: Any, kind: Any) -> bool:
    origin, kinds = get_origin(kind), get_args(kind)
    if origin is UnionType:
        return any(_fits(value, each) for each in kinds)
    if origin is tuple:
        return _all_fit(value, kinds[0])
    if origin is Mapping:
        return _all_fit(value.values(), kinds[1])
    if isinstance(kind, type) and attrs.has(kind):
        return isinstance(value, kind) and all(
            _fits(getattr(value, field.name), field.type) for field in attrs.fields(kind)
        )
    return isinstance(value, int if kind is float and isinstance(value, int) else kind)


def _all_fit(values: Iterable[Any], kind: Any) -> bool:
    return all(_fits(value, kind) for value in values)
