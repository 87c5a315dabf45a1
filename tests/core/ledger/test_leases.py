"""When a lease may be taken over although the clock went astray."""

import pytest

from eventsync_core.clock import SECOND
from eventsync_core.ledger import LEASE_LENGTH, Lease, is_replaceable
from eventsync_core.testing import EPOCH, HOLDER


@pytest.mark.parametrize(
    ("set_back", "is_alive", "expected"),
    [
        (3_600 * SECOND, None, True),
        (3_600 * SECOND, False, True),
        (3_600 * SECOND, True, False),
        (LEASE_LENGTH + 1, None, True),
        (LEASE_LENGTH, None, False),
        (1, None, False),
    ],
)
def test_a_clock_that_was_set_back_makes_nobody_wait(
    set_back: int, *, is_alive: bool | None, expected: bool
) -> None:
    """A lease that ends too late to have been taken now binds only to a holder known to live."""
    lease = Lease(
        target_id="t", stream="s", token=1, holder=HOLDER, expires_at=EPOCH + LEASE_LENGTH
    )

    at = EPOCH - set_back
    assert expected == is_replaceable(lease, at=at, boot="another", is_alive=is_alive)
