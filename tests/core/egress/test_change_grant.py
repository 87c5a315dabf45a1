"""How a grant changes."""

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from eventsync_core.egress import Grant, change_grant
from eventsync_core.testing import EPOCH


def _grant(from_position: int, *, actor: str = "me", at: int = EPOCH) -> Grant:
    return Grant(
        target_id="t",
        stream="s",
        from_position=from_position,
        generation=1,
        actor=actor,
        reason=f"by {actor}",
        granted_at=at,
    )


_BEFORE = attrs.evolve(_grant(5), generation=4)
_ASKED = _grant(2, actor="other", at=EPOCH + 1)


def test_the_first_grant_is_the_one_asked_for() -> None:
    """Nothing stood there."""
    assert change_grant(None, _ASKED) == _ASKED


def test_a_live_grant_is_widened() -> None:
    """Date, actor and reason stay, the generation grows."""
    assert change_grant(_BEFORE, _ASKED) == attrs.evolve(_BEFORE, from_position=2, generation=5)


@pytest.mark.parametrize("from_position", [5, 9])
def test_a_live_grant_is_not_narrowed(from_position: int) -> None:
    """Nothing changes at all."""
    assert change_grant(_BEFORE, _grant(from_position)) == _BEFORE


def test_a_rest_ends() -> None:
    """Even when nothing is widened, with a new generation."""
    paused = attrs.evolve(_BEFORE, paused="not admitted")

    assert change_grant(paused, _grant(9)) == attrs.evolve(_BEFORE, generation=5)


def test_a_revoked_grant_is_renewed_as_asked() -> None:
    """Any rest is gone, and the generation is new."""
    revoked = attrs.evolve(_BEFORE, revoked_at=EPOCH, paused="not admitted")

    assert change_grant(revoked, _grant(9)) == attrs.evolve(_grant(9), generation=5)


@given(st.integers(0, 9), st.integers(0, 9), st.booleans(), st.booleans())
def test_a_changed_grant_has_a_new_generation(
    old: int, new: int, is_live: object, is_paused: object
) -> None:
    """Equal generations mean equal grants."""
    before = attrs.evolve(
        _grant(old), revoked_at=None if is_live else EPOCH, paused="why" if is_paused else ""
    )

    after = change_grant(before, _grant(new))

    assert (after == before) == (after.generation == before.generation)
    assert after.is_live
    assert not after.paused
