"""What a server says of itself, and when it is another than before."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eventsync_core.ingest import answer_health
from eventsync_core.targets import (
    Deployment,
    Health,
    Kind,
    Limits,
    make_target,
    observe,
    read_health,
)
from eventsync_core.targets._rules import detect_reset

SECOND = 1_000_000
_SERVER = Deployment(
    server_instance_id="s1", deployment_id="d1", environment_name="prod", git_sha="abc"
)


def test_our_own_server_is_understood() -> None:
    """What `eventsync serve` answers says who it is and what a request may hold."""
    assert read_health(answer_health(_SERVER)) == Health(
        deployment=_SERVER,
        limits=Limits(
            max_events=1_000,
            max_bytes=524_288,
            retry_least=1 * SECOND,
            retry_most=300 * SECOND,
        ),
    )


@pytest.mark.parametrize(
    "document",
    [
        None,
        [],
        "text",
        {},
        answer_health(Deployment()) | {"sync_ingress": None},
        {"server_instance_id": 7, "git_sha": "", "environment_name": " \n"},
        {"sync_ingress": {"limits": {"max_events_per_batch": -1}}},
        {"sync_ingress": {"limits": []}},
    ],
)
def test_what_makes_no_sense_is_not_said(document: Any) -> None:
    """Neither facts nor limits."""
    assert read_health(document) == Health()


def test_facts_are_one_short_line() -> None:
    """Whatever a server writes into them."""
    facts = read_health(
        {"server_instance_id": "a\x1b[31m\nb\ud800", "git_sha": "c" * 1_000}
    ).deployment

    assert facts is not None
    assert facts.server_instance_id == "a [31m b"
    assert facts.git_sha == "c" * 199 + "…"


def test_no_limit_is_too_large_to_keep() -> None:
    """Numbers beyond all use are bounded."""
    names = ("max_decompressed_bytes_per_batch", "retry_after_min_seconds")
    limits = read_health({"sync_ingress": {"limits": dict.fromkeys(names, 10**400)}}).limits

    assert limits is not None
    assert (limits.max_bytes, limits.retry_least) == (2**31 - 1, 86_400 * SECOND)
    assert limits.packing_bytes < limits.hard_bytes


_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ("server_instance_id", "git_sha", "sync_ingress", "limits", "max_events_per_batch")
            ),
            inner,
        )
    ),
)


@given(_json)
def test_any_document_is_read(document: Any) -> None:
    """It never raises, and what is kept is printable."""
    facts = read_health(document).deployment

    assert facts is None or all(
        text is None or text.isprintable()
        for text in (facts.server_instance_id, facts.git_sha, facts.environment_name)
    )


@pytest.mark.requirement("R10")
@pytest.mark.parametrize(
    ("now", "changed"),
    [
        (_SERVER, ()),
        (Deployment(server_instance_id="s1", deployment_id="d2", git_sha="def"), ()),
        (Deployment(server_instance_id="s2"), ("server_instance_id",)),
        (Deployment(environment_name="test"), ("environment_name",)),
        (
            Deployment(server_instance_id="s2", environment_name="test", git_sha="abc"),
            ("server_instance_id", "environment_name"),
        ),
        (Deployment(git_sha="def"), ()),
        (None, ()),
    ],
)
def test_instance_and_environment_tell_a_reset(
    now: Deployment | None, changed: tuple[str, ...]
) -> None:
    """A deployment id or a commit does not, nor a fact that one side does not name."""
    assert detect_reset(_SERVER, now) == changed


@pytest.mark.requirement("R10")
def test_the_first_facts_are_no_reset() -> None:
    """There is nothing they could differ from."""
    assert detect_reset(None, _SERVER) == ()
    assert detect_reset(Deployment(), _SERVER) == ()
    target = make_target(Kind.TEAMSPACE, "https://one.example")
    assert observe(target, Health(deployment=_SERVER), at=1).reset is None
