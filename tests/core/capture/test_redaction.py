"""A host's redaction: nothing of an event is stored, compared or told before it has seen it."""

import json
import traceback
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import attrs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eventsync_core.capture import CaptureRules, Receipt, capture, capture_many
from eventsync_core.errors import (
    DiscardRefusedError,
    EventSyncError,
    PayloadConflictError,
    RedactionError,
)
from eventsync_core.events import DOSSIER_KEYS, Families, Family, Hold, read_event
from eventsync_core.policy import Mode, OnDiscard
from eventsync_core.stores import MemoryStores
from eventsync_core.testing import EPOCH, envelopes, json_texts, make_envelope
from tests.effort import examples

SECRET = "5ecret"


@pytest.fixture
def stores() -> MemoryStores:
    """Return an empty store."""
    return MemoryStores()


def _mask(value: Any) -> Any:
    """Return *value* with every secret in it, keys too, replaced."""
    if isinstance(value, str):
        return value.replace(SECRET, "***")
    if isinstance(value, dict):
        return {_mask(key): _mask(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_mask(each) for each in value]
    return value


def _identity(envelope: dict[str, Any]) -> dict[str, Any]:
    return envelope


MASKED = CaptureRules(redact=_mask)


def _texts(stores: MemoryStores, stream: str = "default") -> list[str]:
    return [entry.event.text for entry in stores.journal.entries(stream)]


def _everything(stores: MemoryStores) -> str:
    """Return all that a store in memory holds, as one text."""
    entries = [
        entry for head in stores.journal.heads() for entry in stores.journal.entries(head.stream)
    ]
    return repr((entries, stores.audit.rows(), stores.superseding, stores.journal))


def test_what_is_stored_is_what_the_redaction_returned(stores: MemoryStores) -> None:
    """Written compactly, with its digests; the receipt and the stream are those of it."""
    text = f' {{"event_id": "e1", "project_uuid": "{SECRET}-P", "token": "{SECRET}"}}'

    receipt = capture(stores, text, at=EPOCH, rules=MASKED)

    stored = '{"event_id":"e1","project_uuid":"***-P","token":"***"}'
    assert receipt.stream == "***-p"
    (entry,) = stores.journal.entries("***-p")
    assert attrs.evolve(entry.event, project="***-P") == read_event(stored)
    assert SECRET not in _everything(stores)


def test_numbers_of_a_changed_event_are_spelt_as_python_does(stores: MemoryStores) -> None:
    """An unchanged event keeps its own spelling."""
    numbers = "[1.50,1E2,-0,-0.0,9007199254740993,0.10000000000000000555]"
    changed = f'{{"event_id":"e1","s":"{SECRET}","n":{numbers}}}'
    unchanged = f'{{"event_id":"e2","n":{numbers}}}'

    capture_many(stores, [changed, unchanged], at=EPOCH, rules=MASKED)

    assert _texts(stores) == [
        '{"event_id":"e1","s":"***","n":[1.5,100.0,0,-0.0,9007199254740993,0.1]}',
        unchanged,
    ]


def test_a_redaction_may_change_what_it_is_shown(stores: MemoryStores) -> None:
    """It has a copy, and returning it changed is a change."""

    def act(envelope: dict[str, Any]) -> dict[str, Any]:
        del envelope["token"]
        return envelope

    capture(stores, make_envelope("e1", token=SECRET), at=EPOCH, rules=CaptureRules(redact=act))

    assert _texts(stores) == ['{"event_id":"e1"}']


@pytest.mark.parametrize(
    "text",
    [
        f'{{"event_id":"e1","x":"{SECRET}","x":1}}',
        f'{{"event_id":"e1","p":{{"x":"{SECRET}","x":1}}}}',
        f'{{"event_id":"{SECRET}","event_id":"e1"}}',
    ],
)
@pytest.mark.parametrize("redact", [_identity, _mask])
def test_of_keys_that_stand_twice_only_what_was_shown_is_stored(
    stores: MemoryStores, text: str, redact: Any
) -> None:
    """The redaction never saw the other; the event stays held with the reason."""
    receipt = capture(stores, text, at=EPOCH, rules=CaptureRules(redact=redact))

    assert (receipt.event_id, receipt.state) == ("e1", "held")
    (entry,) = stores.journal.entries("default")
    assert (entry.event.hold, "twice" in (entry.event.hold_reason or "")) == (Hold.INVALID, True)
    assert SECRET not in _everything(stores)
    again = capture(stores, text, at=EPOCH, rules=CaptureRules(redact=redact))
    assert again.state == "duplicate"


def test_an_event_held_for_other_damage_keeps_its_text(stores: MemoryStores) -> None:
    """It was shown all of it."""
    text = ' {"event_id":"e1", "project_uuid":7, "n":1.50}'

    assert capture(stores, text, at=EPOCH, rules=MASKED).state == "held"

    assert _texts(stores, "unassigned") == [text]


def test_damage_that_a_redaction_makes_is_held(stores: MemoryStores) -> None:
    """A project that nobody can name, and keys that are one once written."""
    for number, more in enumerate(({"project_uuid": "\n"}, {1: "a", "1": "b"})):
        rules = CaptureRules(redact=lambda found, more=more: {**found, **more})  # type: ignore[misc]

        receipt = capture(stores, make_envelope(f"e{number}"), at=EPOCH, rules=rules)

        assert receipt.state == "held"


def test_what_a_redaction_damages_is_never_dropped_freely(stores: MemoryStores) -> None:
    """Its type may stand there twice, as that of any damaged event."""
    rules = CaptureRules(
        redact=lambda found: {**found, 1: "a", "1": "b"},  # type: ignore[dict-item]
        mode=Mode.OPT_OUT,
        families=Families({"T": Family.DISCARDABLE}),
    )

    (result,) = capture_many(stores, [make_envelope("e1", event_type="T")], at=EPOCH, rules=rules)

    assert isinstance(result, DiscardRefusedError)


class _Odd(Mapping[str, Any]):
    """A mapping that cannot be read."""

    def __getitem__(self, key: str) -> Any:
        raise LookupError(SECRET)

    def __iter__(self) -> Iterator[str]:
        return iter(("event_id",))

    def __len__(self) -> int:
        return 1


def _raises(envelope: dict[str, Any]) -> dict[str, Any]:
    raise ValueError(envelope["token"])


def _itself(envelope: dict[str, Any]) -> dict[str, Any]:
    envelope["self"] = envelope
    return envelope


_FAILING: list[Callable[[dict[str, Any]], Any]] = [
    _raises,
    _itself,
    lambda _: None,
    lambda found: list(found.items()),
    lambda found: json.dumps(found),
    lambda _: _Odd(),
    lambda _: {},
    lambda found: {**found, "event_id": "e2"},
    lambda found: {**found, "event_id": None},
    lambda found: {**found, "event_id": ["e1"]},
    lambda found: {**found, "x": float("nan")},
    lambda found: {**found, "x": float("inf")},
    lambda found: {**found, "x": {SECRET}},
    lambda found: {**found, (SECRET,): 1},
    lambda found: {**found, "x": SECRET.encode()},
]


@pytest.mark.parametrize("redact", _FAILING)
def test_an_event_whose_redaction_fails_is_not_stored(
    stores: MemoryStores, redact: Callable[[dict[str, Any]], Any]
) -> None:
    """Neither the error nor what hangs on it quotes the event; others are not harmed."""
    rules = CaptureRules(
        redact=lambda found: redact(found) if "token" in found else found,
        mode=Mode.OPT_OUT,
        on_discard=OnDiscard.AUDIT,
    )
    envelopes_ = [make_envelope("e1", token=SECRET), make_envelope("e0")]

    for mode in (Mode.OPT_OUT, Mode.LOCAL_RETENTION):
        error, other = capture_many(
            stores, envelopes_, at=EPOCH, rules=attrs.evolve(rules, mode=mode)
        )

        assert isinstance(error, RedactionError)
        assert (error.event_id, error.__cause__, error.__context__) == ("e1", None, None)
        assert SECRET not in "".join(traceback.format_exception(error))
        assert isinstance(other, Receipt)
        assert stores.journal.find("e1") is None
        assert "e1" not in [row.event_id for row in stores.audit.rows()]
        assert SECRET not in _everything(stores)


def test_an_interruption_is_no_failure_of_the_redaction(stores: MemoryStores) -> None:
    """It ends the capture, and nothing is stored."""

    def interrupted(_: dict[str, Any]) -> dict[str, Any]:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        capture(stores, make_envelope(), at=EPOCH, rules=CaptureRules(redact=interrupted))

    assert stores.journal.heads() == []


@pytest.mark.parametrize("value", ["9" * 5_000, "[" * 20_000 + "]" * 20_000])
def test_what_python_cannot_read_is_refused(stores: MemoryStores, value: str) -> None:
    """The redaction could not see it, so it is not stored; without redaction it is."""
    text = f'{{"event_id":"e1","x":{value}}}'

    with pytest.raises(RedactionError, match="cannot be read"):
        capture(stores, text, at=EPOCH, rules=MASKED)

    assert stores.journal.heads() == []
    capture(stores, text, at=EPOCH)
    assert _texts(stores) == [text]


def test_a_number_beyond_a_float_stays_where_nothing_changes(stores: MemoryStores) -> None:
    """It cannot be written again, so a changed event with it is refused."""
    text = '{"event_id":"e1","n":1e400}'
    capture(stores, text, at=EPOCH, rules=MASKED)

    with pytest.raises(RedactionError):
        capture(stores, f'{{"event_id":"{"e2"}","n":1e400,"s":"{SECRET}"}}', at=EPOCH, rules=MASKED)

    assert _texts(stores) == [text]


def test_an_audit_is_of_what_was_redacted(stores: MemoryStores) -> None:
    """Type, family, stream and digest; what is dropped leaves nothing else."""
    rules = CaptureRules(
        redact=_mask,
        mode=Mode.OPT_OUT,
        on_discard=OnDiscard.AUDIT,
        families=Families({"***": Family.TARGET_BOUND}),
    )
    text = make_envelope("e1", event_type=SECRET, project_uuid=SECRET)

    assert capture(stores, text, at=EPOCH, rules=rules).state == "discarded"

    redacted = read_event(make_envelope("e1", event_type="***", project_uuid="***"))
    assert SECRET not in _everything(stores)
    (row,) = stores.audit.rows()
    assert (row.event_type, row.stream, row.digest) == ("***", "***", redacted.digest)


def test_a_key_is_of_what_was_redacted(stores: MemoryStores) -> None:
    """Two secrets that become one thing are one thing."""
    payload = {"namespace": {"project_uuid": "p", "mission_slug": "m"}}
    texts = [
        make_envelope(
            f"e{number}",
            event_type="MissionDossierArtifactIndexed",
            payload={**payload, "artifact_id": {"path": path}},
        )
        for number, path in enumerate((SECRET, "***", SECRET))
    ]
    rules = CaptureRules(redact=_mask, keys=DOSSIER_KEYS)

    counts = [capture(stores, text, at=EPOCH, rules=rules).superseded for text in texts]

    assert counts == [0, 1, 1]
    assert SECRET not in _everything(stores)


def test_a_conflict_is_of_what_was_redacted(stores: MemoryStores) -> None:
    """Two events that differ in their secrets only are one; the error quotes nothing."""
    capture(stores, make_envelope("e1", s=f"{SECRET}"), at=EPOCH, rules=MASKED)

    assert (
        capture(stores, make_envelope("e1", s="***"), at=EPOCH, rules=MASKED).state == "duplicate"
    )
    with pytest.raises(PayloadConflictError) as caught:
        capture(stores, make_envelope("e1", s=f"{SECRET} too"), at=EPOCH, rules=MASKED)

    assert SECRET not in "".join(traceback.format_exception(caught.value))
    assert _texts(stores) == ['{"event_id":"e1","s":"***"}']


def _outcome(stores: MemoryStores, text: str, rules: CaptureRules) -> str:
    (result,) = capture_many(stores, [text], at=EPOCH, rules=rules)
    return result.code if isinstance(result, EventSyncError) else result.state


@settings(max_examples=examples(150), deadline=None)
@given(st.lists(envelopes().filter(lambda text: '"twice"' not in text), max_size=6))
def test_a_redaction_that_changes_nothing_is_as_none(texts: list[str]) -> None:
    """Byte for byte, whatever the numbers."""
    with_it, without = MemoryStores(), MemoryStores()

    for text in texts:
        found = _outcome(with_it, text, CaptureRules(redact=_identity))
        assert found == _outcome(without, text, CaptureRules())

    for head in without.journal.heads():
        assert _texts(with_it, head.stream) == _texts(without, head.stream)


@st.composite
def _with_secrets(draw: st.DrawFn) -> str:
    """Return texts of events with secrets in values and keys, at any depth and in any spelling."""
    secret = draw(st.sampled_from((SECRET, "\\u0035ecret", "5ecre\\u0074", f"x {SECRET}\\n")))
    inner = draw(json_texts())
    value = draw(
        st.sampled_from(
            (
                f'"{secret}"',
                f'[{{"{secret}":{inner}}}]',
                f'{{"a":{inner},"b":["{secret}"]}}',
                f'{{"{secret}":1,"{secret}":2}}',
            )
        )
    )
    key = draw(st.sampled_from(("payload", "event_type", "project_uuid", "aggregate_id")))
    return f'{{"n":1.50,"event_id":"e1","{key}":{value}}}'


@settings(max_examples=examples(200), deadline=None)
@given(_with_secrets(), st.sampled_from(Mode), st.booleans())
def test_no_secret_is_ever_stored_or_told(text: str, mode: Mode, fails: bool) -> None:  # noqa: FBT001
    """Whatever the mode, the place and the spelling; captured twice it is one event."""

    def act(envelope: dict[str, Any]) -> Any:
        if fails:
            raise ValueError(envelope)
        return _mask(envelope)

    stores = MemoryStores()
    rules = CaptureRules(
        redact=act,
        mode=mode,
        on_discard=OnDiscard.AUDIT,
        keys={"***": (("payload",),)},
        validate=lambda found: repr(found),
    )

    first, second = (capture_many(stores, [text], at=EPOCH, rules=rules)[0] for _ in range(2))

    told = _everything(stores) + repr((first, second, str(first), str(second)))
    assert SECRET not in told
    if isinstance(first, Receipt) and first.state != "discarded":
        assert isinstance(second, Receipt)
        assert (first.state, second.state) == ("held", "duplicate")
