"""Many clients of one target, before and after an outage."""

import random
from bisect import bisect_left

import pytest

from eventsync_core.clock import MINUTE, SECOND
from eventsync_core.targets import BackOff, next_back_off, probe

_CLIENTS = 1_000
_OUTAGE = 10 * MINUTE
_SPAN = 60 * SECOND
_WINDOW = 10 * SECOND


def comes_back(chance: random.Random) -> int:
    """Return when one client sends its first request after the outage, which began at 0."""
    back_off, at = BackOff(), int(chance.random() * SECOND)
    while at < _OUTAGE:
        claimed = probe(back_off, at=at)
        assert claimed is not None
        back_off = next_back_off(claimed, at=at, chance=chance.random(), reason="503")
        at = back_off.retry_at
    return at - _OUTAGE


@pytest.mark.parametrize("seed", range(8))
def test_a_herd_spreads(seed: int) -> None:
    """All come within the cap, and in no ten seconds more than twice the mean."""
    chance = random.Random(seed)
    arrivals = sorted(comes_back(chance) for _ in range(_CLIENTS))
    mean = _CLIENTS * _WINDOW / _SPAN

    peak = max(
        bisect_left(arrivals, start + _WINDOW) - number for number, start in enumerate(arrivals)
    )

    assert arrivals[-1] <= _SPAN
    assert peak <= 2 * mean
