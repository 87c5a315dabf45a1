from collections.abc import Callable

import attrs

from eventsync_adapters import machine
from eventsync_core.clock import Clock
from eventsync_core.dispatch import Budget, Drain, Report, Stop, drain, granted_streams
from eventsync_core.receivers import DeliveryReceiver
from eventsync_core.stores import Stores
from eventsync_core.targets import Target


def drain_granted(
    stores: Stores,
    clock: Clock,
    target: Target,
    receiver: DeliveryReceiver,
    budget: Budget | None,
    stream: str | None,
    progress: Callable[[Report], None] | None,
) -> Report:
    """Deliver what is granted of *stream*, of all streams where it is None; see `Store.drain`."""
    found = granted_streams(stores, target.target_id, stream, at=clock())
    if not found.granted:
        report = nothing_to_drain(target)
        if found.waiting:
            report.stopped_because = Stop.NO_GRANT.value
            report.message = f"no stream with events is granted to {target.url}"
            report.fix = "grant it: Store.grant, or eventsync target grant"
        return report
    task = Drain(
        stores=stores,
        target=stores.targets.get(target.target_id),
        receiver=receiver,
        clock=clock,
        holder=machine.this_process(),
        budget=budget or Budget(),
        chance=machine.chance,
    )
    if progress is not None:
        task = attrs.evolve(task, progress=progress)
    return drain(task, found.granted)


def nothing_to_drain(target: Target) -> Report:
    """Return the report of a drain that found nothing to do."""
    return Report(target_id=target.target_id)
