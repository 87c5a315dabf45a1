"""Positions as text."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eventsync_core.ledger import read_ranges, spans, write_ranges


@pytest.mark.parametrize(
    ("positions", "text"),
    [
        ([], ""),
        ([7], "7"),
        ([1, 2], "1-2"),
        ([*range(1, 241), 243], "1-240,243"),
        ([3, 2, 1], "3,2,1"),
        ([5, 6, 1, 2, 9], "5-6,1-2,9"),
    ],
)
def test_runs_are_written_as_ranges(positions: list[int], text: str) -> None:
    """In the order given."""
    assert text == write_ranges(positions)


@given(st.lists(st.integers(1, 30)))
def test_what_is_written_is_read(positions: list[int]) -> None:
    """Whatever the order, repetitions included."""
    assert positions == read_ranges(write_ranges(positions))


@given(st.lists(st.integers(1, 30)))
def test_spans_cover_the_positions(positions: list[int]) -> None:
    """Each run once, in order."""
    covered = [place for first, last in spans(positions) for place in range(first, last + 1)]

    assert positions == covered
