"""How often a body was refused, when several logs count the same."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eventsync_core.bodies import BodyKey, UploadFailure
from eventsync_core.legacy import Provenance, RowKey
from eventsync_core.migration._counting import uncounted

_KEY = BodyKey(
    project_uuid="p",
    mission_slug="m",
    target_branch="b",
    mission_type="t",
    manifest_version="1",
    artifact_path="a",
    content_hash="h",
)


def _failure(first: int, count: int) -> UploadFailure:
    return UploadFailure(
        key=_KEY,
        reason="r",
        size_bytes=1,
        first_failed_at=first,
        last_failed_at=first + 9,
        count=count,
    )


def _taken(first: int, count: int, path: str = "a") -> Provenance:
    return Provenance(
        path=path,
        key=RowKey("log", 1, b""),
        event_id="x",
        queued_at=first,
        retry_count=count,
        taken_at=0,
    )


@pytest.mark.parametrize(
    ("known", "failure", "more"),
    [
        pytest.param([], (5, 3), 3, id="new"),
        pytest.param([(5, 3)], (5, 3), 0, id="read again, or a copy in another source"),
        pytest.param([(5, 3)], (5, 7), 4, id="counted on"),
        pytest.param([(5, 3), (5, 7)], (5, 7), 0, id="counted on, and read again"),
        pytest.param([(5, 7)], (5, 3), 0, id="an older copy"),
        pytest.param([(5, 7)], (6, 3), 3, id="made anew in a log that was emptied"),
        pytest.param([(5, 7), (6, 3)], (6, 4), 1, id="made anew and counted on"),
    ],
)
def test_the_rule(known: list[tuple[int, int]], failure: tuple[int, int], more: int) -> None:
    """Copies count once, with the highest count; another first time counts by itself."""
    assert uncounted(_failure(*failure), [_taken(*each) for each in known]) == more


@given(st.permutations([(1, 2), (1, 5), (2, 1), (2, 1), (3, 4)]), st.lists(st.integers(0, 4)))
def test_order_and_repetition_make_no_difference(
    rows: list[tuple[int, int]], again: list[int]
) -> None:
    """The sum is that of the highest counts of each."""
    known: list[Provenance] = []
    total = 0
    for row in [*rows, *(rows[place] for place in again)]:
        total += uncounted(_failure(*row), known)
        known.append(_taken(*row))

    assert total == 5 + 1 + 4
