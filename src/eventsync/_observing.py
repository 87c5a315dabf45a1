from collections import Counter
from collections.abc import Callable, Iterable
from contextlib import contextmanager
from typing import TYPE_CHECKING

import attrs

from eventsync._store import Store
from eventsync_adapters import machine
from eventsync_adapters.otel import Instruments, Meter, Tracer, api_meter, api_tracer
from eventsync_core.capture import Envelope, Receipt
from eventsync_core.errors import EventSyncError, StoreError
from eventsync_core.receivers import Outcome
from eventsync_core.telemetry import (
    CAPTURE_SECONDS,
    CAPTURE_SPAN,
    CAPTURED,
    DRAIN_SECONDS,
    DRAIN_SPAN,
    OUTCOMES,
    REQUESTS,
    samples,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from eventsync._standing import Standing
    from eventsync_core.authority import ResolvedTarget
    from eventsync_core.dispatch import Budget, Report
    from eventsync_core.receivers import DeliveryReceiver
    from eventsync_core.targets import Target

_REFUSED = "refused"
_ERROR = "error"


def observe(
    store: Store, *, meter: Meter | None = None, tracer: Tracer | None = None
) -> "Observed":
    """
    Return *store* as a host uses it whose metrics and spans are wanted.

    They go to *meter* and *tracer*, by default those of the OpenTelemetry that the host has set
    up. No thread is started.

    Raises:
        SettingsError: One of them is missing, and the extra `otel` is not installed.
    """
    return Observed(store, Instruments(meter or api_meter(), tracer or api_tracer()))


@attrs.frozen
class Observed:
    """A store that is watched; `observe` makes it. `store` is the one behind it, for all else."""

    store: Store
    _instruments: Instruments

    def capture(
        self, envelope: Envelope, *, project: str | None = None, traceparent: str | None = None
    ) -> Receipt:
        """See `Store.capture`."""
        with self._capturing() as states:
            try:
                receipt = self.store.capture(envelope, project=project, traceparent=traceparent)
            except StoreError:
                raise
            except EventSyncError:
                states[_REFUSED] = 1
                raise
            states[receipt.state] = 1
        return receipt

    def capture_many(
        self,
        envelopes: Iterable[Envelope],
        *,
        project: str | None = None,
        traceparent: str | None = None,
    ) -> list[Receipt | EventSyncError]:
        """See `Store.capture_many`."""
        with self._capturing() as states:
            found = self.store.capture_many(envelopes, project=project, traceparent=traceparent)
            states.update(each.state if isinstance(each, Receipt) else _REFUSED for each in found)
        return found

    def drain(
        self,
        target: "Target",
        receiver: "DeliveryReceiver",
        *,
        budget: "Budget | None" = None,
        project: str | None = None,
        progress: "Callable[[Report], None] | None" = None,
    ) -> "Report":
        """See `Store.drain`."""
        told, started = self._instruments, machine.monotonic()
        ended = _ERROR
        try:
            with told.span(DRAIN_SPAN) as noted:
                noted["eventsync.target_id"] = target.target_id
                report = self.store.drain(
                    target, receiver, budget=budget, project=project, progress=progress
                )
                ended = report.stopped_because
                noted["eventsync.requests"] = report.requests
                noted["eventsync.delivered"] = report.outcomes[Outcome.SUCCESS]
                noted["eventsync.remaining_owed"] = report.remaining_owed
                noted["eventsync.stopped_because"] = ended
        finally:
            seconds = machine.monotonic() - started
            told.record(DRAIN_SECONDS, seconds, target.target_id, ended)
        for outcome, count in report.outcomes.items():
            if count:
                told.add(OUTCOMES, count, target.target_id, outcome.value)
        told.add(REQUESTS, report.requests, target.target_id)
        return report

    def measure(
        self,
        target: "Target | None" = None,
        *,
        receiver: "DeliveryReceiver | None" = None,
        authority: "ResolvedTarget | None" = None,
        stall_after_seconds: int | None = None,
    ) -> "Standing":
        """Read the status once, set all gauges from it, and return it; see `Store.status`."""
        found = self.store.status(
            target,
            receiver=receiver,
            authority=authority,
            stall_after_seconds=stall_after_seconds,
        )
        self._instruments.set(samples(found.document()))
        return found

    @contextmanager
    def _capturing(self) -> "Iterator[Counter[str]]":
        """Trace one call of capture; what is counted by state in the block is told at its end."""
        states: Counter[str] = Counter()
        told, started = self._instruments, machine.monotonic()
        try:
            with told.span(CAPTURE_SPAN) as noted:
                try:
                    yield states
                finally:
                    noted["eventsync.events"] = states.total()
                    noted["eventsync.stored"] = states["stored"]
        finally:
            for state, count in states.items():
                told.add(CAPTURED, count, state)
            told.record(CAPTURE_SECONDS, machine.monotonic() - started)
