"""The page "What happens when…" says what happens."""

import json
import re
from pathlib import Path

import attrs
import pytest

from eventsync_cli.delivering import _exit_of
from eventsync_core.capture import capture_many
from eventsync_core.dispatch import Drain, Report, Stop, drain
from eventsync_core.receivers import (
    Answer,
    Batch,
    Outcome,
    StubReceiver,
    Verdict,
    interpret,
)
from eventsync_core.stores import MemoryStores
from eventsync_core.targets import merge_limits
from eventsync_core.testing import HOLDER, ManualClock, make_envelope, make_stub_target
from tests.docs.conftest import table

_PAGE = Path("docs/what-happens-when.md")
_WORD = re.compile(r"`([^`]+)`")
_GOOD = b'{"results":[{"event_id":"e1","status":"success"}]}'
_NAMES = b'{"error":"no","details":[{"event_id":"e2","detail":"bad"}]}'
_SPOILS = frozenset({"e2"})


@attrs.define
class Once(StubReceiver):
    """A receiver whose first answer is given; it answers all others in earnest."""

    answer: Answer | None = None

    def deliver(self, batch: Batch) -> Verdict:
        """See `DeliveryReceiver.deliver`."""
        answer, self.answer = self.answer, None
        if answer is None:
            return super().deliver(batch)
        verdict = interpret(batch.event_ids, answer)
        self.capacity = merge_limits(self.capacity, verdict.limits)
        return verdict


def _several(*statuses: int, body: bytes = b"") -> list[Answer]:
    return [Answer(status=status, body=body) for status in statuses]


# By the first words of a row: the answers it speaks of, and how many events are sent.
_WHOLE: dict[str, tuple[list[Answer], int]] = {
    "2xx with `results` for each event": (_several(200, 202, 207, body=_GOOD), 1),
    "2xx that is no batch answer": (
        [*_several(200, 204, 299), *_several(200, body=b"<html>"), *_several(200, body=b"{}")],
        3,
    ),
    "2xx whose body breaks off": ([Answer(status=200, body=_GOOD, is_whole=False)], 3),
    "2xx with `results` too large to be read, several": (
        [Answer(status=200, body=b'{"results":[{', is_whole=False, exceeds=True)],
        3,
    ),
    "2xx with `results` too large to be read, a single": (
        [Answer(status=200, body=b'{"results":[{', is_whole=False, exceeds=True)],
        1,
    ),
    "3xx": (_several(301, 302, 304, 308), 3),
    "400 or 422 with `details` that name": (_several(400, 422, body=_NAMES), 3),
    "400 or 422 without `details`, several": (_several(400, 422), 3),
    "400 or 422, a single event": (_several(400, 422), 1),
    "400 or 422 that says too large": (_several(400, 422, body=b'{"error":"oversized"}'), 3),
    "401": (_several(401), 3),
    "403": (_several(403), 3),
    "408": (_several(408), 3),
    "410": (_several(410), 3),
    "412": (_several(412), 3),
    "413, several": (_several(413), 3),
    "413, a single event": (_several(413), 1),
    "429": (_several(429), 3),
    "5xx": (_several(500, 502, 503, 504, 599), 3),
    "any other status": (_several(100, 402, 404, 405, 409, 421, 425, 451, 600), 3),
    "nothing: refused": ([Answer(fault="refused", reached=False)], 3),
    "nothing after a byte may have left": ([Answer(fault="cut")], 3),
}

_SINGLE: dict[str, list[str]] = {
    "`success`, `accepted`": ["success", "accepted", "warning"],
    "`duplicate`": ["duplicate"],
    "`pending`": ["pending", "queued"],
    "`rejected`": ["rejected"],
    "any other word": ["stored", ""],
}
_ID = "01JMBYAAAAAAAAAAAAAAAAAAAA"
_LISTED: dict[str, list[dict[str, str]]] = {
    "`rejected` with category": [
        {"event_id": _ID, "status": "rejected", "error_category": "project_refused"}
    ],
    "its id twice": [
        {"event_id": _ID, "status": "success"},
        {"event_id": _ID, "status": "pending"},
    ],
    "its id is missing": [],
    "its id in another case": [{"event_id": _ID.lower(), "status": "success"}],
    "an id that was not sent": [{"event_id": "other", "status": "success"}],
}


def _rows(root: Path, name: str) -> list[list[str]]:
    """Return the cells of a table, with the marks that `table` takes off."""
    plain = table(root / _PAGE, name)
    lines = (root / _PAGE).read_text("utf-8").splitlines()
    start = lines.index(f"<!-- table: {name} -->") + 3
    found = [
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in lines[start : start + len(plain)]
    ]
    assert len({len(row) for row in found}) == 1
    return found


def _drain(answer: Answer, count: int) -> tuple[Report, set[str]]:
    """Drain *count* events, of which the second is no good where batches are refused whole."""
    stores, clock, target = MemoryStores(), ManualClock(), make_stub_target()
    stores.targets.register(target, at=clock())
    texts = [make_envelope(f"e{number}") for number in range(1, count + 1)]
    capture_many(stores, texts, at=clock())
    stores.grants.grant(
        target.target_id, "default", from_position=0, actor="me", reason="", at=clock()
    )
    receiver = Once(target.target_id, answer=answer)
    if answer.status in (400, 422) and not answer.body:
        receiver.script.poison = _SPOILS
    report = drain(
        Drain(stores=stores, target=target, receiver=receiver, clock=clock, holder=HOLDER),
        ["default"],
    )
    outcomes = set()
    for position in range(1, count + 1):
        entry = stores.ledger.entry(target.target_id, "default", position)
        assert entry is not None
        assert entry.outcome is not None
        outcomes.add(entry.outcome.value)
    return report, outcomes


def test_every_row_is_known(root: Path) -> None:
    """None is left out here, and none speaks of an answer twice."""
    whole = [row[0] for row in _rows(root, "whole")]
    single = [row[0] for row in _rows(root, "single")]

    assert [sum(cell.startswith(key) for key in _WHOLE) for cell in whole] == [1] * len(_WHOLE)
    assert len(single) == len(_SINGLE) + len(_LISTED)


@pytest.mark.parametrize("title", list(_WHOLE))
def test_an_answer_to_the_whole_request(root: Path, title: str) -> None:
    """Outcomes, reason to stop and exit code are those of a drain that meets it."""
    (row,) = (row for row in _rows(root, "whole") if row[0].startswith(title))
    answers, count = _WHOLE[title]

    for answer in answers:
        report, outcomes = _drain(answer, count)

        assert outcomes == set(_WORD.findall(row[1])), answer
        assert report.stopped_because == row[2].strip("`"), answer
        assert _exit_of(report) == int(row[3]), answer


@pytest.mark.parametrize("title", [*_SINGLE, *_LISTED])
def test_an_answer_to_one_event(root: Path, title: str) -> None:
    """The outcome is the one that `interpret` finds."""
    found = [row for row in _rows(root, "single") if row[0].startswith(title)]
    row = min(found, key=lambda row: len(row[0]))
    words = _SINGLE.get(title, [])
    listed = [[{"event_id": _ID, "status": word}] for word in words] or [_LISTED[title]]

    for results in listed:
        body = json.dumps({"results": results}).encode()
        verdict = interpret([_ID], Answer(status=200, body=body))

        assert [f"`{outcome.value}`" for outcome in verdict.outcomes] == [row[1]]
        assert verdict.pauses_grant == ("category" in row[0])


def test_the_words_are_those_of_the_program(root: Path) -> None:
    """Every outcome and every reason to stop stands in the tables, and no other word."""
    outcomes = {outcome.value for outcome in Outcome}
    said: set[str] = set()
    stops: set[str] = set()
    for name in ("whole", "single", "here"):
        for row in _rows(root, name):
            said.update(_WORD.findall(row[1]))
            if name != "single":
                stops.update(_WORD.findall(row[2]))

    assert said - {"held", "local_only", "archived_or_purged_undelivered"} == outcomes
    assert stops - {"gate:WORD"} == {stop.value for stop in Stop}
