"""What stands instead of an adapter."""

from collections.abc import Mapping
from typing import NoReturn

__all__ = ["NoNetwork"]


class NoNetwork:
    """Stands in for the network where only gates are asked for."""

    secrets = ()

    def post(self, url: str, content: bytes, headers: Mapping[str, str]) -> NoReturn:
        raise RuntimeError(f"{len(content)} bytes were not posted to {url} ({len(headers)})")

    def get(self, url: str, headers: Mapping[str, str]) -> NoReturn:
        raise RuntimeError(f"{url} was not asked ({len(headers)})")
