"""The published examples of the batch contract, through both sides of the wire."""

import json
from pathlib import Path
from typing import Any

import attrs
import pytest

from eventsync_core.ingest import MemoryInbox, answer_batch
from eventsync_core.receivers import Answer, RequestRule, Script, interpret
from tests.answers.ends import World, counts

_FOLDER = Path(__file__).parents[3] / "shared" / "batch-fixtures"
_NUMBERS = (1, 2, 3, 4, 5)
_OUTCOMES = {
    1: ["success"],
    2: ["success", "success", "success"],
    3: ["duplicate"],
    4: ["rejected"],
    5: ["rejected"],
}


@attrs.frozen
class Example:
    """One published pair of request and response, and what it means."""

    request: dict[str, Any]
    status: int
    body: dict[str, Any]
    outcomes: list[str]

    @property
    def texts(self) -> list[str]:
        """The texts of its events, as a producer might write them."""
        return [json.dumps(event) for event in self.request["events"]]

    @property
    def event_ids(self) -> list[str]:
        """The ids of its events."""
        return [event["event_id"] for event in self.request["events"]]

    @property
    def reasons(self) -> list[str]:
        """What is said of those that are rejected."""
        items = self.body.get("details") or self.body["results"]
        return [item["error"] for item in items if "error" in item]


@pytest.fixture(params=_NUMBERS)
def example(request: pytest.FixtureRequest) -> Example:
    """Return each of them, where they lie beside the repository."""
    if not _FOLDER.is_dir():
        pytest.skip("the published examples are not beside this repository")
    (path,) = _FOLDER.glob(f"fixture_{request.param:02}_*.json")
    document = json.loads(path.read_text("utf-8"))
    response = document["expected_response"]
    return Example(
        document["request"], response["status_code"], response["body"], _OUTCOMES[request.param]
    )


@pytest.mark.requirement("D3")
def test_the_client_sends_the_request_and_reads_the_response(
    world: World, example: Example
) -> None:
    """Captured, it is sent as published; the published answer gives these outcomes."""
    world.capture(*example.texts)
    (stream,) = {head.stream for head in world.stores.journal.heads()}
    world.grant(stream)
    rule = RequestRule(status=example.status, body=json.dumps(example.body))
    world.tell(Script(requests=[rule]))

    report = world.drain(stream)

    assert json.loads(world.noting.body) == example.request
    rows = world.rows(stream)
    assert [rows[event_id][0] for event_id in example.event_ids] == example.outcomes
    assert report.selected == len(example.outcomes)
    rejected = [event_id for event_id in example.event_ids if rows[event_id][2]]
    assert [world.history(event_id) for event_id in rejected] == [
        [("rejected", reason)] for reason in example.reasons
    ]
    assert (report.stopped_because, "transient" in counts(report)) == ("caught_up", False)


def test_the_server_gives_the_response_and_the_client_agrees(example: Example) -> None:
    """Whatever needs rules of its own is told by a script; then both sides say the same."""
    told = {item["event_id"]: item for item in example.body.get("results", [])}
    script = Script(
        events={event_id: item for event_id, item in told.items() if item["status"] == "rejected"}
    )
    inbox, body = MemoryInbox(), ('{"events":[' + ",".join(example.texts) + "]}").encode()
    if "duplicate" in example.outcomes:
        answer_batch(inbox, body, Script())

    if example.status == 200:
        reply = answer_batch(inbox, body, script)
        assert (reply.status, reply.document) == (example.status, example.body)
    answer = Answer(status=example.status, body=json.dumps(example.body).encode())
    verdict = interpret(example.event_ids, answer)

    assert [outcome.value for outcome in verdict.outcomes] == example.outcomes
    assert [detail.reason for detail in verdict.details.values() if detail.reason] == (
        example.reasons
    )
