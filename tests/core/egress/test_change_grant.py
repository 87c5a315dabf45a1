"""How a grant changes."""

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from eventsync_core.egress import Grant, change_grant, end_grant, rest_grant, verbs_between
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


def test_ending_a_grant_says_who_and_why() -> None:
    """Once: who ends it again changes nothing."""
    ended = end_grant(_BEFORE, actor="ann", reason="left", at=EPOCH + 1)

    assert ended == attrs.evolve(
        _BEFORE,
        revoked_at=EPOCH + 1,
        revoked_by="ann",
        revoked_reason="left",
        generation=5,
    )
    assert end_grant(ended, actor="bob", reason="too", at=EPOCH + 2) is ended
    assert change_grant(ended, _ASKED) == attrs.evolve(_ASKED, generation=6)


def test_a_rest_begins_and_ends_once() -> None:
    """The same reason again changes nothing, another one does."""
    resting = rest_grant(_BEFORE, "refused")

    assert resting == attrs.evolve(_BEFORE, paused="refused", generation=5)
    assert rest_grant(resting, "refused") is resting
    assert rest_grant(resting, "gone").generation == 6
    assert rest_grant(resting, "") == attrs.evolve(_BEFORE, generation=6)


@given(
    before=st.none() | st.builds(_grant, st.integers(0, 3)),
    steps=st.lists(st.sampled_from(("end", "rest", "go on", "grant", "widen")), max_size=6),
)
def test_every_change_has_a_verb_and_nothing_else_has(
    before: Grant | None, steps: list[str]
) -> None:
    """A verb stands for each change of the generation."""
    for step in steps:
        asked = _grant(0 if step == "widen" else 2)
        if step in ("grant", "widen"):
            after = change_grant(before, asked)
        elif before is None:
            continue
        elif step == "end":
            after = end_grant(before, actor="ann", reason="", at=EPOCH)
        else:
            after = rest_grant(before, "why" if step == "rest" else "")
        verbs = verbs_between(before, after)
        assert bool(verbs) is (before is None or after.generation > before.generation)
        assert len(set(verbs)) == len(verbs) <= 2
        before = after
