"""Every entry is in exactly one class."""

from itertools import product

import pytest

from eventsync_core.census import Class, Facts, Group, Tally, classify, remaining
from eventsync_core.events import Hold
from eventsync_core.receivers import Outcome


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        (Facts(), Class.OWED),
        (Facts(outcome=Outcome.SUCCESS), Class.DELIVERED),
        (Facts(outcome=Outcome.DUPLICATE), Class.DELIVERED),
        (Facts(outcome=Outcome.TERMINAL_FAILED), Class.TERMINAL_FAILED),
        (Facts(outcome=Outcome.UNKNOWN_EFFECT), Class.UNKNOWN_EFFECT),
        (Facts(outcome=Outcome.PENDING), Class.PENDING),
        (Facts(outcome=Outcome.REJECTED), Class.REJECTED),
        (Facts(outcome=Outcome.TRANSIENT), Class.IN_BACKOFF),
        (Facts(in_flight=True), Class.IN_FLIGHT),
        (Facts(in_flight=False), Class.UNKNOWN_EFFECT),
        (Facts(superseded=True), Class.SUPERSEDED),
        (Facts(hold=Hold.LOCAL_ONLY), Class.LOCAL_ONLY),
        (Facts(hold=Hold.INVALID), Class.HELD),
        (Facts(hold=Hold.OPERATOR), Class.HELD),
        (Facts(is_granted=False), Class.NOT_GRANTED),
    ],
)
def test_each_fact_alone(facts: Facts, expected: Class) -> None:
    """One fact, one class."""
    assert classify(facts) is expected


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        (
            Facts(outcome=Outcome.SUCCESS, in_flight=True, hold=Hold.OPERATOR, is_granted=False),
            Class.DELIVERED,
        ),
        (Facts(outcome=Outcome.TERMINAL_FAILED, in_flight=True), Class.TERMINAL_FAILED),
        (
            Facts(outcome=Outcome.REJECTED, in_flight=True, hold=Hold.OPERATOR, is_granted=False),
            Class.IN_FLIGHT,
        ),
        (Facts(outcome=Outcome.TERMINAL_FAILED, superseded=True), Class.TERMINAL_FAILED),
        (Facts(in_flight=True, superseded=True), Class.IN_FLIGHT),
        (
            Facts(
                outcome=Outcome.TRANSIENT,
                in_flight=False,
                superseded=True,
                hold=Hold.OPERATOR,
                is_granted=False,
            ),
            Class.SUPERSEDED,
        ),
        (Facts(outcome=Outcome.PENDING, hold=Hold.LOCAL_ONLY, is_granted=False), Class.LOCAL_ONLY),
        (Facts(outcome=Outcome.PENDING, hold=Hold.OPERATOR, is_granted=False), Class.HELD),
        (Facts(outcome=Outcome.PENDING, in_flight=False, is_granted=False), Class.NOT_GRANTED),
        (Facts(outcome=Outcome.REJECTED, in_flight=False), Class.UNKNOWN_EFFECT),
    ],
)
def test_the_first_that_applies(facts: Facts, expected: Class) -> None:
    """In the order in which the classes are named."""
    assert classify(facts) is expected


def test_every_combination_has_a_class() -> None:
    """No facts are left out."""
    found = {
        classify(
            Facts(outcome=outcome, in_flight=flight, superseded=gone, hold=hold, is_granted=granted)
        )
        for outcome, flight, gone, hold, granted in product(
            [None, *Outcome], (None, True, False), (True, False), [None, *Hold], (True, False)
        )
    }

    absent = {Class.ARCHIVED_OR_PURGED_UNDELIVERED}
    assert found == set(Class) - absent


def test_classes_are_named_in_order_of_precedence() -> None:
    """The order is part of the promise."""
    assert list(Class) == [
        "delivered",
        "terminal_failed",
        "in_flight",
        "quarantined",
        "superseded",
        "archived_or_purged_undelivered",
        "local_only",
        "held",
        "not_granted",
        "unknown_effect",
        "pending",
        "rejected",
        "in_backoff",
        "owed",
    ]


def test_a_tally_adds_its_groups() -> None:
    """Every class is named, those without entries too."""
    groups = [Group(Facts(), 2), Group(Facts(outcome=Outcome.SUCCESS), 3), Group(Facts(), 1)]

    counts = Tally(captured=6, groups=groups).classes()

    assert counts == {**dict.fromkeys(Class, 0), Class.OWED: 3, Class.DELIVERED: 3}


@pytest.mark.parametrize(
    ("captured", "counts", "expected"),
    [(3, [1, 2], True), (0, [], True), (4, [1, 2], False), (1, [2, -1], False)],
)
def test_a_mismatch_is_seen(captured: int, counts: list[int], *, expected: bool) -> None:
    """Coherent means that the sum is what was captured, and nothing is negative."""
    tally = Tally(captured=captured, groups=[Group(Facts(), count) for count in counts])

    assert expected == tally.is_coherent


def test_what_remains() -> None:
    """Owed, in back-off, of unknown effect and rejected; not pending, not held."""
    one_each = dict.fromkeys(Class, 1)
    counted = {name for name in Class if remaining({**one_each, name: 2}) == 5}

    assert remaining(one_each) == 4
    assert counted == {Class.OWED, Class.IN_BACKOFF, Class.UNKNOWN_EFFECT, Class.REJECTED}
