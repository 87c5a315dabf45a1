"""What one request may hold."""

from typing import Any

import pytest

from eventsync_core.clock import SECOND
from eventsync_core.targets import Limits, merge_limits, read_limits


def test_without_advice_the_defaults_hold() -> None:
    """1,000 events, 256 KiB to pack, 512 KiB at most."""
    limits = Limits()

    assert (limits.max_events, limits.packing_bytes, limits.hard_bytes) == (1000, 262144, 524288)


def test_an_advertised_limit_is_packed_to_nine_tenths() -> None:
    """And is the hard one."""
    limits = Limits(max_bytes=1_001)

    assert (limits.packing_bytes, limits.hard_bytes) == (900, 1_001)


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        ({"max_events_per_batch": 5}, Limits(max_events=5)),
        ({"max_events_per_batch": 5_000}, Limits(max_events=1_000)),
        ({"max_decompressed_bytes_per_batch": 29}, Limits(max_bytes=29)),
        ({"max_decompressed_bytes_per_batch": 28}, None),
        ({"max_events_per_batch": 9, "max_decompressed_bytes_per_batch": 1}, Limits(max_events=9)),
        ({"max_events_per_batch": 0, "max_decompressed_bytes_per_batch": 90}, Limits(max_bytes=90)),
        ({"retry_after_min_seconds": 2}, Limits(retry_least=2_000_000)),
        (
            {"retry_after_min_seconds": 0, "retry_after_max_seconds": 10**9},
            Limits(retry_most=86_400_000_000),
        ),
        ({"retry_after_max_seconds": 1.5}, None),
        ({"max_events_per_batch": True}, None),
        ({"max_events_per_batch": "5"}, None),
        ({"max_decompressed_bytes_per_batch": -1}, None),
        ({"max_decompressed_bytes_per_batch": 10**400}, Limits(max_bytes=2**31 - 1)),
        ({"max_events_per_batch": 10**400}, Limits()),
        ({"retry_after_min_seconds": 2}, Limits(retry_least=2 * SECOND)),
        ({"retry_after_max_seconds": 300}, Limits(retry_most=300 * SECOND)),
        ({"retry_after_max_seconds": 10**400}, Limits(retry_most=86_400 * SECOND)),
        ({"retry_after_min_seconds": 1.5, "retry_after_max_seconds": "9"}, None),
        ({}, None),
        (None, None),
        ([], None),
    ],
)
def test_limits_that_make_no_sense_are_none(document: Any, expected: Limits | None) -> None:
    """Only positive whole numbers count, and never more than 1,000 events."""
    assert expected == read_limits(document)


def test_what_a_server_leaves_open_stays_as_it_was() -> None:
    """A 413 that names one limit says nothing of the others."""
    known = Limits(max_events=10, max_bytes=1_000, retry_least=1, retry_most=9)

    assert merge_limits(known, None) == known
    assert merge_limits(known, Limits()) == known
    assert merge_limits(known, Limits(max_events=5)) == Limits(
        max_events=5, max_bytes=1_000, retry_least=1, retry_most=9
    )
    assert merge_limits(known, Limits(max_bytes=2_000, retry_most=8)) == Limits(
        max_events=10, max_bytes=2_000, retry_least=1, retry_most=8
    )


@pytest.mark.parametrize("size", [29, 300, 10**400])
def test_any_advertised_size_can_be_reckoned_with(size: int) -> None:
    """The packing budget is never larger than the limit."""
    limits = read_limits({"max_decompressed_bytes_per_batch": size})

    assert limits is not None
    assert 0 <= limits.packing_bytes <= limits.hard_bytes
