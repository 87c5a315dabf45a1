"""What becomes of events where nothing is retained."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from eventsync_core.capture._model import CaptureRules, Receipt, Result, receipt_of
from eventsync_core.errors import DiscardRefusedError
from eventsync_core.events import Event, Family
from eventsync_core.journal import Known, reconcile
from eventsync_core.policy import AuditRecord, may_discard

if TYPE_CHECKING:
    from eventsync_core.stores import Stores


def discard(
    stores: "Stores",
    events: Sequence[tuple[str, Event, Family]],
    rules: CaptureRules,
    *,
    at: int,
) -> list[Result]:
    """
    Drop or refuse *events*, each with its stream and family, and return what became of each.

    One that is stored already is judged as in any mode. The rows of the audit are written in
    one unit of work with that look: all of them, or nothing was dropped.
    """
    # Inside the unit nothing is durable yet; what it wrote is, once it has ended.
    durable = stores.is_durable
    results: list[Result] = []
    audited: list[AuditRecord] = []
    with stores.atomic():
        for stream, event, family in events:
            stored = stores.journal.find(event.event_id)
            if stored is not None:
                digest = stored.event.canonical_digest
                place = (event.event_id, stored.stream, stored.position)
                known = Known(*place, digest, not stored.has_text)
                results.append(receipt_of(reconcile(known, event), 0, durable=durable))
                continue
            decision = may_discard(family, rules.on_discard)
            if decision == "refused":
                results.append(DiscardRefusedError(event.event_id, family.value))
                continue
            is_audited = decision == "audit_recorded"
            if is_audited:
                audited.append(_record(stream, event, family, rules, at))
            is_durable = is_audited and durable
            results.append(Receipt(event.event_id, stream, None, "discarded", is_durable))
        if audited:
            stores.audit.record(audited)
    return results


def _record(stream: str, event: Event, family: Family, rules: CaptureRules, at: int) -> AuditRecord:
    return AuditRecord(
        event_id=event.event_id,
        event_type=event.event_type,
        family=family,
        stream=stream,
        reason=f"mode {rules.mode} keeps nothing",
        digest=event.digest,
        at=at,
    )
