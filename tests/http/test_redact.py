"""What a server quotes of our secrets goes no further."""

import html
import json
import time
from base64 import b64encode, encodebytes, urlsafe_b64encode
from collections.abc import Callable, Mapping, Sequence
from urllib.parse import quote, quote_plus

import attrs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eventsync_adapters.http import ExternalReceiver, TeamspaceReceiver, Transport
from eventsync_core.errors import SettingsError, TargetUrlError
from eventsync_core.receivers import Answer, Effect, Outcome
from eventsync_core.targets import Kind, make_target
from eventsync_core.testing import make_batch, make_event
from tests.effort import examples

SECRET = 's3cr"et-t0ken/1'


class Quoting:
    """A transport whose other end repeats the Authorization it was sent."""

    secrets = ()

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


@attrs.define
class Saying:
    """A transport whose other end answers *said*."""

    said: object
    status: int = 200
    secrets: Sequence[str] = ()

    def post(self, url: str, content: bytes, headers: Mapping[str, str]) -> Answer:
        return Answer(status=self.status, body=json.dumps(self.said).encode())

    def get(self, url: str, headers: Mapping[str, str]) -> Answer:
        return self.post(url, b"", headers)


def external(saying: Saying, header: str) -> ExternalReceiver:
    target = make_target(Kind.EXTERNAL, "https://example.org/events")
    return ExternalReceiver(target, saying, headers=lambda: {"X-Key": header})


@pytest.mark.parametrize("secret", ["success", "true", "results", "test-1", "event_id", "status"])
def test_a_secret_that_is_a_usual_word_changes_no_outcome(secret: str) -> None:
    """What was acknowledged is delivered, whatever a header happens to hold."""
    said = {"results": [{"event_id": "test-1", "status": "success", "is": True}]}
    receiver = external(Saying(said), secret)

    verdict = receiver.deliver(make_batch(receiver.target_id, make_event("test-1")))

    assert verdict.outcomes == (Outcome.SUCCESS,)


@pytest.mark.parametrize("place", ["reason", "category", "status"])
@pytest.mark.parametrize("before", [0, 490])
def test_no_word_that_is_kept_quotes_a_secret(place: str, before: int) -> None:
    """Reasons, categories and unknown words, also where they are cut off inside of it."""
    secret = "S3CRET-" + "abcdefgh" * 8
    item = {"event_id": "e1", "status": "rejected", place: "x" * before + secret}
    receiver = external(Saying({"results": [item]}), f"Key {secret}")

    verdict = receiver.deliver(make_batch(receiver.target_id, make_event()))

    assert "s3cret-a" not in repr(verdict).lower()
    assert "***" in repr(verdict) or before


def test_the_password_of_a_proxy_is_cut_out() -> None:
    """Plain, and as it is sent."""
    with Transport(
        monotonic=time.monotonic,
        proxies={"all://": "http://me:hunter%2022@127.0.0.1:9", "all://a.example": None},
        verify=False,
    ) as transport:
        secrets = transport.secrets
    said = {"error": f"no {b64encode(b'me:hunter 22').decode()}, hunter 22 or hunter%2022"}
    receiver = external(Saying(said, 403, secrets), "k")

    verdict = receiver.deliver(make_batch(receiver.target_id, make_event()))

    assert verdict.guidance == "403: no ***, *** or ***"


@pytest.mark.parametrize("url", ["ftp://user:pw@host", "http://user:s3cr#et@h:x/", "http://h:pw"])
def test_a_url_that_is_refused_is_not_quoted(url: str) -> None:
    """It may hold a password."""
    with pytest.raises(TargetUrlError) as caught:
        make_target(Kind.EXTERNAL, url)
    assert "pw" not in str(caught.value)
    assert "s3cr" not in str(caught.value)


def units(text: str) -> list[str]:
    """Return *text* in UTF-16, as JSON counts characters."""
    raw = text.encode("utf-16-be").hex()
    return [raw[at : at + 4] for at in range(0, len(raw), 4)]


SPELLINGS: list[Callable[[str], str]] = [
    str,
    str.upper,
    quote,
    quote_plus,
    lambda text: quote(text, safe=""),
    lambda text: quote(text, safe="!~*'()"),
    lambda text: quote(quote(text, safe=""), safe=""),
    lambda text: json.dumps(text)[1:-1],
    lambda text: json.dumps(text)[1:-1].replace("/", "\\/"),
    lambda text: json.dumps(json.dumps(text))[3:-3],
    lambda text: repr(text)[1:-1],
    html.escape,
    lambda text: "".join(f"&#{ord(character)};" for character in text),
    lambda text: "".join(f"\\u{unit}" for unit in units(text)),
]
# Odd ones, none of which stands in the words around the secret.
odd = st.text(st.sampled_from("SEKRT%+/\\\"'&<>=;, é€𝄞#?!~"), min_size=8, max_size=40).filter(
    lambda text: len(text.strip()) >= 8
)


@pytest.mark.parametrize("spell", SPELLINGS)
@settings(max_examples=examples(20), deadline=None)
@given(secret=odd, before=st.integers(440, 505) | st.just(10))
def test_no_spelling_of_a_secret_is_kept(
    spell: Callable[[str], str], secret: str, before: int
) -> None:
    """Not even a part of one that was cut off."""
    said = {"error": "x" * (before - 1) + "|" + spell(secret.strip())}
    receiver = external(Saying(said, 403, [secret]), "k")

    verdict = receiver.deliver(make_batch(receiver.target_id, make_event()))

    left = verdict.guidance.removeprefix("403: ").lstrip("x|").removesuffix("…")
    assert not left.strip("*")


@pytest.mark.parametrize(
    ("header", "secrets"),
    [
        ("ApiKey id=me,key=S3CRET-1", ["S3CRET-1"]),
        ('Digest username="anna smith", response="S3CRET-2"', ["anna smith", "S3CRET-2"]),
        ("session=S3CRET-3; path='S3CRET-4'", ["S3CRET-3", "S3CRET-4"]),
        ("Key a;S3CRET-5", ["S3CRET-5"]),
        (
            f"Basic {b64encode(b'annabel:S3CRET-6').decode()}",
            ["annabel:S3CRET-6", "annabel", "S3CRET-6"],
        ),
    ],
)
def test_the_parts_of_a_header_are_cut_out(header: str, secrets: Sequence[str]) -> None:
    """What stands behind a name, in quotes, or encoded."""
    for secret in secrets:
        receiver = external(Saying({"error": f"bad {secret}!"}, 403), header)

        verdict = receiver.deliver(make_batch(receiver.target_id, make_event()))

        assert verdict.guidance == "403: bad ***!"


@pytest.mark.parametrize("header", ["Basic ?", "Basic w6k", "Basic a", "Basic", "", "=", "a=,=;"])
def test_a_header_of_any_form_is_sent(header: str) -> None:
    """A value that only looks like credentials breaks nothing."""
    receiver = external(Saying({"error": "no"}, 403), header)

    verdict = receiver.deliver(make_batch(receiver.target_id, make_event()))

    assert verdict.guidance == "403: no"


def test_many_backslashes_cost_no_time() -> None:
    """The other end chooses the text; finding a secret in it takes no longer than reading it."""
    secret = "\\" * 40 + '"' * 40 + "S"
    receiver = external(Saying({"error": "\\" * 250 + '"' * 200}, 403, [secret]), "k")

    verdict = receiver.deliver(make_batch(receiver.target_id, make_event()))

    assert "***" in verdict.guidance


@pytest.mark.parametrize("before", ["", "x", "xy", "Bearer "])
@given(secret=st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=9, max_size=40))
@settings(max_examples=examples(20), deadline=None)
def test_no_code_of_a_secret_is_kept(before: str, secret: str) -> None:
    """Wherever it stands in what was coded: base64 of both alphabets, and hexadecimals."""
    raw = (before + secret).encode()
    for code in (b64encode(raw).decode(), urlsafe_b64encode(raw).decode(), raw.hex()):
        receiver = external(Saying({"error": f"| {code} |"}, 403, [secret]), "k")

        verdict = receiver.deliver(make_batch(receiver.target_id, make_event()))

        start, _, end = verdict.guidance.removeprefix("403: | ").removesuffix(" |").partition("***")
        assert code.startswith(start)
        assert code.endswith(end)
        assert (len(start) <= 2 * len(before), len(end) <= 3) == (True, True)


@pytest.mark.parametrize("said", ["sk_live_abcdEFGH1", "sk_live_abcdXYZ22", "xsk_live_abcdXYZ22x"])
def test_secrets_that_begin_alike_are_both_cut_out(said: str) -> None:
    """One is not taken for the other, of which then a part would be left."""
    secrets = ["sk_live_abcdEFGH1", "sk_live_abcdXYZ22", "sk_live_other"]
    receiver = external(Saying({"error": f"no {said} here"}, 403, secrets), "k")

    verdict = receiver.deliver(make_batch(receiver.target_id, make_event()))

    assert verdict.guidance.replace("x", "") == "403: no *** here"


BREAKS = [
    "\n",
    "\r\n",
    " ",
    "\n    ",
    "\\n",
    "\\r\\n",
    "\\u000a",
    "%0A",
    "%250D%250A",
    "&#10;",
    "&#x0A;",
]


@pytest.mark.parametrize("gap", BREAKS)
@pytest.mark.parametrize("every", [1, 3, 12])
@pytest.mark.parametrize("secret", ["sk_live-Abc/9+xyzW0Q-eFgH", 'anna smith and "her" b+cat'])
def test_a_secret_that_is_wrapped_is_cut_out(secret: str, every: int, gap: str) -> None:
    """Line breaks and blanks inside of it change nothing, however they are spelt."""
    wrapped = gap.join(secret[at : at + every] for at in range(0, len(secret), every))
    receiver = external(Saying({"error": f"bad {wrapped} !"}, 403, [secret]), "k")

    verdict = receiver.deliver(make_batch(receiver.target_id, make_event()))

    assert verdict.guidance == "403: bad *** !"


@pytest.mark.parametrize("gap", BREAKS[:4])
@pytest.mark.parametrize("every", [1, 3, 5])
def test_a_wrapped_secret_with_backslashes_is_cut_out(every: int, gap: str) -> None:
    """Which are not taken for the spelling of a break."""
    secret = "dom\\nora\\n9\\t-x\\%&y\\z"
    test_a_secret_that_is_wrapped_is_cut_out(secret, every, gap)


def test_a_code_that_is_wrapped_is_cut_out() -> None:
    """As mail and old tools wrap base64 and dump bytes."""
    secret = "".join(f"tOk{number}-" for number in range(20))
    for code in (encodebytes(secret.encode()).decode().strip(), secret[:40].encode().hex(" ")):
        receiver = external(Saying({"error": f"bad {code} !"}, 403, [secret[:40], secret]), "k")

        verdict = receiver.deliver(make_batch(receiver.target_id, make_event()))

        assert verdict.guidance.startswith("403: bad ***")
        assert len(verdict.guidance) <= len("403: bad ***abc= !")


def test_a_wrapped_secret_that_is_cut_off_leaves_nothing() -> None:
    """Neither behind its first characters, nor in the midst of it."""
    secret = "SKRTabcdefghijklmnop"
    for before in range(480, 505):
        said = "x" * before + "|" + "\n".join(secret)
        receiver = external(Saying({"error": said}, 403, [secret]), "k")

        verdict = receiver.deliver(make_batch(receiver.target_id, make_event()))

        assert "S" not in verdict.guidance


@pytest.mark.parametrize(
    "secret", ["a b c d e f g", "a       b", "\\n\\n\\n\\n\\nx", "%20%20%20%20x", "abcd"]
)
@pytest.mark.parametrize("text", [" ", "a ", "a" + " " * 600, "\\n", "%20", "a b "])
def test_much_white_space_costs_no_time(secret: str, text: str) -> None:
    """A health answer may be long, and is chosen by the other end."""
    target = make_target(Kind.TEAMSPACE, "https://example.org", team="t")
    said = {"error": (text * 60_000)[:60_000]}
    receiver = TeamspaceReceiver(target, Saying(said), saas_enabled=True, token=lambda: secret)
    begun = time.perf_counter()

    receiver.health()

    assert time.perf_counter() - begun < 5
