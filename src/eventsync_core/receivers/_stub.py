from collections.abc import Sequence

import attrs

from eventsync_core.codec import write_document
from eventsync_core.receivers._answer import Answer, Verdict
from eventsync_core.receivers._interpret import interpret
from eventsync_core.receivers._model import Batch, Gate
from eventsync_core.receivers._script import RequestRule, Script
from eventsync_core.receivers._transform import WireTransform, transformed
from eventsync_core.targets import Limits, merge_limits

_CUT = "the connection broke off"


@attrs.define
class StubReceiver:
    """
    A `DeliveryReceiver` without network or credentials that keeps what it accepts.

    It answers as its `script` says, else `success` for the first sight of an id and
    `duplicate` after. `received` maps ids to the texts held; `requests` lists the ids of
    each request that arrived. `health_document` is what it says of itself, `wire_transform`
    what the host makes of each envelope before it is sent.
    """

    target_id: str
    script: Script = attrs.field(factory=Script)
    received: dict[str, str] = attrs.field(factory=dict)
    requests: list[tuple[str, ...]] = attrs.field(factory=list)
    capacity: Limits = attrs.field(factory=Limits)
    health_document: object | None = None
    wire_transform: WireTransform | None = attrs.field(default=None, kw_only=True)

    def closed_gates(self) -> Sequence[Gate]:
        """See `DeliveryReceiver.closed_gates`: it has none."""
        return ()

    def limits(self) -> Limits:
        """See `DeliveryReceiver.limits`."""
        return self.capacity

    def pack(self, batch: Batch) -> Batch:
        """See `DeliveryReceiver.pack`: the body leaves uncompressed."""
        if batch.coded is not None:
            return batch
        made = transformed(batch, self.wire_transform)
        return attrs.evolve(made, coded=made.body)

    def deliver(self, batch: Batch) -> Verdict:
        """See `DeliveryReceiver.deliver`."""
        if batch.permit.target_id != self.target_id:
            raise ValueError("the batch was minted for another target")
        verdict = interpret(batch.event_ids, self._answer(self.pack(batch)))
        self.capacity = merge_limits(self.capacity, verdict.limits)
        return verdict

    def health(self) -> object | None:
        """See `DeliveryReceiver.health`."""
        return self.health_document

    def _answer(self, batch: Batch) -> Answer:
        rule = self.script.next_request()
        if rule.cut == "before":
            return Answer(fault=_CUT)
        self.requests.append(batch.event_ids)
        if rule.replaces_answer:
            return Answer(status=rule.status, headers=rule.headers, body=(rule.body or "").encode())
        refused = self.script.refuse_whole(batch.event_ids, len(batch.body))
        if refused is not None and not rule.cut:
            status, document = refused
            return Answer(status=status, body=write_document(document).encode())
        return self._take(batch, rule) if refused is None else Answer(fault=_CUT)

    def _take(self, batch: Batch, rule: RequestRule) -> Answer:
        results = []
        for event_id, text in zip(batch.event_ids, batch.texts, strict=True):
            own = "duplicate" if event_id in self.received else "success"
            if self.script.keeps(event_id):
                self.received.setdefault(event_id, text)
            results.append(self.script.result(event_id, {"status": own}))
        if rule.cut:
            return Answer(fault=_CUT)
        return Answer(status=200, body=write_document({"results": results}).encode())
