"""What is held of secrets is forgotten when it is turned away, and kept out of others' logs."""

import logging
from collections.abc import Callable, Mapping

import attrs
import pytest

from eventsync_adapters import machine
from eventsync_adapters.http import ExternalReceiver, TeamspaceReceiver, Transport
from eventsync_core.receivers import Answer, DeliveryReceiver
from eventsync_core.targets import Kind, make_target
from eventsync_core.testing import make_batch, make_event

TEAMSPACE = make_target(Kind.TEAMSPACE, "https://example.org", team="t")
EXTERNAL = make_target(Kind.EXTERNAL, "https://example.org/in")


@attrs.define
class Answering:
    """A transport whose other end answers everything with one status."""

    status: int
    secrets = ()

    def post(self, url: str, content: bytes, headers: Mapping[str, str]) -> Answer:
        return Answer(status=self.status, body=b"{}")

    def get(self, url: str, headers: Mapping[str, str]) -> Answer:
        return Answer(status=self.status, body=b"{}")


def _teamspace(status: int, forget: Callable[[], None]) -> DeliveryReceiver:
    return TeamspaceReceiver(
        TEAMSPACE, Answering(status), saas_enabled=True, token=lambda: "t", forget=forget
    )


def _external(status: int, forget: Callable[[], None]) -> DeliveryReceiver:
    return ExternalReceiver(EXTERNAL, Answering(status), forget=forget)


@pytest.mark.parametrize("make", [_teamspace, _external])
@pytest.mark.parametrize(
    ("status", "times"), [(401, 1), (403, 1), (200, 0), (400, 0), (407, 0), (500, 0)]
)
def test_a_receiver_forgets_what_was_turned_away(
    make: Callable[[int, Callable[[], None]], DeliveryReceiver], status: int, times: int
) -> None:
    """Whatever else came of it, and after no other answer."""
    forgotten: list[bool] = []
    receiver = make(status, lambda: forgotten.append(True))

    receiver.deliver(make_batch(receiver.target_id, make_event()))

    assert len(forgotten) == times


@pytest.mark.parametrize(("status", "times"), [(401, 1), (403, 1), (200, 0), (404, 0)])
def test_a_look_at_health_forgets_too(status: int, times: int) -> None:
    """The token is asked for again before events are sent."""
    forgotten: list[bool] = []

    _teamspace(status, lambda: forgotten.append(True)).health()

    assert len(forgotten) == times


def test_the_log_of_httpcore_is_left_as_it_was(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Headers of answers to others are logged meanwhile, if anyone listens."""
    caplog.set_level(logging.DEBUG)
    log = logging.getLogger("httpcore.http11")
    monkeypatch.setattr(log, "disabled", False)
    before = list(log.filters)

    with Transport(monotonic=machine.monotonic):
        log.debug("receive_response_headers.complete of another client")

    assert "of another client" in caplog.text
    assert log.filters == before
