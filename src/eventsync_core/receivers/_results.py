"""The `results` of a batch answer, matched to the events that were sent."""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from eventsync_core.ids import one_line
from eventsync_core.receivers._answer import Detail, Next, Verdict
from eventsync_core.receivers._model import Effect, Outcome

_WORDS = {
    "success": Outcome.SUCCESS,
    "accepted": Outcome.SUCCESS,
    "warning": Outcome.SUCCESS,
    "duplicate": Outcome.DUPLICATE,
    "pending": Outcome.PENDING,
    "queued": Outcome.PENDING,
    "rejected": Outcome.REJECTED,
}
REASONS = ("detail", "error", "error_message", "reason")
_CATEGORIES = ("error_category", "category", "code")
_REFUSED_PROJECT = frozenset({"project_not_admitted", "project_not_consented", "project_refused"})
_ULID = re.compile(r"[0-9A-Za-z]{26}")
_UUID = re.compile(r"[0-9A-Fa-f]{8}-?(?:[0-9A-Fa-f]{4}-?){3}[0-9A-Fa-f]{12}")

_LONGEST_REASON = 500
_LONGEST_WORD = 40


def reason_given(item: object) -> str:
    """Return the server's reason: `detail` before `error`, `error_message` and `reason`."""
    return _first_text(item, REASONS)


def category_of(item: object) -> str | None:
    """Return the server's category of a refusal, or None."""
    return _first_text(item, _CATEGORIES).lower() or None


def refuses_project(detail: Detail) -> bool:
    """Say whether the server refused the project itself, not this event."""
    return detail.category in _REFUSED_PROJECT


def _first_text(item: object, keys: Sequence[str]) -> str:
    if not isinstance(item, Mapping):
        return ""
    for key in keys:
        value = item.get(key)
        if isinstance(value, str) and value.strip():
            return one_line(value, _LONGEST_REASON)
    return ""


def _spelling(event_id: str) -> str:
    """Return *event_id* as servers normalise it: ULID upper, UUID lower with hyphens gone."""
    if _ULID.fullmatch(event_id):
        return event_id.upper()
    if _UUID.fullmatch(event_id):
        return event_id.replace("-", "").lower()
    return event_id


def respelt(sent: Sequence[str], listed: Iterable[str]) -> dict[str, str]:
    """Map ids that were *sent* to the one id *listed* that is the same or only spelt otherwise."""
    wanted: dict[str, list[str]] = {}
    for event_id in sent:
        wanted.setdefault(_spelling(event_id), []).append(event_id)
    names: dict[str, list[str]] = {}
    for name in listed:
        names.setdefault(_spelling(name), []).append(name)
    return {
        ids[0]: names[spelling][0]
        for spelling, ids in wanted.items()
        if len(ids) == 1 and len(names.get(spelling, ())) == 1
    }


class Results:
    """What a server listed, by exact id."""

    def __init__(self, listed: Sequence[Any]) -> None:
        self._outcomes: dict[str, Outcome] = {}
        self._details: dict[str, Detail] = {}
        for item in listed:
            if isinstance(item, dict):
                self._take(item)

    def _take(self, item: Mapping[str, Any]) -> None:
        event_id, status = item.get("event_id"), item.get("status")
        if not isinstance(event_id, str):
            return
        word = status if isinstance(status, str) else ""
        outcome = _WORDS.get(word) or _WORDS.get(word.strip().lower(), Outcome.UNKNOWN_EFFECT)
        before = self._outcomes.get(event_id, outcome)
        if before is not outcome:
            outcome = Outcome.UNKNOWN_EFFECT
            self._details[event_id] = Detail("the server listed it twice and disagrees")
        elif outcome is Outcome.UNKNOWN_EFFECT:
            named = one_line(word, _LONGEST_WORD)
            self._details[event_id] = Detail(f"unknown per-event status {named!r}")
        elif outcome is not Outcome.SUCCESS and outcome is not Outcome.DUPLICATE:
            self._details[event_id] = Detail(reason_given(item), category_of(item))
        self._outcomes[event_id] = outcome

    def verdict(self, sent: Sequence[str]) -> Verdict:
        """Return the outcome of each event *sent*; unlisted ones are of unknown effect."""
        outcomes = [self._outcomes.get(event_id) for event_id in sent]
        details: dict[int, Detail] = {}
        # Details are kept of all that is not delivered: without any, every event listed is.
        if self._details or None in outcomes:
            listed_as = respelt(sent, self._outcomes)
            for index, event_id in enumerate(sent):
                name = listed_as.get(event_id, event_id)
                outcome = self._outcomes.get(name)
                outcomes[index] = outcome or Outcome.UNKNOWN_EFFECT
                if outcome is None:
                    details[index] = Detail("the server did not list it")
                elif name in self._details:
                    details[index] = self._details[name]
        return Verdict(
            outcomes=tuple(outcome or Outcome.UNKNOWN_EFFECT for outcome in outcomes),
            next=Next.GO_ON,
            effect=Effect.UNKNOWN,
            details=details,
            pauses_grant=any(
                outcomes[index] is Outcome.REJECTED and refuses_project(detail)
                for index, detail in details.items()
            ),
        )
