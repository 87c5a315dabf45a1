"""Signed requests, verified by the reference implementation of Standard Webhooks."""

import json
import re
import time
from base64 import b64encode
from collections.abc import Mapping, Sequence
from typing import Any

import attrs
import pytest
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from eventsync_adapters import machine
from eventsync_adapters.http import ExternalReceiver, Signing, Transport, read_signing_key
from eventsync_adapters.server import serve
from eventsync_core.errors import SettingsError
from eventsync_core.receivers import Answer, BodyFormat, Effect, Outcome
from eventsync_core.targets import Kind, make_target
from eventsync_core.testing import make_batch, make_events

OLD, NEW = ("whsec_" + b64encode(bytes([n]) * 24).decode() for n in (1, 2))
TARGET = make_target(Kind.EXTERNAL, "https://a.example/hook")


@attrs.define
class Recorder:
    """Notes what would be posted; its other end quotes what it is told to."""

    posts: list[tuple[bytes, dict[str, str]]] = attrs.field(factory=list)
    said: str = ""

    secrets = ()

    def post(self, url: str, content: bytes, headers: Mapping[str, str]) -> Answer:
        self.posts.append((content, dict(headers)))
        return Answer(status=401, body=json.dumps({"error": self.said}).encode())

    def get(self, url: str, headers: Mapping[str, str]) -> Answer:
        raise AssertionError(url)


def signed(recorder: Any, *secrets: str, clock: Any = machine.now, **more: Any) -> ExternalReceiver:
    return ExternalReceiver(TARGET, recorder, signing=Signing(lambda: secrets, clock), **more)


@pytest.mark.parametrize("body_format", list(BodyFormat))
@pytest.mark.parametrize("secret", [OLD, NEW])
def test_a_receiver_with_either_key_accepts_it(secret: str, body_format: BodyFormat) -> None:
    """What is verified are the very bytes that are sent, uncompressed."""
    recorder = Recorder()

    signed(recorder, OLD, NEW, body_format=body_format).deliver(make_batch(TARGET.target_id))
    signed(recorder, OLD, NEW, body_format=body_format).deliver(
        make_batch(TARGET.target_id, *make_events(3))
    )

    for content, headers in recorder.posts:
        assert Webhook(secret).verify(content, headers) == json.loads(content)
        assert "Content-Encoding" not in headers


def test_what_was_tampered_with_is_refused() -> None:
    """Body, id, time, or another key."""
    recorder = Recorder()
    signed(recorder, OLD).deliver(make_batch(TARGET.target_id, *make_events(1)))
    content, headers = recorder.posts[0]
    later = str(int(headers["webhook-timestamp"]) + 1)

    for body, changed, secret in (
        (content + b" ", headers, OLD),
        (content, {**headers, "webhook-id": "msg_2"}, OLD),
        (content, {**headers, "webhook-timestamp": later}, OLD),
        (content, headers, NEW),
    ):
        with pytest.raises(WebhookVerificationError):
            Webhook(secret).verify(body, changed)


def test_equal_bytes_have_one_id() -> None:
    """A body that is sent again is the same message at another time; another body is not."""
    recorder, ticks = Recorder(), iter([5_000_000, 7_900_000, 8_000_000])
    receiver = signed(recorder, OLD, clock=lambda: next(ticks))
    batch = make_batch(TARGET.target_id, *make_events(1))

    receiver.deliver(batch)
    receiver.deliver(receiver.pack(batch))
    receiver.deliver(make_batch(TARGET.target_id, *make_events(2)))

    first, again, other = (headers for _, headers in recorder.posts)
    assert re.fullmatch(r"msg_[0-9a-f]{32}", first["webhook-id"])
    assert first["webhook-id"] == again["webhook-id"] != other["webhook-id"]
    assert first["webhook-id"] == f"msg_{batch.digest.hex()[:32]}"
    assert [h["webhook-timestamp"] for _, h in recorder.posts] == ["5", "7", "8"]


def test_keys_are_asked_for_each_time() -> None:
    """A rotation holds from the next request on."""
    recorder, present = Recorder(), iter([[OLD], [NEW, OLD]])
    receiver = ExternalReceiver(
        TARGET, recorder, signing=Signing(lambda: next(present), lambda: 1_000_000)
    )
    batch = make_batch(TARGET.target_id, *make_events(1))

    receiver.deliver(batch)
    receiver.deliver(batch)

    before, after = (headers["webhook-signature"].split(" ") for _, headers in recorder.posts)
    assert (len(before), len(after)) == (1, 2)
    assert before[0] == after[1]


def test_the_operators_headers_cannot_stand_in_for_the_signature() -> None:
    """Nor say that the body is compressed."""
    recorder = Recorder()
    chosen = {"Webhook-Signature": "v1,x", "content-encoding": "gzip", "X-Key": "k"}

    signed(recorder, OLD, headers=lambda: chosen).deliver(make_batch(TARGET.target_id))

    names = sorted(name.lower() for name in recorder.posts[0][1])
    assert names == [
        "content-type",
        "webhook-id",
        "webhook-signature",
        "webhook-timestamp",
        "x-key",
    ]
    assert recorder.posts[0][1]["webhook-signature"] != "v1,x"


BROKEN = ["hunter22", "whsec_", "whsec_hunter 22", "whsec_é", "whsec_hunte", OLD[6:], ""]


@pytest.mark.parametrize("secret", BROKEN)
def test_what_is_no_key_sends_nothing(secret: str) -> None:
    """The effect is none; place and kind are said, the value is not."""
    recorder = Recorder()

    verdict = signed(recorder, OLD, secret).deliver(make_batch(TARGET.target_id, *make_events(1)))

    assert recorder.posts == []
    assert (verdict.outcomes, verdict.effect) == ((Outcome.TRANSIENT,), Effect.NONE)
    assert "signing key 2" in verdict.guidance
    assert "hunte" not in verdict.guidance


@pytest.mark.parametrize("secret", BROKEN)
def test_what_is_no_key_is_not_repeated(secret: str) -> None:
    """The error names where it came from."""
    with pytest.raises(SettingsError) as caught:
        read_signing_key(secret, source="signing key env:KEY")

    assert caught.value.code == "signing_key_invalid"
    assert "env:KEY" in caught.value.message
    assert "hunte" not in caught.value.message


def test_a_key_may_lack_its_padding() -> None:
    """As the reference implementations take it."""
    assert read_signing_key("whsec_MTIz", source="x") == b"123"
    assert read_signing_key("whsec_MTIzNA", source="x") == b"1234"


def test_without_any_key_nothing_is_sent() -> None:
    """A receiver that is to sign does not fall back to sending unsigned."""
    recorder = Recorder()

    verdict = signed(recorder).deliver(make_batch(TARGET.target_id, *make_events(1)))

    assert recorder.posts == []
    assert verdict.effect is Effect.NONE


def test_a_quoted_key_is_cut_out() -> None:
    """With and without its prefix; and no representation shows it."""
    recorder = Recorder(said=f"cannot verify with {OLD} or {OLD[6:]}")
    receiver = signed(recorder, OLD)

    verdict = receiver.deliver(make_batch(TARGET.target_id, *make_events(1)))

    assert verdict.guidance.endswith("cannot verify with *** or ***")
    assert OLD[6:] not in repr(receiver)


def test_a_signed_batch_is_delivered() -> None:
    """Over the wire, with what arrives being what was signed."""
    secrets: Sequence[str] = (OLD,)
    with serve(None, clock=lambda: 1) as server, Transport(monotonic=time.monotonic) as transport:
        server.start()
        target = make_target(Kind.EXTERNAL, server.url + "/hook")
        receiver = ExternalReceiver(
            target, transport, signing=Signing(lambda: secrets, machine.now)
        )

        verdict = receiver.deliver(make_batch(target.target_id, *make_events(2)))

        assert verdict.outcomes == (Outcome.SUCCESS,) * 2
        assert server.inbox.count() == 2
