"""Whatever a server says, nothing is raised and no delivery is invented."""

import json
import re
from typing import Any

from hypothesis import given, settings

from eventsync_core.clock import DAY
from eventsync_core.receivers import Answer, interpret
from eventsync_core.targets import Limits, merge_limits
from eventsync_core.testing import answers
from tests.effort import examples

_IDS = ("e1", "e2", "Ünï", "01JMBYAAAAAAAAAAAAAAAAAAAA")
_ACKNOWLEDGED = {"success", "accepted", "warning", "duplicate"}


def _same(listed: str, event_id: str) -> bool:
    """The id itself, or a ULID in another case."""
    is_ulid = re.fullmatch("[0-9A-Za-z]{26}", event_id) is not None
    return listed == event_id or (is_ulid and listed.upper() == event_id.upper())


def _acknowledged(answer: Answer) -> set[str]:
    """Say which ids a suspicious reader would call delivered: all said of them is positive."""
    if answer.status not in range(200, 300) or not answer.is_whole:
        return set()
    try:
        document: Any = json.loads(answer.body)
        items = [item for item in document["results"] if isinstance(item, dict)]
    except (ValueError, RecursionError, TypeError, KeyError):
        return set()
    if not isinstance(document["results"], list):
        return set()
    found = set()
    for event_id in _IDS:
        exact = [item for item in items if item.get("event_id") == event_id]
        alike = [item for item in items if _same(str(item.get("event_id")), event_id)]
        words = {str(item.get("status")).strip().lower() for item in exact or alike}
        if words and words <= _ACKNOWLEDGED:
            found.add(event_id)
    return found


@settings(max_examples=examples(1_000), deadline=None)
@given(answers(_IDS))
def test_every_answer_has_a_meaning(answer: Answer) -> None:
    """One outcome per event, and delivered only what was acknowledged by its id."""
    verdict = interpret(_IDS, answer)

    assert len(verdict.outcomes) == len(_IDS)
    delivered = {
        event_id
        for event_id, outcome in zip(_IDS, verdict.outcomes, strict=True)
        if outcome.is_delivered
    }
    assert delivered <= _acknowledged(answer)
    assert set(verdict.details) <= set(range(len(_IDS)))
    assert verdict.guidance.isprintable()
    assert 0 <= (verdict.retry_after or 0) <= 365 * DAY
    assert 0 <= (verdict.retry_at or 0) < 2**63
    limits = merge_limits(Limits(), verdict.limits)
    assert 0 < limits.max_events <= 1_000
    assert 0 <= limits.packing_bytes <= limits.hard_bytes < 2**63
