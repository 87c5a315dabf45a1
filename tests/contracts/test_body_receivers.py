"""Every receiver of bodies keeps the promises of `BodyReceiver`."""

import json
import time
from collections.abc import Iterator

import pytest

from eventsync_adapters import machine
from eventsync_adapters.http import TeamspaceReceiver, Transport
from eventsync_adapters.server import Serving, serve
from eventsync_core.bodies import StubBodyReceiver
from eventsync_core.receivers import Script
from eventsync_core.targets import Kind, make_target
from eventsync_core.testing import BodyReceiverContract, make_stub_target


@pytest.fixture
def script() -> Script:
    """Return what the other end obeys."""
    return Script()


class TestStubBodyReceiver(BodyReceiverContract):
    """It answers in memory."""

    @pytest.fixture
    def body_receiver(self, script: Script) -> StubBodyReceiver:
        """Return one that was told nothing."""
        return StubBodyReceiver(make_stub_target().target_id, script)

    @pytest.fixture
    def held(self, body_receiver: StubBodyReceiver):
        """Return what tells what it holds."""
        return lambda: {
            key.artifact_path: content for key, content in body_receiver.received.items()
        }


class TestTeamspaceReceiver(BodyReceiverContract):
    """It posts to a real server on the loopback."""

    @pytest.fixture
    def serving(self, script: Script) -> Iterator[Serving]:
        """Return a server that listens."""
        with serve(None, clock=machine.now, script=script) as serving:
            serving.start()
            yield serving

    @pytest.fixture
    def body_receiver(self, serving: Serving) -> Iterator[TeamspaceReceiver]:
        """Return one with all gates open."""
        target = make_target(Kind.TEAMSPACE, serving.url, team="team")
        with Transport(monotonic=time.monotonic) as transport:
            yield TeamspaceReceiver(target, transport, saas_enabled=True, token=lambda: "token")

    @pytest.fixture
    def held(self, serving: Serving):
        """Return what tells what the server holds."""

        def look() -> dict[str, str]:
            found = [json.loads(kept.text) for kept in serving.bodies.received()]
            return {each["artifact_path"]: each["content_body"] for each in found}

        return look
