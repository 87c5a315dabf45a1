"""What events with one key do to one another."""

import pytest

from eventsync_core.ledger import LedgerEntry, Succession, succeed
from eventsync_core.ledger._superseding import may_be_superseded
from eventsync_core.receivers import Outcome

UNSEEN = [
    LedgerEntry(outcome=None),
    LedgerEntry(outcome=Outcome.TRANSIENT, attempts=3),
    LedgerEntry(outcome=Outcome.TERMINAL_FAILED),
]
SEEN = [
    *(LedgerEntry(outcome=row.outcome, seen=True) for row in UNSEEN),
    *(LedgerEntry(outcome=word) for word in Outcome if word not in {r.outcome for r in UNSEEN}),
]


def test_what_nobody_was_offered_may_be_superseded() -> None:
    """It has no row anywhere."""
    assert may_be_superseded([], in_flight=False)
    assert may_be_superseded(UNSEEN, in_flight=False)


def test_what_is_in_flight_may_not() -> None:
    """The server may be reading it now."""
    assert not may_be_superseded([], in_flight=True)


@pytest.mark.requirement("C7")
@pytest.mark.parametrize("row", SEEN)
def test_what_one_target_may_have_seen_may_not(row: LedgerEntry) -> None:
    """Whatever the others say, and whatever became of it since."""
    assert not may_be_superseded([*UNSEEN, row], in_flight=False)


def test_newcomers_supersede_the_earlier_and_one_another() -> None:
    """What was seen is closed for good; what flies stays open."""
    earlier = {1: UNSEEN, 2: [SEEN[0]], 3: [], 4: [], 5: [SEEN[0]]}

    found = succeed([7, 9], earlier, {3, 5})

    assert found == Succession(((1, 7), (4, 7), (7, 9)), (3, 9))
