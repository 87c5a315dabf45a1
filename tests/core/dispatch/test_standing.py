"""What a drain does with what it learns about its target."""

import attrs
import pytest

from eventsync_core.clock import SECOND
from eventsync_core.receivers import (
    Answer,
    Batch,
    RequestRule,
    Script,
    StubReceiver,
    Verdict,
    interpret,
)
from eventsync_core.targets import BackOff, Limits
from tests.core.dispatch.conftest import World


@attrs.define
class _Talkative(StubReceiver):
    """Its answers to more than two events are too large to be read."""

    def deliver(self, batch: Batch) -> Verdict:
        """See `DeliveryReceiver.deliver`."""
        verdict = super().deliver(batch)
        if len(batch.event_ids) <= 2:
            return verdict
        endless = Answer(status=200, body=b'{"results": [', is_whole=False, exceeds=True)
        return interpret(batch.event_ids, endless)


def test_answers_too_large_to_be_read_are_not_met_again_and_again(world: World) -> None:
    """What was learnt of it holds in the next process, until every answer can be read."""
    world.capture(16)

    for _ in range(4):
        world.receiver = _Talkative(world.target.target_id)
        world.clock.advance(2)
        left = world.drain().remaining_owed

    assert left == 0


def test_a_target_is_asked_for_its_limits_before_the_first_request(world: World) -> None:
    """They hold for the batches of this drain, and are asked for again after 15 minutes only."""
    limits = {"max_events_per_batch": 2}
    world.receiver.health_document = {"sync_ingress": {"limits": limits}}
    world.clock.advance(3600)
    world.capture(5)

    world.drain()

    assert [len(ids) for ids in world.sent()] == [2, 2, 1]
    assert world.stores.targets.get(world.target.target_id).limits == Limits(max_events=2)
    world.receiver.health_document = None
    world.clock.advance(60)
    assert world.drain().requests == 0
    assert world.stores.targets.get(world.target.target_id).limits == Limits(max_events=2)


def test_a_reset_target_is_noted(world: World) -> None:
    """Another instance under the same address, told by its health answer."""
    for number, name in enumerate(("s1", "s2")):
        world.receiver.health_document = {"server_instance_id": name}
        world.clock.advance(3600)
        world.capture_these([f'{{"event_id": "x{number}"}}'])
        world.drain()

    reset = world.stores.targets.get(world.target.target_id).reset
    assert reset is not None
    assert reset.changed_fields == ("server_instance_id",)


def test_a_reset_is_noted_although_nothing_is_owed(world: World) -> None:
    """That is when it matters: the new instance has nothing of what was delivered."""
    world.capture(1)
    for name in ("s1", "s2"):
        world.receiver.health_document = {"server_instance_id": name}
        world.clock.advance(3600)
        report = world.drain()

    assert report.requests == 0
    assert world.stores.targets.get(world.target.target_id).reset is not None


def test_faults_in_a_row_wait_longer_and_one_success_ends_them(world: World) -> None:
    """Without chance each wait is the longest: one second, two, four."""
    world.capture(1)
    world.tell(Script(requests=[RequestRule(status=503)] * 3))
    waits = []
    for _ in range(3):
        report = world.drain()
        assert report.retry_at is not None
        waits.append(round((report.retry_at - world.clock.now) / SECOND))
        assert world.drain().requests == 0
        world.clock.now = report.retry_at

    assert waits == [1, 2, 4]
    assert world.drain().counts()["delivered"] == 1
    assert world.stores.targets.get(world.target.target_id).back_off.failures == 0


@pytest.mark.requirement("D12")
def test_a_server_decides_how_long_it_is_left_alone(world: World) -> None:
    """Seconds and dates alike; nothing is sent before."""
    date = {"Retry-After": "Tue, 14 Nov 2023 22:23:20 GMT", "Date": "Tue, 14 Nov 2023 22:13:20 GMT"}
    for headers in ({"Retry-After": "600"}, date):
        world.stores.targets.set_back_off(world.target.target_id, BackOff())
        world.capture_these([f'{{"event_id": "r{len(headers)}"}}'])
        world.tell(Script(requests=[RequestRule(status=429, headers=headers)]))
        report = world.drain()
        world.sent()
        world.clock.advance(599)

        assert report.retry_at is not None
        assert world.drain().requests == 0
        world.clock.now = report.retry_at
        assert world.drain().requests == 1


def test_after_many_faults_one_event_finds_out(world: World) -> None:
    """The probe is small; once it is taken, everything goes."""
    world.capture(8)
    world.tell(Script(requests=[RequestRule(status=503)] * 5))
    for _ in range(5):
        world.drain()
        world.clock.advance(60)
    world.sent()

    assert world.drain().counts()["delivered"] == 8
    assert [len(ids) for ids in world.sent()] == [1, 7]
