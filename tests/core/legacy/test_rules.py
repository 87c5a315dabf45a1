"""What becomes of a row."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eventsync_core.codec import has_lone_surrogates
from eventsync_core.events import FAMILIES, Hold
from eventsync_core.legacy import Became, Judged, SourceRow, Stored, Why, decide, is_safe, judge

_STRINGS = st.text(st.characters(min_codepoint=0xD7F0, max_codepoint=0x10010)) | st.text(
    '\\ud83D"\ud83d\ude00ab'
)


def _judge(raw: bytes | str, event_id: str | None = "e1", project: str | None = None) -> Judged:
    data = raw.encode() if isinstance(raw, str) else raw
    row = SourceRow(part="queue", row=1, event_id=event_id, raw=data)
    return judge(row, families=FAMILIES, project=project)


@given(_STRINGS)
def test_lone_surrogates_are_found_in_every_spelling(text: str) -> None:
    """As Python finds them when it writes what it read."""
    written = json.dumps({"t": text})
    try:
        json.loads(written)["t"].encode()
        is_lone = False
    except UnicodeEncodeError:
        is_lone = True

    assert has_lone_surrogates(written) == is_lone


@pytest.mark.parametrize(
    ("raw", "why"),
    [
        (b"\xff", Why.NOT_UTF8),
        (b"", Why.NOT_JSON),
        (b"[]", Why.NOT_JSON),
        (b'\xef\xbb\xbf{"event_id": "e1"}', Why.NOT_JSON),
        (b'{"event_id": "e1"} {}', Why.NOT_JSON),
        (b'{"event_id": "e1", "n": Infinity}', Why.NOT_JSON),
        (b'{"event_id": 1}', Why.NO_EVENT_ID),
        (b'{"event_id": "E1"}', Why.OTHER_ID),
    ],
)
def test_a_row_without_an_event(raw: bytes, why: Why) -> None:
    """Has a word and a line for it."""
    judged = _judge(raw)

    assert (judged.event, judged.why) == (None, why)
    assert judged.detail


@pytest.mark.parametrize(
    ("members", "hold"),
    [
        ({}, None),
        ({"event_type": "unheard.of"}, None),
        ({"t": "\ud800"}, Hold.INVALID),
        ({"event_type": "MissionReopened"}, Hold.LOCAL_ONLY),
    ],
)
def test_the_hold_of_an_event(members: dict[str, Any], hold: Hold | None) -> None:
    """Damage and what is local only keep it here; its text is what it was."""
    text = json.dumps({"event_id": "e1", **members})
    judged = _judge(text)

    assert judged.event is not None
    assert (judged.event.text, judged.event.hold) == (text, hold)


@pytest.mark.parametrize(
    ("own", "named", "stream"),
    [
        (None, None, "unassigned"),
        (None, " Mine ", "mine"),
        ("P", "mine", "p"),
        (" ", "", "unassigned"),
    ],
)
def test_the_stream_of_an_event(own: str | None, named: str | None, stream: str) -> None:
    """Its own project, else the one that was named, else nobody's."""
    assert _judge(json.dumps({"event_id": "e1", "project_uuid": own}), None, named).stream == stream


@given(st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 2)), max_size=12))
def test_each_id_is_imported_once(made: list[tuple[str, int]]) -> None:
    """Equal content deduplicates, other content is a conflict; a known id is never imported."""
    rows = [_judge(json.dumps({"n": n, "event_id": name}), None) for name, n in made]
    digests = {
        name: each.event.canonical_digest
        for (name, _), each in reversed(list(zip(made, rows, strict=True)))
        if each.event is not None
    }

    first = [each.became for each in decide(rows, {})]
    again = decide(rows, digests)

    assert first.count(Became.IMPORTED) == len(digests)
    assert all(each.became is not Became.IMPORTED for each in again)
    for before, after in zip(first, again, strict=True):
        expected = Became.DEDUPLICATED if before is Became.IMPORTED else before
        assert after.became is expected
    settled = [each.judged.key for each in again]
    assert all(
        each.became is not Became.CONFLICT for each in decide(rows, digests, settled=settled)
    )


def test_what_is_not_whole_is_not_safe() -> None:
    """Unknown, or with another text than its digest says; purged is safe."""
    event = _judge('{"event_id": "e1"}').event
    assert event is not None
    facts: dict[str, Any] = {
        "stream": "s",
        "position": 1,
        "digest": event.digest,
        "canonical_digest": event.canonical_digest,
    }

    assert is_safe(Stored(text=event.text, **facts))
    assert is_safe(Stored(text=None, **facts))
    assert not is_safe(Stored(text=event.text + " ", **facts))
    assert not is_safe(None)
