"""What stands before or instead of an adapter, by composition."""

from collections.abc import Mapping
from typing import Any, NoReturn

import attrs

from eventsync_core.errors import NothingOpenError
from eventsync_core.stores import Stores

__all__ = ["GrantedStores", "NoNetwork"]


@attrs.define
class GrantedStores:
    """`Stores` whose grants also heed revocations that stand in files."""

    _inner: Stores
    grants: Any

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)


class NoNetwork:
    """Stands in for the network where only gates are asked for."""

    def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> NoReturn:
        raise NothingOpenError(f"{len(body)} bytes were not posted to {url} ({len(headers)})")
