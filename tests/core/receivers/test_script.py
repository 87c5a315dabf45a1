"""What a receiver under test can be told."""

from typing import Any

import pytest

from eventsync_core.receivers import RequestRule, Script, read_script


def test_a_script_is_read() -> None:
    """All four parts, each optional."""
    script = read_script(
        {
            "requests": [{"status": 503}, {"cut": "after"}],
            "events": {"e1": {"status": "rejected"}},
            "poison": ["e2"],
            "max_bytes": 9,
        }
    )

    assert script == Script(
        requests=[RequestRule(status=503), RequestRule(cut="after")],
        events={"e1": {"status": "rejected"}},
        poison=frozenset({"e2"}),
        max_bytes=9,
    )
    assert read_script({}) == Script()


@pytest.mark.parametrize(
    "document", [None, [], {"what": 1}, {"requests": [{"what": 1}]}, {"events": {"e1": 5}}]
)
def test_what_is_no_script_is_refused(document: Any) -> None:
    """Unknown words and other shapes are named."""
    with pytest.raises(ValueError, match="script"):
        read_script(document)


def test_rules_are_taken_in_turn() -> None:
    """When they are used up, requests are answered in earnest."""
    script = Script(requests=[RequestRule(status=500)])

    assert [script.next_request().status for _ in range(3)] == [500, 200, 200]
