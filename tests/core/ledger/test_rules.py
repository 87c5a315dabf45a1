"""The rules every ledger calls."""

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from eventsync_core.clock import DAY, MINUTE, SECOND
from eventsync_core.ledger import (
    Holder,
    Lane,
    Lease,
    LedgerEntry,
    effect_of,
    fold,
    is_replaceable,
    let_wait,
    lost,
)
from eventsync_core.receivers import Effect, Next, Outcome, Verdict
from eventsync_core.testing import EPOCH, HOLDER

_SETTLED = [outcome for outcome in Outcome if outcome.is_settled]
_OPEN = [outcome for outcome in Outcome if not outcome.is_settled]
_LEASE = Lease(target_id="t", stream="s", token=1, holder=HOLDER, expires_at=EPOCH)


def _folded(*outcomes: Outcome) -> LedgerEntry:
    entry: LedgerEntry | None = None
    for number, outcome in enumerate(outcomes, start=1):
        entry = fold(entry, outcome, Effect.NONE, request_id=number, at=EPOCH)
    assert entry is not None
    return entry


@pytest.mark.requirement("L11")
@pytest.mark.parametrize("late", list(Outcome))
@pytest.mark.parametrize("settled", _SETTLED)
def test_no_answer_reopens_a_settled_entry(settled: Outcome, late: Outcome) -> None:
    """Only its attempts are counted on."""
    before = _folded(settled)

    assert _folded(settled, late) == attrs.evolve(before, attempts=2)


@pytest.mark.parametrize("settled", _SETTLED)
def test_a_settled_entry_is_not_due(settled: Outcome) -> None:
    """Whatever came before."""
    assert _folded(Outcome.TRANSIENT, settled).due_at is None


@pytest.mark.parametrize(
    ("outcome", "wait"),
    [
        (Outcome.TRANSIENT, 1),
        (Outcome.REJECTED, SECOND),
        (Outcome.UNKNOWN_EFFECT, SECOND),
        (Outcome.PENDING, 5 * MINUTE),
    ],
)
def test_when_an_open_entry_is_due(outcome: Outcome, wait: int) -> None:
    """Transient at once, rejected and unknown a second later, pending after five minutes."""
    assert _folded(outcome).due_at == EPOCH + wait


def test_a_pending_wait_doubles_up_to_a_day() -> None:
    """Five minutes, ten, and so on to 24 hours; another answer starts it afresh."""
    waits = [_folded(*[Outcome.PENDING] * times).wait for times in range(1, 12)]

    assert waits == [min(5 * MINUTE * 2**n, DAY) for n in range(11)]
    assert _folded(Outcome.PENDING, Outcome.REJECTED, Outcome.PENDING).wait == 5 * MINUTE


@pytest.mark.requirement("L7")
def test_only_rejections_count_as_such() -> None:
    """Each request is an attempt."""
    entry = _folded(Outcome.REJECTED, Outcome.TRANSIENT, Outcome.UNKNOWN_EFFECT, Outcome.REJECTED)

    assert (entry.attempts, entry.rejections) == (4, 2)


def test_what_came_without_a_request_is_no_attempt() -> None:
    """Parking counts nothing."""
    entry = fold(None, Outcome.TERMINAL_FAILED, Effect.NONE, request_id=0, at=EPOCH)

    assert (entry.attempts, entry.seen) == (0, False)


@given(st.lists(st.tuples(st.sampled_from(_OPEN), st.sampled_from(Effect)), min_size=1))
def test_seen_once_is_seen_for_good(answers: list[tuple[Outcome, Effect]]) -> None:
    """From the first attempt that may have had an effect."""
    entry: LedgerEntry | None = None
    for outcome, effect in answers:
        entry = fold(entry, outcome, effect, request_id=1, at=EPOCH)

    assert entry is not None
    assert entry.seen == any(effect is not Effect.NONE for _, effect in answers)


@given(st.lists(st.sampled_from(Outcome), min_size=1, max_size=8))
def test_the_last_answer_before_settling_stands(outcomes: list[Outcome]) -> None:
    """The first settled one stays; without one the last counts."""
    settled = [outcome for outcome in outcomes if outcome.is_settled]

    assert _folded(*outcomes).outcome is (settled or outcomes[-1:])[0]


def test_only_rejected_entries_stand_in_the_last_lane() -> None:
    """All others, and owed ones, are in the first."""
    lanes = {outcome for outcome in _OPEN if _folded(outcome).lane is Lane.REJECTED}

    assert lanes == {Outcome.REJECTED}
    assert LedgerEntry(outcome=None).lane is Lane.FIRST


@pytest.mark.parametrize("outcome", [None, *_OPEN])
def test_a_lost_request_is_of_unknown_effect_and_due_at_once(outcome: Outcome | None) -> None:
    """It counts as an attempt that may have been seen."""
    before = None if outcome is None else _folded(outcome)

    entry = lost(before, request_id=9, at=EPOCH)

    assert (entry.outcome, entry.due_at, entry.seen) == (Outcome.UNKNOWN_EFFECT, EPOCH, True)


@pytest.mark.parametrize("settled", _SETTLED)
def test_what_is_settled_is_neither_lost_nor_made_to_wait(settled: Outcome) -> None:
    """It stays settled and is never due."""
    before = _folded(settled)

    assert lost(before, request_id=9, at=EPOCH).due_at is None
    assert let_wait(before, due_at=EPOCH) == before


def test_waiting_moves_only_the_due_time() -> None:
    """Without a row there is an owed one."""
    before = _folded(Outcome.REJECTED)

    assert let_wait(before, due_at=5) == attrs.evolve(before, due_at=5)
    assert let_wait(None, due_at=5) == LedgerEntry(outcome=None, due_at=5)


@pytest.mark.parametrize(
    ("outcome", "expected"),
    [
        (Outcome.TRANSIENT, Effect.NONE),
        (Outcome.UNKNOWN_EFFECT, Effect.UNKNOWN),
        (Outcome.TERMINAL_FAILED, Effect.NONE),
        (Outcome.SUCCESS, Effect.ANSWERED),
        (Outcome.DUPLICATE, Effect.ANSWERED),
        (Outcome.PENDING, Effect.ANSWERED),
        (Outcome.REJECTED, Effect.ANSWERED),
    ],
)
def test_the_effect_on_one_event(outcome: Outcome, expected: Effect) -> None:
    """The request's own where it was not answered by itself."""
    verdict = Verdict(outcomes=(outcome,), next=Next.GO_ON, effect=Effect.NONE)

    assert effect_of(verdict, 0) is expected


@pytest.mark.parametrize(
    ("late", "boot", "is_alive", "expected"),
    [
        (0, "boot", True, True),
        (0, "other", None, True),
        (-1, "boot", False, True),
        (-1, "boot", True, False),
        (-1, "boot", None, False),
        (-1, "other", False, False),
    ],
)
def test_who_may_be_replaced(
    late: int, boot: str, *, is_alive: bool | None, expected: bool
) -> None:
    """A dead holder on this machine at once, anyone else when the lease has run out."""
    assert expected == is_replaceable(_LEASE, at=EPOCH + late, boot=boot, is_alive=is_alive)


def test_a_holder_is_its_process_and_boot() -> None:
    """A pid that is used again is another holder."""
    assert Holder(pid=1, started_at=2, boot="boot") != HOLDER
