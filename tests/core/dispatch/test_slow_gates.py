"""A gate may take its time: what knows whether it is open may have to be asked."""

from collections.abc import Iterator
from contextlib import contextmanager

import attrs
import pytest

from eventsync_core.ledger import Lease
from eventsync_core.receivers import Gate, StubReceiver
from tests.core.dispatch.conftest import World


@attrs.define
class Asked(StubReceiver):
    """Notes, each time it is asked for its gates, how many leases are being kept."""

    kept: list[Lease] = attrs.field(factory=list)
    seen: list[int] = attrs.field(factory=list)

    def closed_gates(self) -> tuple[Gate, ...]:
        self.seen.append(len(self.kept))
        return ()


def test_a_lease_that_is_held_is_kept_while_gates_are_asked(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody else takes over because a token took longer than a lease lasts."""
    receiver = world.receiver = Asked(world.target.target_id)

    @contextmanager
    def kept(_: object, lease: Lease) -> Iterator[None]:
        receiver.kept.append(lease)
        yield
        receiver.kept.remove(lease)

    monkeypatch.setattr(type(world.stores.leases), "kept", kept)
    world.capture(3)

    assert world.drain().stopped_because == "caught_up"
    assert receiver.seen[0] == 0
    assert set(receiver.seen[1:]) == {1}
