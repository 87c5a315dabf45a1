"""What no row of ours holds, where it stands in what was read."""

from collections.abc import Iterable, Mapping
from functools import cache
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
    if _is_plain(kind):
        return isinstance(value, kind)
    origin, kinds = get_origin(kind), get_args(kind)
    if origin is UnionType:
        return any(_fits(value, each) for each in kinds)
    if origin is tuple:
        return _all_fit(value, kinds[0])
    if origin is Mapping:
        return _all_fit(value.values(), kinds[1])
    return isinstance(value, kind) and all(
        _fits(getattr(value, name), each) for name, each in _fields(kind)
    )


def _all_fit(values: Iterable[Any], kind: Any) -> bool:
    return all(_fits(value, kind) for value in values)


@cache
def _is_plain(kind: Any) -> bool:
    """Say whether a look at the kind of a value is all there is to look at."""
    return all(
        isinstance(each, type) and get_origin(each) is None and not attrs.has(each)
        for each in (get_args(kind) if get_origin(kind) is UnionType else (kind,))
    )


@cache
def _fields(kind: type[attrs.AttrsInstance]) -> list[tuple[str, Any]]:
    return [(field.name, field.type) for field in attrs.fields(kind)]
