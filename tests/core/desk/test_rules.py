"""What the acts of an operator make of an entry, and which entries are meant."""

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from eventsync_core.desk import Selection, matches
from eventsync_core.ledger import (
    Act,
    HistoryItem,
    LedgerEntry,
    Standing,
    fold,
    in_ranges,
    last_words,
    read_ranges,
    reopen,
    write_ranges,
)
from eventsync_core.receivers import Effect, Outcome
from eventsync_core.testing import EPOCH

_AT = EPOCH + 1_000
_ANSWERS = st.lists(
    st.tuples(st.sampled_from(list(Outcome)), st.sampled_from(list(Effect))), min_size=1, max_size=5
)


def _answered(answers: list[tuple[Outcome, Effect]]) -> LedgerEntry:
    row = None
    for number, (outcome, effect) in enumerate(answers, start=1):
        row = fold(row, outcome, effect, request_id=number, at=EPOCH + number)
    assert row is not None
    return row


@given(answers=_ANSWERS, act=st.sampled_from(list(Act)))
def test_an_act_keeps_all_that_was_counted(answers: list[tuple[Outcome, Effect]], act: Act) -> None:
    """Attempts, rejections, what may have been seen and the last request stay as they are."""
    before = _answered(answers)

    after = reopen(before, act, at=_AT)

    if after is not None:
        kept = ("attempts", "rejections", "seen", "request_id")
        assert [getattr(after, name) for name in kept] == [getattr(before, name) for name in kept]
        assert after.due_at is not None
        assert after.due_at <= _AT
        assert not after.is_settled


@given(answers=_ANSWERS)
def test_each_answered_entry_is_for_one_act(answers: list[tuple[Outcome, Effect]]) -> None:
    """Delivered ones are replayed in a new round, all others are retried in theirs."""
    before = _answered(answers)
    retried = reopen(before, Act.RETRIED, at=_AT)
    replayed = reopen(before, Act.DELIVERED_BEFORE, at=_AT)

    assert before.outcome is not None
    if before.outcome.is_delivered:
        assert retried is None
        assert replayed is not None
        assert (replayed.round, replayed.outcome) == (before.round + 1, None)
    else:
        assert replayed is None
        assert retried is not None
        assert retried.round == before.round


def test_what_was_never_answered_is_for_neither() -> None:
    """It is owed already."""
    owed = LedgerEntry(outcome=None, due_at=EPOCH)

    assert [reopen(owed, act, at=_AT) for act in Act] == [None, None]


@pytest.mark.requirement("L7")
@given(answers=_ANSWERS)
def test_a_retried_entry_goes_on_counting(answers: list[tuple[Outcome, Effect]]) -> None:
    """A transient answer after a retry is one more attempt and no rejection."""
    before = _answered(answers)
    retried = reopen(before, Act.RETRIED, at=_AT)
    if retried is None:
        return

    after = fold(retried, Outcome.TRANSIENT, Effect.NONE, request_id=99, at=_AT)

    assert (after.attempts, after.rejections) == (before.attempts + 1, before.rejections)
    assert after.outcome is Outcome.TRANSIENT


@pytest.mark.requirement("L10")
@given(answers=_ANSWERS)
def test_a_success_is_all_that_stands_afterwards(answers: list[tuple[Outcome, Effect]]) -> None:
    """Whatever was answered before the retry, it is delivered and never due."""
    before = _answered(answers)
    opened = reopen(before, Act.RETRIED, at=_AT) or before

    after = fold(opened, Outcome.SUCCESS, Effect.ANSWERED, request_id=99, at=_AT)

    assert after.outcome is not None
    assert after.outcome.is_delivered
    assert after.due_at is None


@given(positions=st.lists(st.integers(1, 30), unique=True), position=st.integers(1, 30))
def test_a_position_is_found_in_ranges(positions: list[int], position: int) -> None:
    """Just where reading them all would find it."""
    text = write_ranges(positions)

    assert in_ranges(text, position) is (position in read_ranges(text))


def test_an_answer_from_an_earlier_request_is_not_the_last() -> None:
    """Then only what was said of the batch counts."""
    row = LedgerEntry(outcome=Outcome.REJECTED, request_id=2)
    item = HistoryItem(
        target_id="t",
        request_id=1,
        at=EPOCH,
        outcome=Outcome.REJECTED,
        reason="old",
        category="word",
    )

    assert last_words(row, item, "") == ""
    assert last_words(row, attrs.evolve(item, request_id=2), "batch") == "old\nword\nbatch"
    assert last_words(row, None, "batch") == "batch"


_STANDING = Standing(
    position=3,
    event_id="e3",
    event_type="Started",
    captured_at=EPOCH,
    row=LedgerEntry(outcome=Outcome.REJECTED),
    said="No Such Thing\nschema_mismatch",
)
_ANY = frozenset(Outcome)


@pytest.mark.parametrize(
    ("selection", "expected"),
    [
        (Selection(outcomes=_ANY), True),
        (Selection(outcomes=frozenset({Outcome.REJECTED})), True),
        (Selection(outcomes=frozenset({Outcome.PENDING})), False),
        (Selection(outcomes=_ANY, reason="such thing"), True),
        (Selection(outcomes=_ANY, reason="SCHEMA"), True),
        (Selection(outcomes=_ANY, reason="other"), False),
        (Selection(outcomes=_ANY, types=frozenset({"Started", "Stopped"})), True),
        (Selection(outcomes=_ANY, types=frozenset({"Stopped"})), False),
        (Selection(outcomes=_ANY, captured_from=EPOCH), True),
        (Selection(outcomes=_ANY, captured_from=EPOCH + 1), False),
        (Selection(outcomes=_ANY, captured_until=EPOCH + 1), True),
        (Selection(outcomes=_ANY, captured_until=EPOCH), False),
        (Selection(outcomes=_ANY, positions=frozenset({("default", 3)})), True),
        (Selection(outcomes=_ANY, positions=frozenset({("other", 3)})), False),
        (Selection(outcomes=_ANY, reason="such", types=frozenset({"Stopped"})), False),
    ],
)
def test_all_that_is_asked_must_hold(selection: Selection, *, expected: bool) -> None:
    """Every part alone, and together."""
    assert matches(selection, "default", _STANDING) is expected
