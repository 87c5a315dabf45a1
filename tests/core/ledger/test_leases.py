"""When a lease may be taken over although the clock went astray."""

import pytest

from eventsync_core.clock import SECOND
from eventsync_core.ledger import LEASE_LENGTH, Holder, Lease, is_replaceable
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


@pytest.mark.parametrize(
    ("named", "boot", "expected"),
    [
        ("b1 pid:[1]", "b1 pid:[1]", True),
        ("b1", "b1 pid:[1]", True),
        ("b1 pid:[2]", "b1 pid:[1]", False),
        ("b2", "b1 pid:[1]", False),
        ("b1 pid:[1]", "b1", False),
        ("", "b1 pid:[1]", False),
    ],
)
def test_a_boot_may_be_named_without_the_container(
    named: str, boot: str, *, expected: bool
) -> None:
    """As programs before this one did; a dead holder of that name is replaced."""
    holder = Holder(pid=1, started_at=1, boot=named)
    lease = Lease(target_id="t", stream="s", token=1, holder=holder, expires_at=10)

    assert expected is is_replaceable(lease, at=5, boot=boot, is_alive=False)
