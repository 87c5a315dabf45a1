"""The published examples of the batch contract come out as published."""

import json
from pathlib import Path
from typing import Any

import httpx
import pytest

from eventsync_adapters.server import Serving
from eventsync_core.receivers import RequestRule, Script

FOLDER = Path(__file__).parents[3] / "shared" / "batch-fixtures"
FILES = sorted(FOLDER.glob("fixture_*.json"))


def script_for(expected: dict[str, Any]) -> Script:
    """Return the script under which a receiver without rules of its own answers like that."""
    if expected["status_code"] != 200:
        answer = json.dumps(expected["body"])
        return Script(requests=[RequestRule(status=expected["status_code"], body=answer)])
    told = {result["event_id"]: result for result in expected["body"]["results"]}
    return Script(
        events={
            event_id: result for event_id, result in told.items() if result["status"] == "rejected"
        }
    )


def test_there_are_five() -> None:
    """They lie beside the repository, where they were handed over."""
    if not FOLDER.is_dir():
        pytest.skip("the published examples are not beside this repository")
    assert len(FILES) == 5


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_published_example_comes_out(path: Path, serving: Serving, client: httpx.Client) -> None:
    """Request in, expected status and document out; kept events are those acknowledged."""
    example = json.loads(path.read_text("utf-8"))
    expected = example["expected_response"]
    texts = [json.dumps(event, indent=1) for event in example["request"]["events"]]
    sent = '{"events":[' + ",".join(texts) + "]}"
    if expected["body"].get("results", [{}])[0].get("status") == "duplicate":
        client.post("/api/v1/events/batch/", content=sent)
    serving.set_script(script_for(expected))

    answer = client.post("/api/v1/events/batch/", content=sent)

    assert answer.status_code == expected["status_code"]
    assert answer.json() == expected["body"]
    refused = "rejected" in answer.text or answer.status_code != 200
    assert [kept.text for kept in serving.inbox.received()] == ([] if refused else texts)
