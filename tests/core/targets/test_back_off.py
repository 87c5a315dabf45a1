"""How long a failing target is left alone, and who may try it again."""

from math import sqrt

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from eventsync_core.clock import DAY, MINUTE, SECOND
from eventsync_core.targets import (
    BackOff,
    Breaker,
    next_back_off,
    probe,
)
from eventsync_core.targets._back_off import PROBE_EVENTS, PROBE_LENGTH

AT = 1_700_000_000_000_000
_ALMOST = 1 - 2**-53
_CAP = 60 * SECOND

chances = st.floats(0, 1, exclude_max=True)
waits = st.none() | st.integers(-(10**30), 10**30)


def fault(before: BackOff, *, at: int = AT, chance: float = _ALMOST, asked: int | None = None):
    """Return what holds after one more fault, with the longest wait unless told otherwise."""
    return next_back_off(before, at=at, chance=chance, asked=asked, reason="503")


def after(faults: int) -> BackOff:
    """Return what holds after so many faults in a row, each as soon as it may come."""
    back_off, at = BackOff(), AT
    for _ in range(faults):
        back_off = fault(back_off, at=at)
        at = back_off.retry_at
    return attrs.evolve(back_off, retry_at=AT)


@pytest.mark.parametrize(
    ("faults", "seconds"), [(1, 1), (2, 2), (3, 4), (4, 8), (5, 16), (6, 32), (7, 60), (50, 60)]
)
def test_the_longest_wait_doubles_up_to_the_cap(faults: int, seconds: int) -> None:
    """From one second to sixty."""
    wait = fault(after(faults - 1)).retry_at - AT

    assert seconds * SECOND - 1 <= wait <= seconds * SECOND


@pytest.mark.parametrize("chance", [0.0, 0.25, 0.5])
def test_the_cap_comes_before_the_jitter(chance: float) -> None:
    """After many faults waits still spread over the whole of it."""
    wait = fault(after(40), chance=chance).retry_at - AT

    assert wait == int(sqrt(chance) * _CAP)


def test_what_the_server_asks_for_comes_before_the_jitter() -> None:
    """Clients that were told the same do not come back together."""
    waits = {fault(BackOff(), asked=5 * SECOND, chance=c).retry_at - AT for c in (0.0, 0.25)}

    assert waits == {5 * SECOND, 5 * SECOND + SECOND // 2}


@pytest.mark.parametrize(
    ("asked", "least", "most", "seconds"),
    [
        (0, None, None, 1),
        (-5 * SECOND, None, None, 1),
        (10 * DAY, None, None, 3_600),
        (2 * SECOND, 10 * SECOND, None, 10),
        (20 * SECOND, None, 10 * SECOND, 10),
        (5 * SECOND, 60 * SECOND, 10 * SECOND, 60),
        (10**30, None, 10**30, 86_400),
        (0, 10**30, None, 86_400),
    ],
)
def test_the_server_asks_within_bounds(
    asked: int, least: int | None, most: int | None, seconds: int
) -> None:
    """A second to an hour, or what it advertises, which is never more than a day."""
    back_off = next_back_off(
        BackOff(), at=AT, chance=0.0, asked=asked, least=least, most=most, reason="429"
    )

    assert back_off.retry_at - AT == seconds * SECOND


@given(
    st.integers(0, 2**62), st.integers(-DAY, 2 * DAY), st.integers(-DAY, DAY), chances, waits, waits
)
def test_a_late_fault_never_shortens_a_wait(
    failures: int, wait: int, later: int, chance: float, asked: int | None, most: int | None
) -> None:
    """However many faults there were and whatever is asked; and no wait is without end."""
    before = BackOff(failures=failures, retry_at=AT + wait)
    at = AT + later

    now = next_back_off(before, at=at, chance=chance, asked=asked, most=most, reason="x")

    assert now.failures == failures + 1
    assert at <= now.retry_at <= max(before.retry_at, at + DAY + _CAP)
    if before.breaker(at=at) is Breaker.OPEN:
        assert now.retry_at >= before.retry_at


def test_a_success_clears_it() -> None:
    """Without faults anyone may send, and nothing is to be claimed."""
    clear = BackOff()

    assert clear.breaker(at=AT) is Breaker.CLOSED
    assert probe(clear, at=AT) == clear


def test_after_a_fault_nothing_is_sent_until_the_wait_is_over() -> None:
    """Then the breaker is half open."""
    back_off = fault(BackOff())

    assert back_off.breaker(at=back_off.retry_at - 1) is Breaker.OPEN
    assert probe(back_off, at=back_off.retry_at - 1) is None
    assert back_off.breaker(at=back_off.retry_at) is Breaker.HALF_OPEN


def test_one_drain_claims_the_probe() -> None:
    """To the others the breaker is open until the probe must have ended."""
    back_off = after(3)
    claimed = probe(back_off, at=AT)

    assert claimed is not None
    assert probe(claimed, at=AT) is None
    assert probe(claimed, at=AT + PROBE_LENGTH - 1) is None
    assert probe(claimed, at=AT + PROBE_LENGTH) is not None


def test_a_probe_that_fails_sets_the_wait_alone() -> None:
    """Its claim does not lengthen the wait of the fault it met."""
    claimed = probe(after(6), at=AT)
    assert claimed is not None

    again = fault(claimed, at=AT + SECOND, chance=0.25)

    assert again.retry_at == AT + 31 * SECOND
    assert again.breaker(at=again.retry_at) is Breaker.HALF_OPEN


def test_from_five_faults_on_a_probe_is_small() -> None:
    """Before that it carries what fits."""
    assert [after(n).probe_events for n in (0, 4, 5, 99)] == [None, None, PROBE_EVENTS, 1]


@pytest.mark.parametrize("field", ["retry_at", "probe_until"])
def test_a_clock_set_back_does_not_silence_a_target(field: str) -> None:
    """A wait longer than any that is set is over, and does not outlast the next fault."""
    far = AT + 400 * DAY
    strange = {
        "retry_at": BackOff(failures=1, retry_at=far),
        "probe_until": BackOff(failures=1, probe_until=far),
    }[field]

    assert probe(strange, at=AT) is not None
    assert fault(strange).retry_at < AT + MINUTE


def test_the_last_fault_tells_whether_there_was_no_connection() -> None:
    """A probe changes nothing of it; the next fault does."""
    first = next_back_off(BackOff(), at=AT, chance=0.0, reason="refused", no_connection=True)
    claimed = probe(first, at=AT)

    assert claimed is not None
    assert (first.no_connection, claimed.no_connection) == (True, True)
    assert not fault(claimed).no_connection
