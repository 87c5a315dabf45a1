"""What a server quotes of our secrets goes no further."""

import json
from collections.abc import Mapping

import attrs
import pytest

from eventsync_adapters.http import ExternalReceiver, TeamspaceReceiver
from eventsync_core.errors import SettingsError, TargetUrlError
from eventsync_core.receivers import Answer, Effect, Outcome
from eventsync_core.targets import Kind, make_target
from eventsync_core.testing import make_batch, make_event

SECRET = 's3cr"et-t0ken/1'


class Quoting:
    """A transport whose other end repeats the Authorization it was sent."""

    def post(self, url: str, content: bytes, headers: Mapping[str, str]) -> Answer:
        del url, content
        said = json.dumps({"error": f"invalid key {headers['Authorization']}"}).encode()
        return Answer(status=401, body=said)

    def get(self, url: str, headers: Mapping[str, str]) -> Answer:
        return attrs.evolve(self.post(url, b"", headers), status=200)


def test_a_quoted_token_is_cut_out() -> None:
    """Also as JSON spells it."""
    target = make_target(Kind.TEAMSPACE, "https://example.org", team="t")
    receiver = TeamspaceReceiver(target, Quoting(), saas_enabled=True, token=lambda: SECRET)

    verdict = receiver.deliver(make_batch(target.target_id, make_event()))

    assert "s3cr" not in verdict.guidance
    assert "invalid key" in verdict.guidance


def test_a_quoted_token_is_cut_out_of_the_health_answer() -> None:
    """What the server says of itself holds no secret of ours."""
    target = make_target(Kind.TEAMSPACE, "https://example.org", team="t")
    receiver = TeamspaceReceiver(target, Quoting(), saas_enabled=True, token=lambda: SECRET)

    assert receiver.health() == {"error": "invalid key ***"}


def test_a_secret_that_is_gone_sends_nothing() -> None:
    """It is a fault before the first byte, not an exception."""

    def gone() -> dict[str, str]:
        raise SettingsError("X-Key: the variable is not set", source="header X-Key")

    target = make_target(Kind.EXTERNAL, "https://example.org/events")
    receiver = ExternalReceiver(target, Quoting(), headers=gone)

    verdict = receiver.deliver(make_batch(target.target_id, make_event()))

    assert (verdict.outcomes, verdict.effect) == ((Outcome.TRANSIENT,), Effect.NONE)


@pytest.mark.parametrize("url", ["ftp://user:pw@host", "http://user:s3cr#et@h:x/", "http://h:pw"])
def test_a_url_that_is_refused_is_not_quoted(url: str) -> None:
    """It may hold a password."""
    with pytest.raises(TargetUrlError) as caught:
        make_target(Kind.EXTERNAL, url)
    assert "pw" not in str(caught.value)
    assert "s3cr" not in str(caught.value)
