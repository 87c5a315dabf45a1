"""The way in."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eventsync_core.capture import CaptureRules, Receipt, capture, capture_many
from eventsync_core.errors import (
    DiscardRefusedError,
    MissingEventIdError,
    NotJsonError,
    PayloadConflictError,
)
from eventsync_core.policy import Mode
from eventsync_core.stores import MemoryStores
from eventsync_core.testing import EPOCH, envelopes, make_envelope, respell
from tests.effort import examples


@pytest.fixture
def stores() -> MemoryStores:
    """Return an empty store."""
    return MemoryStores()


def _texts(stores: MemoryStores, stream: str = "default") -> list[str]:
    return [entry.event.text for entry in stores.journal.entries(stream)]


def _states(results: list[Any]) -> list[str]:
    return [getattr(result, "state", None) or result.code for result in results]


@pytest.mark.requirement("FR-001")
def test_a_receipt_says_where_it_stands(stores: MemoryStores) -> None:
    """Id, stream, position and state; in memory nothing is durable."""
    receipt = capture(stores, make_envelope("e1"), at=EPOCH)

    assert receipt == Receipt("e1", "default", 1, "stored", durable=False)
    (entry,) = stores.journal.entries("default")
    assert entry.captured_at == EPOCH


@pytest.mark.requirement("J1")
def test_bytes_are_kept_exactly(stores: MemoryStores) -> None:
    """Space, order and number spelling come back as they came."""
    text = ' {"n" : 1.50,"event_id":"e1"}\n'

    capture(stores, text.encode(), at=EPOCH)

    assert _texts(stores) == [text]


def test_a_mapping_is_written_as_json(stores: MemoryStores) -> None:
    """Compactly, in its own order."""
    capture(stores, {"event_id": "e1", "ü": [1]}, at=EPOCH)

    assert _texts(stores) == ['{"event_id":"e1","\\u00fc":[1]}']


@pytest.mark.requirement("J2")
def test_a_known_event_is_a_duplicate(stores: MemoryStores) -> None:
    """In any spelling; the receipt names where the first one stands."""
    capture(stores, make_envelope("e1", x=1), at=EPOCH)

    again = capture(stores, respell(make_envelope("e1", x=1)), at=EPOCH, project="other")

    assert again == Receipt("e1", "default", 1, "duplicate", durable=False)
    assert _texts(stores) == [make_envelope("e1", x=1)]


@pytest.mark.requirement("J3")
def test_a_known_id_with_other_content_is_a_conflict(stores: MemoryStores) -> None:
    """The error names where the first one stands, which is unchanged."""
    capture(stores, make_envelope("e1", project_uuid="P"), at=EPOCH)

    with pytest.raises(PayloadConflictError) as caught:
        capture(stores, make_envelope("e1"), at=EPOCH)

    error = caught.value
    assert (error.event_id, error.stream, error.position) == ("e1", "p", 1)
    assert _texts(stores, "p") == [make_envelope("e1", project_uuid="P")]


def test_a_local_only_key_is_no_content(stores: MemoryStores) -> None:
    """The same event with another reason for being blocked is a duplicate."""
    capture(stores, make_envelope("e1", drain_blocked_reason="missing_auth"), at=EPOCH)

    assert capture(stores, make_envelope("e1"), at=EPOCH).state == "duplicate"


@pytest.mark.requirement("J10")
def test_a_damaged_event_is_held(stores: MemoryStores) -> None:
    """It is stored with its reason and not refused."""
    receipt = capture(stores, '{"event_id":"e1","x":1,"x":2}', at=EPOCH)

    assert receipt.state == "held"
    (entry,) = stores.journal.entries("default")
    assert "twice" in (entry.event.hold_reason or "")


@pytest.mark.parametrize(
    ("project", "named", "stream"),
    [("P1", "other", "p1"), (None, "Other", "other"), (None, None, "default")],
)
def test_the_stream_is_the_project_s(
    stores: MemoryStores, project: str | None, named: str | None, stream: str
) -> None:
    """Of the envelope first, then of the caller."""
    members = {} if project is None else {"project_uuid": project}

    assert capture(stores, make_envelope("e1", **members), at=EPOCH, project=named).stream == stream


@pytest.mark.parametrize(
    ("envelope", "error"),
    [
        ("nonsense", NotJsonError),
        (b"\xff", NotJsonError),
        ("[]", NotJsonError),
        ({"event_id": "e1", "x": object()}, NotJsonError),
        ("{}", MissingEventIdError),
    ],
)
def test_what_is_no_event_is_refused(
    stores: MemoryStores, envelope: Any, error: type[Exception]
) -> None:
    """Nothing is stored."""
    with pytest.raises(error):
        capture(stores, envelope, at=EPOCH)

    assert stores.journal.heads() == []


@pytest.mark.requirement("F5")
@pytest.mark.parametrize("mode", [mode for mode in Mode if mode is not Mode.OPT_OUT])
def test_every_mode_that_retains_stores(stores: MemoryStores, mode: Mode) -> None:
    """Whatever delivery it means."""
    assert (
        capture(stores, make_envelope(), at=EPOCH, rules=CaptureRules(mode=mode)).state == "stored"
    )


@pytest.mark.requirement("F8")
def test_opt_out_refuses_what_may_be_bound_for_a_target(stores: MemoryStores) -> None:
    """An event of unknown family is neither kept nor silently dropped."""
    with pytest.raises(DiscardRefusedError):
        capture(stores, make_envelope(), at=EPOCH, rules=CaptureRules(mode=Mode.OPT_OUT))

    assert stores.journal.heads() == []


def test_one_bad_event_does_not_harm_the_others(stores: MemoryStores) -> None:
    """Each has its own result, in the order handed in."""
    capture(stores, make_envelope("known"), at=EPOCH)
    envelopes = [
        make_envelope("e1"),
        "nonsense",
        make_envelope("known", x=1),
        "{}",
        make_envelope("e2", project_uuid="p"),
        make_envelope("e1"),
    ]

    results = capture_many(stores, envelopes, at=EPOCH)

    assert _states(results) == [
        "stored",
        "not_json",
        "payload_conflict",
        "no_event_id",
        "stored",
        "duplicate",
    ]


def test_nothing_to_capture_is_no_result(stores: MemoryStores) -> None:
    """And no stream."""
    assert capture_many(stores, [], at=EPOCH) == []
    assert stores.journal.heads() == []


def test_the_first_of_two_contents_is_stored(stores: MemoryStores) -> None:
    """Even when another stream is named first in the call."""
    envelopes = [
        make_envelope("x", project_uuid="b"),
        make_envelope("e1", project_uuid="a"),
        make_envelope("e1", project_uuid="b"),
    ]

    results = capture_many(stores, envelopes, at=EPOCH)

    assert _states(results) == ["stored", "stored", "payload_conflict"]
    assert [envelopes[1]] == _texts(stores, "a")


@settings(max_examples=examples(150), deadline=None)
@given(st.lists(envelopes(), max_size=8), st.sampled_from([None, "p1", "named"]))
def test_many_at_once_are_many_in_turn(texts: list[str], project: str | None) -> None:
    """One call stores and answers what single calls would."""
    one, other = MemoryStores(), MemoryStores()

    together = capture_many(one, texts, at=EPOCH, project=project)
    in_turn = [capture_many(other, [text], at=EPOCH, project=project)[0] for text in texts]

    assert [str(result) for result in in_turn] == [str(result) for result in together]
    assert other.journal.heads() == one.journal.heads()


@pytest.mark.requirement("J8")
def test_a_receipt_names_no_target(stores: MemoryStores) -> None:
    """Capture knows nothing of delivery."""
    receipt = capture(stores, make_envelope(), at=EPOCH)

    assert not {"target", "server", "url"} & set(dir(receipt))
