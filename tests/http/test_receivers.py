"""The two HTTP receivers, against a real receiver on this machine."""

import gzip
import json
import time
from collections.abc import Iterator, Mapping

import attrs
import pytest

from eventsync_adapters.http import ExternalReceiver, TeamspaceReceiver, Transport
from eventsync_adapters.server import Serving, serve
from eventsync_core.receivers import (
    Answer,
    Batch,
    DeliveryReceiver,
    Effect,
    Gate,
    Next,
    Outcome,
    Permit,
    RequestRule,
    Script,
)
from eventsync_core.targets import Kind, Limits, Target, make_target

REFUSAL = Answer(status=401, body=b'{"error":"who are you"}')
TOKEN = "token-that-nobody-sees"


@pytest.fixture
def serving() -> Iterator[Serving]:
    with serve(None, clock=lambda: 1) as opened:
        opened.start()
        yield opened


@pytest.fixture
def target(serving: Serving) -> Target:
    return make_target(Kind.TEAMSPACE, serving.url, team="crew", user="me")


@pytest.fixture
def receiver(target: Target, transport: Transport) -> TeamspaceReceiver:
    return TeamspaceReceiver(target, transport, saas_enabled=True, token=lambda: TOKEN)


def batch_for(target: Target, *event_ids: str) -> Batch:
    texts = tuple(json.dumps({"event_id": event_id, "n": 1.0}) for event_id in event_ids)
    return Batch(Permit(target.target_id, "s", 1), event_ids, texts)


@attrs.define
class Recorder:
    """Notes what would be posted."""

    posts: list[tuple[str, bytes, dict[str, str]]] = attrs.field(factory=list)
    asked: list[tuple[str, dict[str, str]]] = attrs.field(factory=list)
    answer: Answer = attrs.field(factory=lambda: REFUSAL)

    secrets = ()

    def post(self, url: str, content: bytes, headers: Mapping[str, str]) -> Answer:
        self.posts.append((url, content, dict(headers)))
        return self.answer

    def get(self, url: str, headers: Mapping[str, str]) -> Answer:
        self.asked.append((url, dict(headers)))
        return self.answer


CODED = {"Content-Type": "application/json", "Content-Encoding": "gzip"}


def test_events_arrive_as_they_were_sent(serving, receiver, target) -> None:
    """Success, then duplicates, byte for byte."""
    batch = batch_for(target, "a", "b")

    first, second = receiver.deliver(batch), receiver.deliver(batch)

    assert first.outcomes == (Outcome.SUCCESS, Outcome.SUCCESS)
    assert second.outcomes == (Outcome.DUPLICATE, Outcome.DUPLICATE)
    assert tuple(kept.text for kept in serving.inbox.received()) == batch.texts


def test_a_teamspace_request_says_who_asks() -> None:
    """The address below the server, the token and the team; the token is asked for each time."""
    tokens = iter(["one", "two"])
    recorder = Recorder()
    target = make_target(Kind.TEAMSPACE, "https://a.example/base/", team="crew")
    receiver = TeamspaceReceiver(target, recorder, saas_enabled=True, token=lambda: next(tokens))
    batch = batch_for(target, "a")

    receiver.deliver(batch)
    verdict = receiver.deliver(batch)

    url, body, headers = recorder.posts[0]
    assert url == "https://a.example/base/api/v1/events/batch/"
    assert gzip.decompress(body) == batch.body
    assert headers == {"Authorization": "Bearer one", "X-Team-Slug": "crew", **CODED}
    assert recorder.posts[1][2]["Authorization"] == "Bearer two"
    assert (verdict.outcomes, verdict.effect) == ((Outcome.TRANSIENT,), Effect.NONE)


def test_an_external_endpoint_is_posted_to_verbatim() -> None:
    """Its path and query as given, its operator's headers and no others."""
    recorder = Recorder()
    target = make_target(Kind.EXTERNAL, "https://a.example/hook?key=1")
    receiver = ExternalReceiver(target, recorder, headers=lambda: {"X-Key": "k"})

    receiver.deliver(batch_for(target, "a"))

    assert recorder.posts[0][0] == "https://a.example/hook?key=1"
    assert recorder.posts[0][2] == {"X-Key": "k", **CODED}


def test_the_encoding_is_not_the_operators() -> None:
    """A content type may be chosen, in any spelling; what says how the body is coded may not."""
    recorder = Recorder()
    target = make_target(Kind.EXTERNAL, "https://a.example/hook")
    chosen = {"content-type": "application/x-events", "content-encoding": "br"}
    receiver = ExternalReceiver(target, recorder, headers=lambda: chosen)

    receiver.deliver(batch_for(target, "a"))

    assert recorder.posts[0][2] == {
        "content-type": "application/x-events",
        "Content-Encoding": "gzip",
    }


def test_what_was_packed_is_what_leaves() -> None:
    """Packing compresses; delivering does not do it again."""
    recorder = Recorder()
    target = make_target(Kind.EXTERNAL, "https://a.example/hook")
    receiver = ExternalReceiver(target, recorder)

    packed = receiver.pack(batch_for(target, "a", "b"))
    receiver.deliver(packed)

    assert packed.coded is not None
    assert gzip.decompress(packed.coded) == packed.body
    assert recorder.posts[0][1] is packed.coded


def test_a_teamspace_is_asked_who_it_is(serving, receiver) -> None:
    """The document of its health address, as it stands there."""
    document = receiver.health()

    assert document["sync_ingress"]["limits"]["max_events_per_batch"] == 1_000


def test_a_teamspace_is_asked_with_token_and_team() -> None:
    """Below the server, as a batch is."""
    recorder = Recorder(answer=Answer(status=200, body=b"[1]"))
    target = make_target(Kind.TEAMSPACE, "https://a.example/base/", team="crew")
    receiver = TeamspaceReceiver(target, recorder, saas_enabled=True, token=lambda: TOKEN)

    assert receiver.health() == [1]
    assert recorder.asked == [
        (
            "https://a.example/base/api/v1/sync/health/",
            {"Authorization": f"Bearer {TOKEN}", "X-Team-Slug": "crew"},
        )
    ]


@pytest.mark.parametrize(
    "answer",
    [
        Answer(fault="no connection", reached=False),
        Answer(status=401, body=b"{}"),
        Answer(status=302, body=b"{}", headers={"location": "/"}),
        Answer(status=200, body=b"<html>"),
        Answer(status=200, body=b"\xff"),
        Answer(status=200, body=b"[" * 100_000),
        Answer(status=200, body=b"{}", is_whole=False),
    ],
)
def test_a_health_answer_that_is_none_says_nothing(answer: Answer) -> None:
    """No fault is raised, and nothing is asked twice."""
    recorder = Recorder(answer=answer)
    target = make_target(Kind.TEAMSPACE, "https://a.example", team="crew")
    receiver = TeamspaceReceiver(target, recorder, saas_enabled=True, token=lambda: TOKEN)

    assert receiver.health() is None
    assert len(recorder.asked) == 1


def test_an_external_receiver_is_not_asked() -> None:
    """Nothing is known of what it would answer."""
    recorder = Recorder()
    receiver = ExternalReceiver(make_target(Kind.EXTERNAL, "https://a.example/hook"), recorder)

    assert receiver.health() is None
    assert recorder.asked == []


def test_an_external_endpoint_takes_events(serving, transport) -> None:
    """Any address outside /api of the receiver is one."""
    target = make_target(Kind.EXTERNAL, serving.url + "/events?from=here")
    receiver = ExternalReceiver(target, transport)

    verdict = receiver.deliver(batch_for(target, "a"))

    assert verdict.outcomes == (Outcome.SUCCESS,)
    assert serving.inbox.count() == 1


def test_a_batch_for_another_target_is_refused(receiver, target, serving) -> None:
    """Nothing is sent, by either receiver."""
    other = make_target(Kind.EXTERNAL, "https://other.example/hook")
    external = ExternalReceiver(other, receiver.transport)

    with pytest.raises(ValueError, match="another target"):
        receiver.deliver(batch_for(other, "a"))
    with pytest.raises(ValueError, match="another target"):
        external.deliver(batch_for(target, "a"))

    assert serving.inbox.count() == 0


@pytest.mark.parametrize(
    ("saas_enabled", "token", "team", "closed"),
    [
        (True, "t", "crew", []),
        (False, "t", "crew", [Gate.SAAS_DISABLED]),
        (True, None, "crew", [Gate.MISSING_AUTH]),
        (True, "", "crew", [Gate.MISSING_AUTH]),
        (True, "t", "", [Gate.MISSING_TEAM]),
        (False, None, "", [Gate.SAAS_DISABLED, Gate.MISSING_AUTH, Gate.MISSING_TEAM]),
    ],
)
def test_the_gates_of_a_teamspace(
    *, saas_enabled: bool, token: str | None, team: str, closed: list[Gate]
) -> None:
    """In this order, computed without a request."""
    target = make_target(Kind.TEAMSPACE, "https://a.example", team=team)
    receiver = TeamspaceReceiver(target, Recorder(), saas_enabled=saas_enabled, token=lambda: token)

    assert list(receiver.closed_gates()) == closed


def test_the_gate_of_an_external_receiver() -> None:
    """An endpoint is all it needs."""
    nowhere = Target(target_id="t", kind=Kind.EXTERNAL, url="")
    somewhere = make_target(Kind.EXTERNAL, "https://a.example/hook")

    assert ExternalReceiver(nowhere, Recorder()).closed_gates() == [Gate.ENDPOINT_MISSING]
    assert ExternalReceiver(somewhere, Recorder()).closed_gates() == []


def test_the_limits_of_a_413_are_remembered(serving, receiver, target) -> None:
    """Halve now, pack smaller from now on; other answers leave them alone."""
    serving.set_script(Script(max_bytes=60))

    verdict = receiver.deliver(batch_for(target, "a", "b"))
    receiver.deliver(batch_for(target, "a"))

    assert verdict.next is Next.HALVE
    assert receiver.limits() == Limits(max_bytes=60)


def test_no_representation_shows_a_token(receiver, target) -> None:
    """Neither the receiver nor the verdict on a refused request."""
    unsendable = attrs.evolve(receiver, token=lambda: TOKEN + "\n")

    verdict = unsendable.deliver(batch_for(target, "a"))

    assert (verdict.outcomes, verdict.effect) == ((Outcome.TRANSIENT,), Effect.NONE)
    assert TOKEN not in repr(receiver) + repr(verdict) + repr(receiver.transport)


@pytest.mark.parametrize(
    ("rule", "outcome", "effect"),
    [
        (RequestRule(cut="before"), Outcome.UNKNOWN_EFFECT, Effect.UNKNOWN),
        (RequestRule(cut="after"), Outcome.UNKNOWN_EFFECT, Effect.UNKNOWN),
        (RequestRule(status=503), Outcome.TRANSIENT, Effect.UNKNOWN),
        (RequestRule(status=429, headers={"Retry-After": "7"}), Outcome.TRANSIENT, Effect.NONE),
        (RequestRule(body="<html>"), Outcome.UNKNOWN_EFFECT, Effect.UNKNOWN),
        (RequestRule(body="[" * 100_000), Outcome.UNKNOWN_EFFECT, Effect.UNKNOWN),
        (RequestRule(status=302, headers={"Location": "/"}), Outcome.TRANSIENT, Effect.NONE),
    ],
)
def test_a_fault_is_an_outcome(serving, receiver, target, rule, outcome, effect) -> None:
    """And the next request is answered in earnest."""
    serving.set_script(Script(requests=[rule]))

    verdict = receiver.deliver(batch_for(target, "a"))
    again = receiver.deliver(batch_for(target, "a"))

    assert (verdict.outcomes, verdict.effect) == ((outcome,), effect)
    assert again.outcomes[0].is_delivered


def test_an_answer_that_comes_too_late_is_of_unknown_effect(serving, target, impatient) -> None:
    """The server may have stored it."""
    serving.set_script(Script(requests=[RequestRule(delay_seconds=30)]))
    receiver = TeamspaceReceiver(target, impatient, saas_enabled=True, token=lambda: TOKEN)

    verdict = receiver.deliver(batch_for(target, "a"))

    assert (verdict.outcomes, verdict.effect) == ((Outcome.UNKNOWN_EFFECT,), Effect.UNKNOWN)


def test_a_server_that_is_gone_had_no_effect(target, transport, serving) -> None:
    """A refused connection is transient."""
    receiver = TeamspaceReceiver(target, transport, saas_enabled=True, token=lambda: TOKEN)
    serving.close()

    verdict = receiver.deliver(batch_for(target, "a"))

    assert (verdict.outcomes, verdict.effect) == ((Outcome.TRANSIENT,), Effect.NONE)


def test_both_are_receivers(target: Target) -> None:
    """As the type checker sees it."""
    with Transport(monotonic=time.monotonic, verify=False) as transport:
        both: list[DeliveryReceiver] = [
            TeamspaceReceiver(target, transport, saas_enabled=True, token=lambda: None),
            ExternalReceiver(target, transport),
        ]

    assert [receiver.target_id for receiver in both] == [target.target_id] * 2
