"""Damaged entries, as commands name them."""

from collections.abc import Sequence
from typing import Any

from eventsync_core.errors import Reason
from eventsync_core.journal import BadPosition, Entry, LeftOut, judge_text

__all__ = ["damage_document", "damage_lines", "flaw_document", "left_reason"]

_SHOWN = 20

Damaged = Sequence[tuple[str, BadPosition]]


def damage_document(found: Damaged) -> list[dict[str, Any]]:
    """Return damaged entries as JSON."""
    return [
        {
            "stream": stream,
            "position": each.position,
            "event_id": each.event_id or None,
            "flaw": each.flaw,
            "reason": each.reason,
        }
        for stream, each in found
    ]


def damage_lines(found: Damaged) -> list[str]:
    """Return the first damaged entries in words."""
    return [
        f"  {stream}:{each.position}  {each.event_id or '-'}  {each.reason}"
        for stream, each in found[:_SHOWN]
    ]


def flaw_document(entry: Entry) -> dict[str, Any] | None:
    """Return how the text of an entry is damaged as JSON, or None: it is not."""
    flaw = judge_text(entry)
    return None if flaw is None else {"flaw": flaw[0], "reason": flaw[1]}


def left_reason(left: LeftOut, done: str) -> Reason | None:
    """Return why a command that leaves damaged entries out is not done, or None: it did not."""
    if not left.count:
        return None
    return Reason(
        code="damaged_left_out",
        message=f"not {done}, for their text is missing or damaged: {left.count} events",
        fix_argv=("eventsync", "journal", "verify"),
    )
