"""What a receiver under test is told to answer, per request and per event id."""

from collections.abc import Mapping, Sequence
from types import UnionType
from typing import Any

import attrs

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

    status: int = 200
    body: str | None = None
    headers: Mapping[str, str] = attrs.field(factory=dict)
    delay_seconds: float = 0.0
    cut: str = ""

    @property
    def replaces_answer(self) -> bool:
        """The request is answered by this rule alone; nothing in it is looked at."""
        return self.status != 200 or self.body is not None


@attrs.define(kw_only=True)
class Script:
    """
    Answers to give: `requests` in turn, `events` by id, `poison` ids that spoil a batch.

    A batch holding a poison id is refused whole, with 400 and no details. A body above
    `max_bytes` is answered 413 with that limit.
    """

    requests: list[RequestRule] = attrs.field(factory=list)
    events: dict[str, Mapping[str, Any]] = attrs.field(factory=dict)
    poison: frozenset[str] = frozenset()
    max_bytes: int | None = None

    def next_request(self) -> RequestRule:
        """Take the rule for one more request; without one it is answered in earnest."""
        return self.requests.pop(0) if self.requests else RequestRule()

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
        return told is None or told.get("status") in KEEPING

    def result(self, event_id: str, own: Mapping[str, Any]) -> dict[str, Any]:
        """Return the event's entry in `results`: what it is told, else the receiver's *own*."""
        return {"event_id": event_id, **self.events.get(event_id, own)}


def read_script(document: object) -> Script:
    """
    Return the script in *document*: `requests`, `events`, `poison`, `max_bytes`.

    Raises:
        ValueError: It is not such a script.
    """
    if not isinstance(document, Mapping):
        raise ValueError("a script is a JSON object")  # noqa: TRY004 - a value of a document
    unknown = sorted(set(document) - {"requests", "events", "poison", "max_bytes"})
    if unknown:
        raise ValueError(f"a script has no {unknown[0]!r}")
    try:
        script = Script(
            requests=[RequestRule(**rule) for rule in document.get("requests", [])],
            events={key: dict(value) for key, value in document.get("events", {}).items()},
            poison=frozenset(document.get("poison", [])),
            max_bytes=document.get("max_bytes"),
        )
    except (TypeError, ValueError, AttributeError) as error:
        raise ValueError(f"not a script: {error}") from None
    for rule in script.requests:
        _check(rule)
    if script.max_bytes is not None and not _is_number(script.max_bytes, int):
        raise ValueError("max_bytes is a number of bytes")
    return script


def _check(rule: RequestRule) -> None:
    if not _is_number(rule.status, int) or not 200 <= rule.status <= 599:
        raise ValueError("status is a number from 200 to 599")
    if rule.body is not None and not isinstance(rule.body, str):
        raise ValueError("body is a text")
    if not _is_number(rule.delay_seconds, int | float) or rule.delay_seconds > _LONGEST_DELAY:
        raise ValueError("delay_seconds is a number of seconds, at most a day")
    if rule.cut not in ("", "before", "after"):
        raise ValueError('cut is "before" or "after"')
    if not _are_headers(rule.headers):
        raise ValueError("headers are an object of printable ASCII texts")


def _are_headers(value: object) -> bool:
    if not isinstance(value, Mapping):
        return False
    parts = [part for header in value.items() for part in header]
    return all(isinstance(part, str) and part.isascii() and part.isprintable() for part in parts)


def _is_number(value: object, kind: type | UnionType) -> bool:
    """Say whether *value* is a number that is not negative; True and False are none."""
    if not isinstance(value, kind) or isinstance(value, bool):
        return False
    return isinstance(value, int | float) and 0 <= value < 1e9
