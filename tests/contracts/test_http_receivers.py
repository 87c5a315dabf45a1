"""The HTTP receivers keep every promise of `DeliveryReceiver`, over a real loopback server."""

import gzip
import json
import time
from collections.abc import Iterator, Mapping

import attrs
import pytest

from eventsync_adapters import machine
from eventsync_adapters.http import ExternalReceiver, Signing, TeamspaceReceiver, Transport
from eventsync_adapters.server import Serving, serve
from eventsync_core.receivers import Answer, BodyFormat, Script
from eventsync_core.targets import Kind, make_target
from eventsync_core.testing import ReceiverContract


@attrs.define
class Recording:
    """A transport that notes the ids of each request that reaches the other end."""

    transport: Transport
    script: Script
    arrived: list[tuple[str, ...]] = attrs.field(factory=list)
    secrets = ()

    def post(self, url: str, content: bytes, headers: Mapping[str, str]) -> Answer:
        """See `Transport.post`."""
        rules = self.script.requests
        if not (rules and rules[0].cut == "before"):
            is_packed = headers.get("Content-Encoding") == "gzip"
            found = json.loads(gzip.decompress(content) if is_packed else content)
            events = (
                found["events"] if isinstance(found, dict) else [each["data"] for each in found]
            )
            self.arrived.append(tuple(event["event_id"] for event in events))
        return self.transport.post(url, content, headers)

    def get(self, url: str, headers: Mapping[str, str]) -> Answer:
        """See `Transport.get`."""
        return self.transport.get(url, headers)


@pytest.fixture
def script() -> Script:
    """Return what the server obeys."""
    return Script()


@pytest.fixture
def serving(script: Script) -> Iterator[Serving]:
    """Return a server that listens."""
    with serve(None, clock=machine.now, script=script) as serving:
        serving.start()
        yield serving


@pytest.fixture
def recording(script: Script) -> Iterator[Recording]:
    """Return the way to the server."""
    with Transport(monotonic=time.monotonic) as transport:
        yield Recording(transport, script)


@pytest.fixture
def arrived(recording: Recording):
    """Return what tells the requests that arrived."""
    return lambda: recording.arrived


class TestTeamspaceReceiver(ReceiverContract):
    """It posts to the server's batch path."""

    @pytest.fixture
    def receiver(self, serving: Serving, recording: Recording) -> TeamspaceReceiver:
        """Return one with all gates open."""
        target = make_target(Kind.TEAMSPACE, serving.url, team="team", user="me@example.org")
        return TeamspaceReceiver(target, recording, saas_enabled=True, token=lambda: "token")


class TestExternalReceiver(ReceiverContract):
    """It posts to the operator's endpoint."""

    @pytest.fixture
    def receiver(self, serving: Serving, recording: Recording) -> ExternalReceiver:
        """Return one for an endpoint of the server."""
        return ExternalReceiver(make_target(Kind.EXTERNAL, f"{serving.url}/events"), recording)


class TestSignedReceiver(ReceiverContract):
    """It signs what it posts."""

    @pytest.fixture
    def receiver(self, serving: Serving, recording: Recording) -> ExternalReceiver:
        """Return one with two keys, for events that the host makes smaller."""
        return ExternalReceiver(
            make_target(Kind.EXTERNAL, f"{serving.url}/events"),
            recording,
            signing=Signing(lambda: ["whsec_MTIz", "whsec_NDU2"], machine.now),
            wire_transform=lambda envelope: {"event_id": envelope["event_id"]},
        )


class TestCloudEventsReceiver(ReceiverContract):
    """It posts CloudEvents."""

    @pytest.fixture
    def receiver(self, serving: Serving, recording: Recording) -> ExternalReceiver:
        """Return one for an endpoint of the server."""
        return ExternalReceiver(
            make_target(Kind.EXTERNAL, f"{serving.url}/events"),
            recording,
            body_format=BodyFormat.CLOUDEVENTS,
        )
