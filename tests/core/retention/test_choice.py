"""What may go, what stays and why, and when collecting is suggested."""

import pytest

from eventsync_core.payloads import Kept
from eventsync_core.retention import Choice, Stay, suggest
from eventsync_core.retention._choice import why_stays
from eventsync_core.retention._suggest import SUGGESTED_FROM

DELIVERED = Kept(
    position=5,
    event_id="e",
    event_type="T",
    captured_at=100,
    size=10,
    delivered_to=frozenset({"one", "two"}),
)


@pytest.mark.requirement("S11")
@pytest.mark.parametrize(
    ("targets", "why"),
    [
        ({"one"}, None),
        ({"one", "two"}, None),
        ({"one", "two", "three"}, Stay.UNDELIVERED),
        (set(), Stay.UNDELIVERED),
    ],
)
def test_only_what_every_target_has_may_go(targets: set[str], why: Stay | None) -> None:
    """And without a target nothing."""
    assert why_stays(DELIVERED, Choice(), targets, head=9) is why


@pytest.mark.parametrize(
    ("choice", "is_meant"),
    [
        (Choice(types=frozenset({"T", "U"})), True),
        (Choice(types=frozenset({"U"})), False),
        (Choice(captured_before=101), True),
        (Choice(captured_before=100), False),
        (Choice(at_least=10), True),
        (Choice(at_least=11), False),
        (Choice(keep=4), True),
        (Choice(keep=5), False),
    ],
)
def test_all_that_is_said_must_hold(choice: Choice, *, is_meant: bool) -> None:
    """Type, age, size, and not among the last of its stream."""
    why = why_stays(DELIVERED, choice, {"one"}, head=9)

    assert why is (None if is_meant else Stay.NOT_CHOSEN)


def test_what_is_on_its_way_stays() -> None:
    """Its sender may want to send it once more."""
    why = why_stays(DELIVERED, Choice(), {"one"}, head=9, in_flight={5})

    assert why is Stay.IN_FLIGHT


@pytest.mark.requirement("S6")
@pytest.mark.parametrize(
    ("facts", "is_suggested"),
    [
        ({}, True),
        ({"size_bytes": SUGGESTED_FROM - 1}, False),
        ({"targets": 0}, False),
        ({"retained": 0}, False),
        ({"is_all_delivered": False}, False),
    ],
)
def test_when_collecting_is_suggested(facts: dict[str, int], *, is_suggested: bool) -> None:
    """The threshold is 50 MiB, inclusive."""
    usual = {"size_bytes": 52_428_800, "retained": 1, "targets": 1, "is_all_delivered": True}

    assert suggest(**{**usual, **facts}) is is_suggested  # type: ignore[arg-type]
