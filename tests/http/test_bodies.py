"""Bodies over HTTP: what is sent, and what of the answer is kept."""

import json
from collections.abc import Mapping

import attrs
import httpx
import pytest

from eventsync_adapters.http import TeamspaceReceiver, Transport
from eventsync_core.bodies import PushVerdict, UploadState
from eventsync_core.receivers import Answer, Gate, Next, Permit
from eventsync_core.targets import Kind, make_target
from eventsync_core.testing import make_body

_TARGET = make_target(Kind.TEAMSPACE, "https://team.example/base", team="t")
_TOKEN = "s3cret-token-value"
_PERMIT = Permit(_TARGET.target_id, "default", 1)


@attrs.define
class Network:
    """Answers every post alike and keeps it."""

    answer: Answer
    posts: list[tuple[str, bytes, Mapping[str, str]]] = attrs.field(factory=list)
    secrets: tuple[str, ...] = ("proxy-pass",)

    def post(self, url: str, content: bytes, headers: Mapping[str, str]) -> Answer:
        self.posts.append((url, content, headers))
        return self.answer

    def get(self, url: str, headers: Mapping[str, str]) -> Answer:
        raise AssertionError(url, headers)


def _push(network: Network | Transport) -> PushVerdict:
    receiver = TeamspaceReceiver(_TARGET, network, saas_enabled=True, token=lambda: _TOKEN)
    assert receiver.closed_gates() == []
    return receiver.push(_PERMIT, make_body("ü"))


def test_the_request() -> None:
    """Posted once to the one address with the team's headers, not compressed."""
    network = Network(Answer(status=201))

    verdict = _push(network)

    assert (verdict.state, verdict.status) == (UploadState.UPLOADED, 201)
    ((url, content, headers),) = network.posts
    assert url == "https://team.example/base/api/dossier/push-content/"
    assert headers == {
        "Authorization": f"Bearer {_TOKEN}",
        "X-Team-Slug": "t",
        "Content-Type": "application/json",
    }
    sent = json.loads(content)
    assert (sent["content_body"], sent["artifact_path"]) == ("# ü\n", "research/ü.md")
    assert not {"feature_slug", "mission_key"} & set(sent)


@pytest.mark.parametrize("status", [302, 400, 401, 403, 404, 500])
def test_no_secret_is_kept_of_an_answer(status: int) -> None:
    """Where the server repeats a token or a proxy's password, it is cut out."""
    said = f"got {_TOKEN} by proxy-pass, no"
    answer = Answer(
        status=status, headers={"Location": said}, body=json.dumps({"detail": said}).encode()
    )

    verdict = _push(Network(answer))

    assert _TOKEN not in repr(verdict)
    assert "proxy-pass" not in repr(verdict)


@pytest.mark.parametrize(("status", "count"), [(401, 1), (403, 1), (400, 0), (201, 0)])
def test_a_token_that_is_turned_away_is_asked_for_again(status: int, count: int) -> None:
    """As it is for events."""
    forgotten: list[int] = []
    receiver = TeamspaceReceiver(
        _TARGET,
        Network(Answer(status=status)),
        saas_enabled=True,
        token=lambda: _TOKEN,
        forget=lambda: forgotten.append(1),
    )

    receiver.push(_PERMIT, make_body())

    assert len(forgotten) == count


def test_no_connection() -> None:
    """It is said so, and the target is left alone."""

    def refuse(_: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("refused")

    with Transport(
        monotonic=lambda: 0.0, inner=httpx.MockTransport(refuse), verify=False
    ) as transport:
        verdict = _push(transport)

    assert (verdict.state, verdict.next) == (UploadState.QUEUED, Next.BACK_OFF)
    assert verdict.no_connection
    assert verdict.reason.startswith("connection_error: ")


def test_a_token_that_is_gone_sends_nothing() -> None:
    """The gate is named, and it is no fault of the body or the target."""
    network = Network(Answer(status=201))
    tokens = iter([_TOKEN, None])
    receiver = TeamspaceReceiver(_TARGET, network, saas_enabled=True, token=lambda: next(tokens))
    assert receiver.closed_gates() == []

    verdict = receiver.push(_PERMIT, make_body())

    assert (verdict.next, verdict.closed, network.posts) == (Next.WITHHELD, Gate.MISSING_AUTH, [])


def test_a_request_that_cannot_be_made_is_none() -> None:
    """Nothing left the machine, so nothing is counted."""
    network = Network(Answer(fault="the header 'a' cannot be sent", reached=False))

    assert _push(network).next is Next.WITHHELD


def test_a_permit_for_another_target_sends_nothing() -> None:
    """It is a mistake of the caller."""
    network = Network(Answer(status=201))
    receiver = TeamspaceReceiver(_TARGET, network, saas_enabled=False, token=lambda: None)
    assert Gate.MISSING_AUTH in receiver.closed_gates()

    with pytest.raises(ValueError, match="another target"):
        receiver.push(Permit("tgt_other", "default", 1), make_body())

    assert network.posts == []
