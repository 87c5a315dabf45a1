"""What may leave: deny by default."""

import attrs
import pytest

from eventsync_core.egress import Grant, Refusal, permit
from eventsync_core.receivers import Gate, Permit
from eventsync_core.testing import EPOCH, make_stub_target

_TARGET = make_stub_target()
_GRANT = Grant(
    target_id=_TARGET.target_id,
    stream="s",
    from_position=0,
    generation=3,
    actor="me",
    reason="test",
    granted_at=EPOCH,
)


def test_a_live_grant_with_open_gates_is_enough() -> None:
    """The permit names target, stream and generation."""
    assert permit(_TARGET, _GRANT, []) == Permit(_TARGET.target_id, "s", 3)


@pytest.mark.parametrize(
    "grant",
    [
        None,
        attrs.evolve(_GRANT, revoked_at=EPOCH),
        attrs.evolve(_GRANT, target_id=make_stub_target("two").target_id),
    ],
)
def test_without_a_live_grant_for_this_target_nothing_leaves(grant: Grant | None) -> None:
    """None, a revoked one and one for another target are the same refusal."""
    answer = permit(_TARGET, grant, [])

    assert isinstance(answer, Refusal)
    assert (answer.code, answer.stop) == ("no_grant", "no_grant")


@pytest.mark.parametrize("gate", [gate for gate in Gate if gate is not Gate.NO_GRANT])
def test_a_closed_gate_refuses_by_its_word(gate: Gate) -> None:
    """With one line each of message and fix."""
    answer = permit(_TARGET, _GRANT, [gate, Gate.MISSING_AUTH])

    assert isinstance(answer, Refusal)
    assert (answer.code, answer.stop) == (gate.value, f"gate:{gate.value}")
    assert answer.message
    assert answer.fix


@pytest.mark.parametrize(
    ("target", "grant"),
    [
        (attrs.evolve(_TARGET, paused="it is gone"), _GRANT),
        (_TARGET, attrs.evolve(_GRANT, paused="not admitted")),
    ],
)
def test_a_rest_refuses(target: object, grant: Grant) -> None:
    """Of the target or of the grant, with its reason, and before any gate."""
    assert isinstance(target, type(_TARGET))

    answer = permit(target, grant, [Gate.MISSING_AUTH])

    assert isinstance(answer, Refusal)
    assert (answer.code, answer.stop) == ("paused", "paused")
    assert (target.paused or grant.paused) in answer.message
