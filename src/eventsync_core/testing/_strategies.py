"""Hypothesis strategies in which collisions are likely: few ids, many contents."""

from collections.abc import Sequence
from typing import Any

from hypothesis import strategies as st

from eventsync_core.codec import write_document
from eventsync_core.events import Event, read_event
from eventsync_core.receivers import Answer, RequestRule, Script

IDS = ("e1", "e2", "e3", "e4", "e5", "e6", "Ünï", "01JMBYAAAAAAAAAAAAAAAAAAAA")
"""The ids of all events that these strategies make."""

PROJECTS = ("p1", "P1", "p2")
"""Projects that events may name; the first two are one stream."""

AGGREGATES = ("a", "b")
"""Aggregates that events may belong to."""

_NUMBERS = ("0", "-0", "1", "1.50", "1.5", "1e5", "1E+5", "-0.0", "1e400", "9" * 30)
_SCALARS = st.one_of(
    st.sampled_from(_NUMBERS),
    st.sampled_from(("true", "false", "null", '"\\u00fc"', '"\\ud800"')),
    st.text(max_size=4).map(write_document),
)
_WORDS = (
    "success",
    "accepted",
    "warning",
    "duplicate",
    "pending",
    "queued",
    "rejected",
    "misunderstood",
    "perhaps",
    " Success ",
)
_TIMES = ("7", "-1", "9" * 30, "Sun, 06 Nov 1994 08:49:37 GMT", "Sun Nov  6 08:49:37 1994")
_REFUSALS = ("project_not_admitted", "schema_mismatch", "PROJECT_REFUSED")


def _object(members: Sequence[tuple[str, str]]) -> str:
    return "{" + ",".join(f"{write_document(key)}:{value}" for key, value in members) + "}"


def json_texts() -> st.SearchStrategy[str]:
    """Return JSON values as text, numbers in many spellings."""
    return st.recursive(
        _SCALARS,
        lambda inner: st.one_of(
            st.lists(inner, max_size=3).map(lambda parts: "[" + ",".join(parts) + "]"),
            st.lists(
                st.tuples(st.sampled_from(("", "x", "ü", "drain_blocked_reason")), inner),
                max_size=3,
                unique_by=lambda pair: pair[0],
            ).map(_object),
        ),
        max_leaves=6,
    )


@st.composite
def envelopes(draw: st.DrawFn, ids: Sequence[str] = IDS) -> str:
    """Return texts of events; now and then one that is held because a key stands twice."""
    members = [("event_id", write_document(draw(st.sampled_from(ids))))]
    for key, values in (
        ("project_uuid", (None, None, None, *PROJECTS)),
        ("aggregate_id", AGGREGATES),
        ("event_type", ("Started", "Stopped")),
    ):
        value = draw(st.sampled_from((*values, None)))
        if value is not None:
            members.append((key, write_document(value)))
    if draw(st.booleans()):
        members.append(("payload", draw(json_texts())))
    if draw(st.integers(0, 3)) == 0:
        members.append(("drain_blocked_reason", '"missing_auth"'))
    members = draw(st.permutations(members))
    if draw(st.integers(0, 9)) == 0:
        members = [*members, ("twice", "1"), ("twice", "2")]
    return _object(members)


def events(ids: Sequence[str] = IDS) -> st.SearchStrategy[Event]:
    """Return events, read from `envelopes`."""
    return envelopes(ids).map(read_event)


def respell(text: str) -> str:
    """Return *text* in other bytes that are canonically equal."""
    return " " + text.replace(":", " : ", 1) + "\n"


def _answers_by_id() -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries(
        {"status": st.sampled_from(_WORDS)},
        optional={
            "error": st.just("it does not fit"),
            "error_category": st.sampled_from(_REFUSALS),
        },
    )


def _request_rules() -> st.SearchStrategy[RequestRule]:
    statuses = st.sampled_from((200, 200, 200, 301, 400, 401, 410, 412, 413, 429, 500, 503))
    bodies = st.one_of(st.none(), st.sampled_from(("", "<html>", '{"results":[]}')))
    return st.builds(
        RequestRule,
        status=statuses,
        body=bodies,
        cut=st.sampled_from(("", "", "", "before", "after")),
    )


def scripts(ids: Sequence[str] = IDS) -> st.SearchStrategy[Script]:
    """Return what a receiver under test is told; many tell it nothing at all."""
    told = st.builds(
        Script,
        requests=st.one_of(st.just([]), st.lists(_request_rules(), max_size=3)),
        events=st.dictionaries(st.sampled_from(ids), _answers_by_id(), max_size=len(ids)),
        poison=st.one_of(st.just(frozenset()), st.frozensets(st.sampled_from(ids), max_size=2)),
        max_bytes=st.one_of(st.none(), st.none(), st.integers(40, 200)),
    )
    return st.one_of(st.builds(Script), told)


def _near_results(ids: Sequence[str]) -> st.SearchStrategy[Any]:
    odd: st.SearchStrategy[Any] = st.one_of(
        st.none(), st.integers(), st.text(max_size=3), st.just([])
    )
    item = st.fixed_dictionaries(
        {},
        optional={
            "event_id": st.one_of(st.sampled_from(ids), st.sampled_from(ids).map(str.lower), odd),
            "status": st.one_of(st.sampled_from(_WORDS), odd),
            "detail": odd,
            "error": odd,
            "reason": odd,
            "error_category": st.one_of(st.sampled_from(_REFUSALS), odd),
        },
    )
    return st.one_of(st.lists(st.one_of(item, odd), max_size=6), odd)


def _near_documents(ids: Sequence[str]) -> st.SearchStrategy[Any]:
    near = _near_results(ids)
    text = st.one_of(st.none(), st.integers(), st.sampled_from(("oversized", "too large", "no")))
    return st.fixed_dictionaries(
        {},
        optional={
            "results": near,
            "details": st.one_of(near, near.map(write_document)),
            "error": text,
            "limits": st.one_of(
                text,
                st.fixed_dictionaries(
                    {"max_decompressed_bytes_per_batch": st.one_of(st.integers(-1, 900), text)},
                    optional={"retry_after_max_seconds": st.sampled_from((0, 9, 10**400))},
                ),
            ),
            "retry_after_seconds": st.one_of(text, st.floats(-1, 1e30)),
            "sync_protocol": st.one_of(text, st.just({"upgrade_guidance": "upgrade"})),
        },
    )


def answers(ids: Sequence[str] = IDS) -> st.SearchStrategy[Answer]:
    """Return anything a server might say to a batch of *ids*, near-valid answers included."""
    likely = (200, 200, 202, 301, 400, 401, 403, 408, 410, 412, 413, 422, 429, 500, 503)
    documents = _near_documents(ids).map(write_document).map(str.encode)
    deep = st.just(b'{"results":' + b"[" * 100_000)
    return st.builds(
        Answer,
        status=st.one_of(st.sampled_from(likely), st.none(), st.integers(-1, 1_000)),
        headers=st.dictionaries(
            st.sampled_from(("Retry-After", "Date", "location", "content-type")),
            st.one_of(st.text(max_size=8), st.sampled_from(_TIMES)),
        ),
        body=st.one_of(documents, documents, documents, st.binary(max_size=20), deep),
        fault=st.text(max_size=5),
        reached=st.booleans(),
        is_whole=st.sampled_from((True, True, True, False)),
        exceeds=st.sampled_from((False, False, False, True)),
    )
