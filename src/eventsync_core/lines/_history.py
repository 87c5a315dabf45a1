from typing import Any

import attrs

from eventsync_core.codec import write_document
from eventsync_core.errors import NotJsonError
from eventsync_core.ids import given_words, one_line
from eventsync_core.ledger import Act, HistoryItem, LedgerEntry
from eventsync_core.lines._lines import HISTORY_KEY
from eventsync_core.receivers import Outcome
from eventsync_core.targets import Kind, Target, make_target

_VERSION = 1
_LONGEST = 500
# The last microsecond that can be shown as a time; every store can keep it.
_MOST = 253_402_300_800 * 10**6 - 1


@attrs.frozen(kw_only=True)
class Told:
    """How an entry stood with one target; `row` None: nothing was settled or owed there."""

    target: Target
    row: LedgerEntry | None
    said: tuple[HistoryItem, ...] = ()


@attrs.frozen(kw_only=True)
class History:
    """What became of the event on the line before; `held` is why an operator held it, or None."""

    event_id: str
    told: tuple[Told, ...] = ()
    held: str | None = None


def history_line(history: History) -> str:
    """Return *history* as a line of an export, with its line feed."""
    content = {
        "version": _VERSION,
        "event_id": history.event_id,
        "held": history.held,
        "targets": [_told(told) for told in history.told],
    }
    return write_document({HISTORY_KEY: content}) + "\n"


def _told(told: Told) -> dict[str, Any]:
    target, row = told.target, told.row
    found: dict[str, Any] = {
        "kind": target.kind.value,
        "url": target.url,
        "team": target.team,
        "user": target.user,
    }
    if row is not None:
        found |= {
            "outcome": None if row.outcome is None else row.outcome.value,
            "attempts": row.attempts,
            "rejections": row.rejections,
            "round": row.round,
            "seen": row.seen,
        }
    return {**found, "history": [_item(item) for item in told.said]}


def _item(item: HistoryItem) -> dict[str, Any]:
    return {
        "at": item.at,
        "outcome": item.outcome.value,
        "reason": item.reason,
        "category": item.category,
        "act": None if item.act is None else item.act.value,
        "actor": item.actor,
    }


def read_history(content: object) -> History:
    """
    Return what a line holds under `HISTORY_KEY`.

    Raises:
        NotJsonError: It is none, or that of a newer program.
        TargetUrlError: It names what cannot be a target.
    """
    if not isinstance(content, dict) or content.get("version") != _VERSION:
        raise NotJsonError("the history is none that this program knows")
    try:
        held = content["held"]
        return History(
            event_id=str(content["event_id"]),
            told=tuple(_read_told(told) for told in content["targets"]),
            held=None if held is None else given_words(str(held)),
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise NotJsonError("the history cannot be understood") from error


def _read_told(told: dict[str, Any]) -> Told:
    target = make_target(
        Kind(told["kind"]), str(told["url"]), team=str(told["team"]), user=str(told["user"])
    )
    if not f"{target.team}{target.user}".isprintable():
        raise ValueError
    row = None
    if told.get("outcome") is not None:
        row = LedgerEntry(
            outcome=Outcome(told["outcome"]),
            attempts=_whole(told["attempts"]),
            rejections=_whole(told["rejections"]),
            round=_whole(told["round"], least=1),
            seen=bool(told["seen"]),
        )
    said = tuple(_read_item(target.target_id, item) for item in told["history"])
    return Told(target=target, row=row, said=said)


def _read_item(target_id: str, item: dict[str, Any]) -> HistoryItem:
    act, category = item["act"], item["category"]
    return HistoryItem(
        target_id=target_id,
        request_id=0,
        at=_whole(item["at"]),
        outcome=Outcome(item["outcome"]),
        reason=one_line(str(item["reason"]), _LONGEST),
        category=None if category is None else one_line(str(category), _LONGEST),
        act=None if act is None else Act(act),
        actor=given_words(str(item["actor"])),
    )


def _whole(value: object, *, least: int = 0) -> int:
    """Return a number that every store can keep, and that may be a time."""
    if type(value) is not int or not least <= value <= _MOST:
        raise ValueError
    return value
