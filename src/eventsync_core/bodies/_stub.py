from collections.abc import Sequence

import attrs

from eventsync_core.bodies._interpret import interpret_push
from eventsync_core.bodies._model import BodyKey, BodyUpload
from eventsync_core.bodies._push import PushVerdict, require_permit
from eventsync_core.receivers import Answer, Gate, Permit, Script

_CUT = "the connection broke off"


@attrs.define
class StubBodyReceiver:
    """
    A `BodyReceiver` without network or credentials that keeps what it accepts.

    Each request is answered by the next of `script`'s pushes, else 201 at the first sight of
    a body and 200 after. `received` maps keys to the contents held; `requests` lists the keys
    of the requests that arrived.
    """

    target_id: str
    script: Script = attrs.field(factory=Script)
    received: dict[BodyKey, str] = attrs.field(factory=dict)
    requests: list[BodyKey] = attrs.field(factory=list)

    def closed_gates(self) -> Sequence[Gate]:
        """See `BodyReceiver.closed_gates`: it has none."""
        return ()

    def push(self, permit: Permit, upload: BodyUpload) -> PushVerdict:
        """See `BodyReceiver.push`."""
        require_permit(self.target_id, permit)
        return interpret_push(upload, self._answer(upload))

    def _answer(self, upload: BodyUpload) -> Answer:
        rule = self.script.next_push()
        if rule.cut == "before":
            return Answer(fault=_CUT)
        self.requests.append(upload.key)
        if rule.replaces_answer:
            return Answer(status=rule.status, headers=rule.headers, body=(rule.body or "").encode())
        status = 200 if upload.key in self.received else 201
        self.received.setdefault(upload.key, upload.content)
        return Answer(fault=_CUT) if rule.cut else Answer(status=status)
