"""What stands before or instead of an adapter, by composition."""

from collections.abc import Mapping
from contextlib import AbstractContextManager
from typing import NoReturn

import attrs

from eventsync_core.egress import Grants
from eventsync_core.journal import Journal
from eventsync_core.ledger import Backlog, Desk, Holds, Leases, Ledger, Superseding
from eventsync_core.policy import Audit
from eventsync_core.stores import Stores
from eventsync_core.targets import TargetRegistry

__all__ = ["GrantedStores", "NoNetwork"]


@attrs.define
class GrantedStores:
    """`Stores` whose grants also heed revocations that stand in files."""

    _inner: Stores
    grants: Grants

    @property
    def journal(self) -> Journal:
        """See `Stores`."""
        return self._inner.journal

    @property
    def ledger(self) -> Ledger:
        """See `Stores`."""
        return self._inner.ledger

    @property
    def leases(self) -> Leases:
        """See `Stores`."""
        return self._inner.leases

    @property
    def backlog(self) -> Backlog:
        """See `Stores`."""
        return self._inner.backlog

    @property
    def desk(self) -> Desk:
        """See `Stores`."""
        return self._inner.desk

    @property
    def holds(self) -> Holds:
        """See `Stores`."""
        return self._inner.holds

    @property
    def superseding(self) -> Superseding:
        """See `Stores`."""
        return self._inner.superseding

    @property
    def audit(self) -> Audit:
        """See `Stores`."""
        return self._inner.audit

    @property
    def targets(self) -> TargetRegistry:
        """See `Stores`."""
        return self._inner.targets

    @property
    def is_durable(self) -> bool:
        """See `Stores.is_durable`."""
        return self._inner.is_durable

    def atomic(self) -> AbstractContextManager[None]:
        """See `Stores.atomic`."""
        return self._inner.atomic()


class NoNetwork:
    """Stands in for the network where only gates are asked for."""

    secrets = ()

    def post(self, url: str, content: bytes, headers: Mapping[str, str]) -> NoReturn:
        raise RuntimeError(f"{len(content)} bytes were not posted to {url} ({len(headers)})")

    def get(self, url: str, headers: Mapping[str, str]) -> NoReturn:
        raise RuntimeError(f"{url} was not asked ({len(headers)})")
