"""What a receiver under test is told to answer, per request and per event id."""

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import attrs
from attrs.validators import ge, le, optional

from eventsync_core.codec import structure

KEEPING = frozenset({"success", "accepted", "warning", "duplicate", "pending", "queued"})
"""Statuses under which a receiver under test keeps the event."""

_LONGEST_DELAY = 86_400.0


@attrs.frozen(kw_only=True)
class RequestRule:
    """
    How one whole request is answered; the next request takes the next rule.

    `status` 200 goes on to the per-event answers. `body` replaces the body. `cut` breaks
    the connection off: "before" reading the request, or "after" storing it, unanswered.
    """

    status: int = attrs.field(default=200, validator=[ge(200), le(599)])
    body: str | None = None
    headers: Mapping[str, str] = attrs.field(factory=dict)
    delay_seconds: float = attrs.field(default=0.0, validator=[ge(0), le(_LONGEST_DELAY)])
    cut: Literal["", "before", "after"] = ""

    @headers.validator
    def _are_printable(self, _: object, value: Mapping[str, str]) -> None:
        for part in (part for header in value.items() for part in header):
            if not (part.isascii() and part.isprintable()):
                raise ValueError("headers are printable ASCII texts")

    @property
    def replaces_answer(self) -> bool:
        """The request is answered by this rule alone; nothing in it is looked at."""
        return self.status != 200 or self.body is not None


@attrs.define(kw_only=True)
class Script:
    """
    Answers to give: `requests` in turn, `events` by id, `poison` ids that spoil a batch.

    A batch holding a poison id is refused whole, with 400 and no details. A body above
    `max_bytes` is answered 413 with that limit. `pushes` are answers to bodies in turn, as
    `requests` are to batches.
    """

    requests: list[RequestRule] = attrs.field(factory=list)
    events: dict[str, dict[str, Any]] = attrs.field(factory=dict)
    pushes: list[RequestRule] = attrs.field(factory=list)
    poison: frozenset[str] = frozenset()
    max_bytes: int | None = attrs.field(default=None, validator=optional(ge(0)))

    def next_request(self) -> RequestRule:
        """Take the rule for one more request; without one it is answered in earnest."""
        return self.requests.pop(0) if self.requests else RequestRule()

    def next_push(self) -> RequestRule:
        """Take the rule for one more body; without one it is answered in earnest."""
        return self.pushes.pop(0) if self.pushes else RequestRule()

    def refuse_whole(
        self, event_ids: Sequence[str], size: int
    ) -> tuple[int, dict[str, Any]] | None:
        """Return status and document where the whole batch is refused, else None."""
        if self.max_bytes is not None and size > self.max_bytes:
            limits = {"max_decompressed_bytes_per_batch": self.max_bytes}
            return 413, {"error": "payload too large", "limits": limits}
        if not self.poison.isdisjoint(event_ids):
            return 400, {"error": "batch validation failed"}
        return None

    def keeps(self, event_id: str) -> bool:
        """Say whether the event is kept: it is told a status that keeps, or told nothing."""
        told = self.events.get(event_id)
        if told is None:
            return True
        word = told.get("status")
        return isinstance(word, str) and word.strip().lower() in KEEPING

    def result(self, event_id: str, own: Mapping[str, Any]) -> dict[str, Any]:
        """Return the event's entry in `results`: what it is told, else the receiver's *own*."""
        return {"event_id": event_id, **self.events.get(event_id, own)}


def read_script(document: object) -> Script:
    """
    Return the script in *document*: `requests`, `pushes`, `events`, `poison`, `max_bytes`.

    Raises:
        ValueError: It is not such a script.
    """
    try:
        return structure(document, Script)
    except ValueError as error:
        raise ValueError(f"not a script: {error}") from None
