"""Stores that heed revocations which stand in files, in what they permit and what they count."""

from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractContextManager

import attrs

from eventsync_adapters.files.revoked import Revocation, Revocations, RevokedGrants
from eventsync_core.bodies import Bodies
from eventsync_core.census import Tally
from eventsync_core.egress import Grants
from eventsync_core.erasure import Erasing
from eventsync_core.inspection import Inspection
from eventsync_core.journal import Journal
from eventsync_core.ledger import (
    Backlog,
    Candidate,
    Desk,
    Holds,
    Lane,
    Leases,
    Ledger,
    Superseding,
)
from eventsync_core.legacy import Legacy, Past
from eventsync_core.measures import Measures
from eventsync_core.payloads import Payloads
from eventsync_core.policy import Audit
from eventsync_core.stores import Stores
from eventsync_core.targets import TargetRegistry
from eventsync_core.traces import Traces

__all__ = ["GrantedStores", "fold_in", "heeding"]


@attrs.frozen
class GrantedBacklog:
    """A `Backlog` that counts nothing as owed where *grants* know a revocation."""

    _inner: Backlog
    _grants: Grants

    def tail(
        self, target_id: str, stream: str, *, max_events: int, max_bytes: int, after: int = 0
    ) -> tuple[list[Candidate], int]:
        """See `Backlog.tail`."""
        return self._inner.tail(
            target_id, stream, max_events=max_events, max_bytes=max_bytes, after=after
        )

    def due(
        self,
        target_id: str,
        stream: str,
        lane: Lane,
        *,
        now: int,
        after: tuple[int, int],
        max_events: int,
        max_bytes: int,
    ) -> list[Candidate]:
        """See `Backlog.due`."""
        return self._inner.due(
            target_id,
            stream,
            lane,
            now=now,
            after=after,
            max_events=max_events,
            max_bytes=max_bytes,
        )

    def waiting(
        self, target_id: str, stream: str, aggregates: Iterable[str], *, most: int
    ) -> Mapping[str, Sequence[tuple[int, int]]]:
        """See `Backlog.waiting`."""
        return self._inner.waiting(target_id, stream, aggregates, most=most)

    def deliverable(self, target_id: str, stream: str, positions: Iterable[int]) -> set[int]:
        """See `Backlog.deliverable`."""
        return self._inner.deliverable(target_id, stream, positions)

    def tally(self, target_id: str, stream: str, *, at: int, above: int | None = None) -> Tally:
        """See `Backlog.tally`."""
        found = self._inner.tally(target_id, stream, at=at, above=above)
        grant = self._grants.get(target_id, stream)
        is_over = above is None and grant is not None and not grant.is_live
        return found.without_grant() if is_over else found


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
        """See `Stores`; what it counts heeds them too."""
        return GrantedBacklog(self._inner.backlog, self.grants)

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
    def legacy(self) -> Legacy:
        """See `Stores`."""
        return self._inner.legacy

    @property
    def past(self) -> Past:
        """See `Stores`."""
        return self._inner.past

    @property
    def bodies(self) -> Bodies:
        """See `Stores`."""
        return self._inner.bodies

    @property
    def traces(self) -> Traces:
        """See `Stores`."""
        return self._inner.traces

    @property
    def measures(self) -> Measures:
        """See `Stores`."""
        return self._inner.measures

    @property
    def inspection(self) -> Inspection:
        """See `Stores`."""
        return self._inner.inspection

    @property
    def payloads(self) -> Payloads:
        """See `Stores`."""
        return self._inner.payloads

    @property
    def erasing(self) -> Erasing:
        """See `Stores`."""
        return self._inner.erasing

    @property
    def targets(self) -> TargetRegistry:
        """See `Stores`."""
        return self._inner.targets

    @property
    def is_durable(self) -> bool:
        """See `Stores.is_durable`."""
        return self._inner.is_durable

    @property
    def is_in_unit(self) -> bool:
        """See `Stores.is_in_unit`."""
        return self._inner.is_in_unit

    def atomic(self) -> AbstractContextManager[None]:
        """See `Stores.atomic`."""
        return self._inner.atomic()


def heeding(stores: Stores, revocations: Revocations) -> GrantedStores:
    """Return *stores* as they are to be used where *revocations* may stand; none is folded in."""
    return GrantedStores(stores, RevokedGrants(stores.grants, revocations))


def fold_in(stores: Stores, revocations: Revocations, pending: Iterable[Revocation]) -> None:
    """
    Note *pending* in the store, the earliest first, and then remove their files.

    In a unit of work nothing is done: the files hold, and it may fail.
    """
    if stores.is_in_unit:
        return
    for each in sorted(pending, key=lambda each: each.at):
        with stores.atomic():
            # Somebody else may have folded it in meanwhile, and granted anew.
            is_there = each.path.exists()
            if is_there:
                stores.grants.revoke(
                    each.target_id, each.stream, actor=each.actor, reason=each.reason, at=each.at
                )
        if is_there:
            revocations.remove(each)
