"""What a host's validator, or the strict one, finds is held with its reason."""

from collections.abc import Mapping
from typing import Any

import pytest

from eventsync_core.capture import CaptureRules, Receipt, capture
from eventsync_core.events import Families, Family, Hold, strict_envelope
from eventsync_core.journal import Entry
from eventsync_core.stores import MemoryStores
from eventsync_core.testing import EPOCH, make_envelope

SECRET = "5ecret"


@pytest.fixture
def stores() -> MemoryStores:
    """Return an empty store."""
    return MemoryStores()


def _captured(stores: MemoryStores, text: str, validate: Any) -> tuple[Receipt, Entry]:
    receipt = capture(stores, text, at=EPOCH, rules=CaptureRules(validate=validate))
    (entry,) = stores.journal.entries(receipt.stream)
    return receipt, entry


def test_what_is_found_invalid_is_stored_and_held(stores: MemoryStores) -> None:
    """With the reason, and with its exact text."""
    text = ' {"event_id":"e1", "n":1.50}'

    receipt, entry = _captured(stores, text, lambda _: "n is no integer")

    assert (receipt.state, entry.event.text) == ("held", text)
    assert (entry.event.hold, entry.event.hold_reason) == (Hold.INVALID, "n is no integer")


def test_what_is_valid_is_not_held(stores: MemoryStores) -> None:
    """The validator sees the envelope as it was parsed."""
    seen: list[Mapping[str, Any]] = []

    receipt, _ = _captured(stores, make_envelope("e1", n=[1]), lambda found: seen.append(found))

    assert (receipt.state, seen) == ("stored", [{"event_id": "e1", "n": [1]}])


def test_a_validator_cannot_change_what_is_stored(stores: MemoryStores) -> None:
    """It has a copy."""
    _, entry = _captured(stores, make_envelope("e1", n=1), lambda found: found.clear())

    assert entry.event.text == make_envelope("e1", n=1)


def _raises(_: Mapping[str, Any]) -> str | None:
    raise KeyError(SECRET)


@pytest.mark.parametrize(
    ("validate", "reason"),
    [
        (_raises, "the validator raised KeyError"),
        (lambda _: False, "the validator answered with bool"),
        (lambda found: found, "the validator answered with dict"),
        (lambda _: "", "not valid"),
        (lambda _: "two\nlines \ud800", "two lines"),
        (lambda _: "x" * 500, "x" * 199 + "…"),
    ],
)
def test_a_reason_is_one_line(stores: MemoryStores, validate: Any, reason: str) -> None:
    """A validator that fails, or gives no reason, has not found the event valid."""
    _, entry = _captured(stores, make_envelope("e1", n=SECRET), validate)

    assert (entry.event.hold, entry.event.hold_reason) == (Hold.INVALID, reason)


@pytest.mark.parametrize("number", ["9" * 5_000, "1e400", "-0"])
def test_odd_numbers_are_no_accident(stores: MemoryStores, number: str) -> None:
    """What Python cannot read was not found valid, and is stored all the same."""
    text = f'{{"event_id":"e1","n":{number}}}'

    receipt, entry = _captured(stores, text, lambda _: None)

    assert entry.event.text == text
    assert (receipt.state == "held") is (len(number) > 4_300)
    if receipt.state == "held":
        assert entry.event.hold_reason == "it cannot be read for the validator"


def test_what_is_damaged_keeps_its_first_reason(stores: MemoryStores) -> None:
    """Keys that stand twice say more than what a reader of one of them finds."""
    _, entry = _captured(stores, '{"event_id":"e1","x":1,"x":2}', strict_envelope)

    assert "twice" in (entry.event.hold_reason or "")


def test_strict_sees_what_was_redacted(stores: MemoryStores) -> None:
    """Validity is that of what is stored."""
    rules = CaptureRules(
        redact=lambda found: {**found, "feature_slug": "x"}, validate=strict_envelope
    )

    capture(stores, make_envelope("e1"), at=EPOCH, rules=rules)

    (entry,) = stores.journal.entries("default")
    assert "feature_slug" in entry.event.text
    assert (entry.event.hold_reason or "").startswith("event_id is neither")


def test_a_long_type_is_cut_in_the_reason(stores: MemoryStores) -> None:
    """An invalid event that is local only is held as such, and its reason says both."""
    long = "T" * 10_000
    rules = CaptureRules(
        families=Families({long: Family.LOCAL_ONLY}), validate=lambda _: "not as it should be"
    )

    capture(stores, make_envelope("e1", event_type=long), at=EPOCH, rules=rules)

    (entry,) = stores.journal.entries("default")
    cut = "T" * 99 + "…"
    expected = f"events of type {cut} are local only; not as it should be"
    assert (entry.event.hold, entry.event.hold_reason) == (Hold.LOCAL_ONLY, expected)
