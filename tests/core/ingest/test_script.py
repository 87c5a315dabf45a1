"""A script is read whole or refused."""

import pytest

from eventsync_core.receivers import read_script


@pytest.mark.parametrize(
    "document",
    [
        None,
        [],
        {"more": 1},
        {"requests": 1},
        {"requests": [{"speed": 1}]},
        {"requests": [{"status": "x"}]},
        {"requests": [{"status": True}]},
        {"requests": [{"status": 199}]},
        {"requests": [{"status": 600}]},
        {"requests": [{"body": 1}]},
        {"requests": [{"headers": []}]},
        {"requests": [{"headers": {"A": 1}}]},
        {"requests": [{"headers": {"A": "b\r\nC: d"}}]},
        {"requests": [{"delay_seconds": -1}]},
        {"requests": [{"delay_seconds": 86_401}]},
        {"requests": [{"delay_seconds": float("nan")}]},
        {"requests": [{"cut": "during"}]},
        {"events": []},
        {"events": {"a": 1}},
        {"poison": 1},
        {"poison": [[]]},
        {"max_bytes": "1"},
        {"max_bytes": -1},
    ],
)
def test_what_is_no_script_is_refused(document: object) -> None:
    """Every value that could not be acted on is a ValueError."""
    with pytest.raises(ValueError, match=r"\w"):
        read_script(document)


def test_a_full_script_is_read() -> None:
    """All four parts, and a rule that replaces the answer."""
    script = read_script(
        {
            "requests": [{"status": 503, "headers": {"Retry-After": "1"}, "delay_seconds": 0.5}],
            "events": {"a": {"status": "pending"}},
            "poison": ["p"],
            "max_bytes": 9,
        }
    )

    assert script.next_request().replaces_answer
    assert not script.next_request().replaces_answer
    assert script.keeps("a")
    assert script.result("a", {"status": "success"}) == {"event_id": "a", "status": "pending"}
