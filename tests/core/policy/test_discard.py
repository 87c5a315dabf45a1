"""What may be dropped where nothing is retained, and what is then on record."""

from hashlib import sha256
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eventsync_core.capture import CaptureRules, Receipt, capture, capture_many
from eventsync_core.errors import DiscardRefusedError, EventSyncError, PayloadConflictError
from eventsync_core.events import FAMILIES, Families, Family
from eventsync_core.policy import AuditRecord, Mode, OnDiscard, may_discard
from eventsync_core.stores import MemoryStores
from eventsync_core.testing import EPOCH, envelopes, make_envelope
from tests.effort import examples

FREELY = {
    Family.LOCAL_ONLY: "MissionReopened",
    Family.DISCARDABLE: "BuildHeartbeat",
}
IN_DOUBT: dict[Family, str | None] = {
    Family.TARGET_BOUND: "WPCreated",
    Family.UNKNOWN: "Mine",
}
REFUSING = CaptureRules(mode=Mode.OPT_OUT)
AUDITING = CaptureRules(mode=Mode.OPT_OUT, on_discard=OnDiscard.AUDIT)


@pytest.fixture
def stores() -> MemoryStores:
    """Return an empty store."""
    return MemoryStores()


def _words(results: list[Any]) -> list[str]:
    return [getattr(result, "state", None) or result.code for result in results]


@pytest.mark.requirement("F7")
@pytest.mark.parametrize("on_discard", list(OnDiscard))
@pytest.mark.parametrize("family", list(Family))
def test_what_may_be_dropped(family: Family, on_discard: OnDiscard) -> None:
    """Local and discardable events freely, all others with a row in the audit or not at all."""
    expected = "refused" if on_discard is OnDiscard.REFUSE else "audit_recorded"

    assert may_discard(family, on_discard) == ("discard_allowed" if family in FREELY else expected)


@pytest.mark.requirement("F6")
@pytest.mark.parametrize("rules", [REFUSING, AUDITING])
@pytest.mark.parametrize("event_type", FREELY.values())
def test_what_nobody_waits_for_is_dropped(
    stores: MemoryStores, rules: CaptureRules, event_type: str
) -> None:
    """It has no position and leaves no trace, no stream either."""
    receipt = capture(stores, make_envelope("e1", event_type=event_type), at=EPOCH, rules=rules)

    assert receipt == Receipt("e1", "default", None, "discarded", durable=False)
    assert (stores.journal.heads(), stores.audit.count()) == ([], 0)


@pytest.mark.requirement("F7")
@pytest.mark.requirement("F8")
@pytest.mark.parametrize(("family", "event_type"), IN_DOUBT.items())
def test_what_may_be_bound_for_a_target_is_refused(
    stores: MemoryStores, family: Family, event_type: str
) -> None:
    """The error says which event, and of which family."""
    with pytest.raises(DiscardRefusedError) as caught:
        capture(stores, make_envelope("e1", event_type=event_type), at=EPOCH, rules=REFUSING)

    error = caught.value
    assert (error.event_id, error.family) == ("e1", family.value)
    assert "e1" in error.message
    assert family.value in error.message
    assert (stores.journal.heads(), stores.audit.count()) == ([], 0)


@pytest.mark.requirement("F7")
@pytest.mark.requirement("F8")
@pytest.mark.parametrize(("family", "event_type"), IN_DOUBT.items())
def test_what_may_be_bound_for_a_target_is_on_record(
    stores: MemoryStores, family: Family, event_type: str
) -> None:
    """Everything but what it said."""
    text = make_envelope("e1", event_type=event_type, project_uuid="P")

    receipt = capture(stores, text, at=EPOCH, rules=AUDITING)

    assert (receipt.state, receipt.stream, receipt.position) == ("discarded", "p", None)
    assert stores.journal.heads() == []
    assert stores.audit.rows() == [
        AuditRecord(
            number=1,
            event_id="e1",
            event_type=event_type,
            family=family,
            stream="p",
            reason="mode OPT_OUT keeps nothing",
            digest=sha256(text.encode()).digest(),
            at=EPOCH,
        )
    ]


def test_an_event_without_a_type_is_of_unknown_family(stores: MemoryStores) -> None:
    """Also where its type cannot be used."""
    for envelope in ('{"event_id":"e1"}', '{"event_id":"e2","event_type":7}'):
        capture(stores, envelope, at=EPOCH, rules=AUDITING)

    found = [(row.event_type, row.family) for row in stores.audit.rows()]
    assert found == [(None, Family.UNKNOWN)] * 2


@pytest.mark.parametrize("last", FREELY.values())
def test_an_event_of_two_types_is_not_dropped(stores: MemoryStores, last: str) -> None:
    """Which of them counts is in doubt, so it may be bound for a target."""
    text = f'{{"event_id":"e1","event_type":"WPCreated","event_type":"{last}"}}'

    with pytest.raises(DiscardRefusedError) as caught:
        capture(stores, text, at=EPOCH, rules=REFUSING)

    assert caught.value.family == "unknown"


def test_a_host_says_what_may_be_dropped(stores: MemoryStores) -> None:
    """Its families are asked, in either direction."""
    families = FAMILIES.extended({"Mine": "discardable", "BuildHeartbeat": "target_bound"})
    rules = CaptureRules(mode=Mode.OPT_OUT, families=families)
    texts = [
        make_envelope("e1", event_type="Mine"),
        make_envelope("e2", event_type="BuildHeartbeat"),
    ]

    assert _words(capture_many(stores, texts, at=EPOCH, rules=rules)) == [
        "discarded",
        "discard_refused",
    ]


@pytest.mark.parametrize("rules", [REFUSING, AUDITING])
@pytest.mark.parametrize("event_type", ["WPCreated", "BuildHeartbeat", "MissionReopened"])
def test_what_is_stored_stays_what_it_is(
    stores: MemoryStores, rules: CaptureRules, event_type: str
) -> None:
    """An equal event is a duplicate, another under its id a conflict; nothing is on record."""
    text = make_envelope("e1", event_type=event_type)
    first = capture(stores, text, at=EPOCH)

    again = capture(stores, text, at=EPOCH, rules=rules, project="other")
    with pytest.raises(PayloadConflictError):
        capture(stores, make_envelope("e1", event_type=event_type, x=1), at=EPOCH, rules=rules)

    assert again == Receipt("e1", "default", first.position, "duplicate", durable=False)
    assert [head.stream for head in stores.journal.heads()] == ["default"]
    assert stores.audit.count() == 0


def test_what_was_dropped_can_be_stored_later(stores: MemoryStores) -> None:
    """Its row stays: both happened."""
    text = make_envelope("e1", event_type="WPCreated")
    capture(stores, text, at=EPOCH, rules=AUDITING)

    assert capture(stores, text, at=EPOCH).state == "stored"
    assert capture(stores, text, at=EPOCH, rules=AUDITING).state == "duplicate"
    assert stores.audit.count() == 1


def test_one_id_twice_in_one_call(stores: MemoryStores) -> None:
    """Nothing is known of what was dropped, so each is dropped by itself."""
    texts = [
        make_envelope("e1", event_type="WPCreated"),
        make_envelope("e1", event_type="WPCreated"),
        make_envelope("e1", event_type="BuildHeartbeat"),
    ]

    results = capture_many(stores, texts, at=EPOCH, rules=AUDITING)

    assert _words(results) == ["discarded"] * 3
    assert [row.event_type for row in stores.audit.rows()] == ["WPCreated", "WPCreated"]


def test_each_has_its_own_result(stores: MemoryStores) -> None:
    """In the order handed in, whatever became of the others."""
    capture(stores, make_envelope("known"), at=EPOCH)
    texts = [
        make_envelope("e1", event_type="WPCreated"),
        "nonsense",
        make_envelope("known", x=1),
        make_envelope("e2", event_type="BuildHeartbeat"),
        make_envelope("known"),
    ]

    assert _words(capture_many(stores, texts, at=EPOCH, rules=REFUSING)) == [
        "discard_refused",
        "not_json",
        "payload_conflict",
        "discarded",
        "duplicate",
    ]


def _families() -> st.SearchStrategy[Families]:
    words = st.sampled_from([family.value for family in Family])
    return st.dictionaries(st.sampled_from(("Started", "Stopped")), words).map(Families)


@settings(max_examples=examples(150), deadline=None)
@given(
    kept=st.lists(envelopes(), max_size=4),
    texts=st.lists(envelopes(), max_size=8),
    families=_families(),
    on_discard=st.sampled_from(OnDiscard),
)
def test_many_at_once_are_many_in_turn(
    kept: list[str], texts: list[str], families: Families, on_discard: OnDiscard
) -> None:
    """One call drops and records what single calls would, and the journal stays as it was."""
    rules = CaptureRules(mode=Mode.OPT_OUT, on_discard=on_discard, families=families)
    one, other = MemoryStores(), MemoryStores()
    for stores in (one, other):
        capture_many(stores, kept, at=EPOCH)
    before = one.journal.heads()

    together = capture_many(one, texts, at=EPOCH, rules=rules)
    in_turn = [capture_many(other, [text], at=EPOCH, rules=rules)[0] for text in texts]

    assert [str(result) for result in in_turn] == [str(result) for result in together]
    assert other.audit.rows() == one.audit.rows()
    assert before == one.journal.heads() == other.journal.heads()


@settings(max_examples=examples(150), deadline=None)
@given(texts=st.lists(envelopes(), max_size=8), families=_families())
def test_nothing_is_dropped_in_silence(texts: list[str], families: Families) -> None:
    """What is neither local nor discardable is on record, or its caller was told."""
    stores = MemoryStores()
    auditing = CaptureRules(mode=Mode.OPT_OUT, on_discard=OnDiscard.AUDIT, families=families)
    refusing = CaptureRules(mode=Mode.OPT_OUT, families=families)

    dropped = capture_many(stores, texts, at=EPOCH, rules=auditing)
    refused = capture_many(stores, texts, at=EPOCH, rules=refusing)

    assert all(isinstance(result, Receipt) for result in dropped)
    told = [error.event_id for error in refused if isinstance(error, DiscardRefusedError)]
    assert told == [row.event_id for row in stores.audit.rows()]
    assert {row.family for row in stores.audit.rows()} <= set(IN_DOUBT)
    assert not any(isinstance(result, EventSyncError) for result in dropped)
