"""A store whose process dies at a chosen commit."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Literal

from eventsync_core.bodies import Bodies
from eventsync_core.egress import Grants
from eventsync_core.erasure import Erasing
from eventsync_core.inspection import Inspection
from eventsync_core.journal import Journal
from eventsync_core.ledger import Backlog, Desk, Holds, Leases, Ledger, Superseding
from eventsync_core.legacy import Legacy, Past
from eventsync_core.measures import Measures
from eventsync_core.payloads import Payloads
from eventsync_core.policy import Audit
from eventsync_core.stores import Stores
from eventsync_core.targets import TargetRegistry
from eventsync_core.traces import Traces


class CrashError(BaseException):
    """The process died here; nothing that handles ordinary errors sees it."""


class CrashingStores:
    """
    `Stores` that die at their *nth* outermost unit of work, `before` or `after` its commit.

    From then on every unit raises `CrashError` before it does anything: a dead process
    cleans nothing up.
    """

    def __init__(self, stores: Stores, nth: int, when: Literal["before", "after"]) -> None:
        self.stores = stores
        self.left = nth
        self.when = when
        self.depth = 0

    @property
    def journal(self) -> Journal:
        """See `Stores`."""
        return self.stores.journal

    @property
    def ledger(self) -> Ledger:
        """See `Stores`."""
        return self.stores.ledger

    @property
    def leases(self) -> Leases:
        """See `Stores`."""
        return self.stores.leases

    @property
    def backlog(self) -> Backlog:
        """See `Stores`."""
        return self.stores.backlog

    @property
    def desk(self) -> Desk:
        """See `Stores`."""
        return self.stores.desk

    @property
    def holds(self) -> Holds:
        """See `Stores`."""
        return self.stores.holds

    @property
    def superseding(self) -> Superseding:
        """See `Stores`."""
        return self.stores.superseding

    @property
    def audit(self) -> Audit:
        """See `Stores`."""
        return self.stores.audit

    @property
    def legacy(self) -> Legacy:
        """See `Stores`."""
        return self.stores.legacy

    @property
    def past(self) -> Past:
        """See `Stores`."""
        return self.stores.past

    @property
    def bodies(self) -> Bodies:
        """See `Stores`."""
        return self.stores.bodies

    @property
    def traces(self) -> Traces:
        """See `Stores`."""
        return self.stores.traces

    @property
    def measures(self) -> Measures:
        """See `Stores`."""
        return self.stores.measures

    @property
    def inspection(self) -> Inspection:
        """See `Stores`."""
        return self.stores.inspection

    @property
    def erasing(self) -> Erasing:
        """See `Stores`."""
        return self.stores.erasing

    @property
    def targets(self) -> TargetRegistry:
        """See `Stores`."""
        return self.stores.targets

    @property
    def grants(self) -> Grants:
        """See `Stores`."""
        return self.stores.grants

    @property
    def payloads(self) -> Payloads:
        """See `Stores`."""
        return self.stores.payloads

    @property
    def is_durable(self) -> bool:
        """See `Stores.is_durable`."""
        return self.stores.is_durable

    @property
    def is_in_unit(self) -> bool:
        """See `Stores.is_in_unit`."""
        return self.stores.is_in_unit

    @contextmanager
    def atomic(self) -> Iterator[None]:
        """See `Stores.atomic`."""
        if self.depth:
            with self.stores.atomic():
                yield
            return
        if self.left <= 0:
            raise CrashError
        self.left -= 1
        self.depth += 1
        try:
            with self.stores.atomic():
                yield
                if not self.left and self.when == "before":
                    raise CrashError
        finally:
            self.depth -= 1
        if not self.left:
            raise CrashError


def run_until_crash(work: Callable[[], object]) -> bool:
    """Run *work*; say whether it died of `CrashError`."""
    try:
        work()
    except CrashError:
        return True
    return False
