"""No secret is found in anything that a run wrote, said, logged or raised."""

import gzip
import json
import logging
import shlex
import sys
import tempfile
from base64 import b64encode
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from io import StringIO
from itertools import cycle
from pathlib import Path

import attrs
import pytest

from eventsync_adapters import machine
from eventsync_cli.compose import App, assemble
from eventsync_cli.delivering import deliver
from eventsync_cli.main import program
from eventsync_cli.options import Chosen
from eventsync_core.clock import MINUTE
from eventsync_core.dispatch import Budget
from eventsync_core.errors import EventSyncError
from tests.cli.canaries import Canary, around, leaks, leaks_of_error, leaks_of_files, spelt
from tests.cli.conftest import Ran, Run
from tests.cli.listeners import Heard, Listener, accept, listening
from tests.keyrings import keyring_of

Answer = tuple[int, Mapping[str, str], bytes]

TOKEN = Canary("c4n4ryTOK", "\"/+%41&<'\\", "1T4IL1TOK")
HEADER = Canary("c4n4ryHEAD", "\"/+%41&<'\\", "1T4IL1HEAD")
FILED = Canary("c4n4ryFILE", "=-", "1T4IL1FILE")
SIGNING = Canary("c4n4rySIGN", "-\x01/", "1T4IL1SIGN")
PROXY = Canary("c4n4ryPROX", "-", "1T4IL1PROX")
ALL = (TOKEN, HEADER, FILED, SIGNING, PROXY)
KEY = "whsec_" + b64encode(SIGNING.text.encode()).decode()
BASIC = b64encode(f"me:{PROXY.text}".encode()).decode()

PLANS = 17
# A round asks twice, for a person and for a program: each answer comes once, or to both.
ROUNDS = pytest.mark.parametrize(
    "rounds", [PLANS // 2 + 1, pytest.param(PLANS, marks=pytest.mark.long)]
)
SECRET_HEADERS = ("authorization", "proxy-authorization", "x-a", "x-b")


@attrs.define
class Scene:
    """A run in progress: where the secrets are, and everything that was written elsewhere."""

    run: Run
    place: Path
    vault: Path
    said: list[str] = attrs.field(factory=list)
    later: int = 0
    captured: int = 0

    def act(self, *words: str) -> Ran:
        """Run a command for a person and, later, for a program; keep what both were told."""
        for more in ((), ("--json",)):
            self.later += 20 * MINUTE
            ran = self.run(*words, *more)
            self.said += [ran.out, ran.err]
        return ran

    def capture(self, count: int = 1) -> None:
        """Store some more events."""
        first, self.captured = self.captured, self.captured + count
        path = self.place / f"{first}.jsonl"
        lines = (f'{{"event_id": "e{n}"}}\n' for n in range(first, self.captured))
        path.write_text("".join(lines))
        assert self.act("capture", str(path)).code == 0

    def check(self) -> None:
        """Nothing of it is found anywhere."""
        assert [around(text.encode(), ALL) for text in self.said if leaks(text.encode(), ALL)] == []
        assert leaks_of_files(self.place, ALL) == {}


@pytest.fixture
def scene(run: Run, tmp_path: Path, home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Scene]:
    """Return a home whose secrets lie in all four places, in folders of their own."""
    vault, place = tmp_path / "vault", tmp_path / "rest"
    for folder in (vault, place / "tmp"):
        folder.mkdir(parents=True)
    monkeypatch.setenv("SPEC_KITTY_HOME", str(place / "home"))
    monkeypatch.setenv("SPEC_KITTY_ENABLE_SAAS_SYNC", "1")
    monkeypatch.setattr(tempfile, "tempdir", str(place / "tmp"))
    monkeypatch.setenv("SQLITE_TMPDIR", str(place / "tmp"))
    monkeypatch.setenv("HEADER", HEADER.text)
    for name in ("connection", "http11", "proxy"):
        # Who sets up logging elsewhere may have switched them off.
        monkeypatch.setattr(logging.getLogger(f"httpcore.{name}"), "disabled", False)
    (vault / "token").write_text(TOKEN.text)
    (vault / "file").write_text(f"Key {FILED.text}")
    made, now = Scene(run, place, vault), machine.now
    monkeypatch.setattr(machine, "now", lambda: now() + made.later)
    with keyring_of({("signing", "me"): KEY}):
        yield made


def printing(path: Path) -> str:
    """Return a reference to a program that prints *path*, and more on stderr."""
    code = "import sys; text = open(sys.argv[1]).read(); print(text); sys.stderr.write(text)"
    return "cmd:" + shlex.join((sys.executable, "-c", code, str(path)))


def _quotes(heard: Heard) -> list[str]:
    """Return everything that this receiver knows and is secret, in every spelling."""
    sent = [value for name, value in heard.headers.items() if name in SECRET_HEADERS]
    return [text for secret in (*sent, *_known(heard)) for text in spelt(secret)]


def _known(heard: Heard) -> list[str]:
    """Return the secrets behind what was sent."""
    if "x-a" not in heard.headers:
        return [TOKEN.text, PROXY.text]
    return [TOKEN.text, PROXY.text, HEADER.text, FILED.text, KEY]


def _told(heard: Heard, status: int, document: object, *, gzipped: bool = False) -> Answer:
    headers = {
        "X-Said": " ".join(text for text in _quotes(heard) if text.isprintable())[:20_000],
        "WWW-Authenticate": heard.headers.get("authorization", "none"),
        "Content-Type": "application/json",
    }
    body = json.dumps(document).encode()
    if gzipped:
        headers["Content-Encoding"], body = "gzip", gzip.compress(body, mtime=0)
    return status, headers, body


def _ids(heard: Heard) -> list[str]:
    found = json.loads(heard.body)
    return [
        e.get("event_id") or e["id"]
        for e in (found if isinstance(found, list) else found["events"])
    ]


def _words(heard: Heard, number: int) -> str:
    """Return some of what is quoted; a message is cut after a while, so it begins elsewhere."""
    quotes = _quotes(heard)
    start = number * 3 % len(quotes)
    return " and ".join((*quotes[start:], *quotes[:start]))


def quoting(heard: Heard, before: Sequence[Heard]) -> Answer:
    """Answer in one of the ways a request can end, and repeat what was sent."""
    number = sum(each.path == heard.path for each in before)
    words = _words(heard, number)
    said = {"error": words, "error_description": words, "category": words, "message": words}
    if heard.path.endswith("/health/"):
        facts = ("server_instance_id", "environment_name", "deployment_id", "git_sha", "status")
        return _told(heard, (401, 200, 500)[number % 3], {**said, **dict.fromkeys(facts, words)})
    results = [
        {"event_id": event_id, "status": "rejected", "detail": quote, "category": quote}
        for event_id, quote in zip(_ids(heard), cycle(_quotes(heard)), strict=False)
    ]
    plans: list[Callable[[], Answer]] = [
        partial(_told, heard, 401, said),
        partial(_told, heard, 401, said, gzipped=True),
        partial(_told, heard, 400, {"details": results, **said}),
        partial(_told, heard, 200, {"results": results}),
        partial(_told, heard, 500, said),
        partial(_told, heard, 403, words),
        partial(_told, heard, 412, said),
        partial(_told, heard, 429, said),
        partial(_told, heard, 200, said),
        partial(_told, heard, 413, said),
        lambda: (302, {"Location": f"https://{words[:200]}/"}, words.encode()),
        lambda: (200, {"Content-Length": "99999", "X-Said": words[:99]}, words.encode()),
        lambda: (407, {"Proxy-Authenticate": words[:99]}, words.encode()),
        partial(_told, heard, 422, said),
        partial(_told, heard, 400, said),
        partial(_told, heard, 410, said),
        partial(accept, heard),
    ]
    assert len(plans) == PLANS
    return plans[number % PLANS]()


def _drain(scene: Scene, rounds: int) -> None:
    """Deliver in as many ways as an answer can go wrong, and look at everything in between."""
    scene.capture(200)
    for _ in range(rounds):
        scene.capture()
        scene.act("target", "resume")
        scene.act("sync", "now", "--budget-requests", "1")
    for words in (
        ("sync", "status"),
        ("sync", "status", "--check"),
        ("sync", "mode"),
        ("sync", "server"),
        ("sync", "doctor", "--journal-mode", "truncate"),
        ("sync", "replay", "--all", "--dry-run"),
        ("target", "list"),
        ("target", "show"),
        ("journal", "list"),
        ("journal", "verify"),
        *(("journal", "show", f"e{number}") for number in range(1, 4)),
    ):
        scene.act(*words)
    if "config" in program().commands:
        scene.act("config", "show")


def _check_alive(app: App) -> None:
    """Neither the app nor what reaches the target shows a secret, also once it used them."""
    target = app.current_target()
    assert target is not None
    with app.receiver(target) as receiver:
        receiver.health()
        app.token()
        alive = [app, app.environment, app.config, app.secrets, receiver, app.token_problem]
        alive += [getattr(receiver, name, None) for name in ("transport", "signing", "target")]
        assert leaks(repr(alive).encode(), ALL) == []


@ROUNDS
def test_teamspace_learns_the_token_and_nobody_else(
    scene: Scene, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch, rounds: int
) -> None:
    """Nor the password of the environment's proxy; from any answer, to any output or file."""
    caplog.set_level(logging.DEBUG)
    with listening(lambda heard: quoting(heard, proxy.heard)) as proxy:
        monkeypatch.setenv("HTTP_PROXY", proxy.url.replace("://", f"://me:{PROXY.text}@"))
        token = printing(scene.vault / "token")
        scene.act("sync", "server", "http://127.0.0.1:9", "--team", "t", "--token", token)
        _drain(scene, rounds)
        app = assemble(Chosen())
        _check_alive(app)

    _check_heard(proxy, {"authorization": f"Bearer {TOKEN.text}"})
    assert "send_request_headers" in caplog.text
    assert leaks(caplog.text.encode(), ALL) == []
    scene.check()


@ROUNDS
def test_an_endpoint_learns_what_is_for_it_and_nobody_else(
    scene: Scene, caplog: pytest.LogCaptureFixture, rounds: int
) -> None:
    """Headers from a variable, a file and a program; a key from a keyring; a proxy's password."""
    caplog.set_level(logging.DEBUG)
    with listening(lambda heard: quoting(heard, proxy.heard)) as proxy:
        way = scene.vault / "way"
        way.write_text(proxy.url.replace("://", f"://me:{PROXY.text}@"))
        headers = (
            "X-A=env:HEADER",
            f"X-B=file:{scene.vault}/file",
            f"Authorization={_token(scene)}",
        )
        scene.act(
            *("sync", "mode", "EXTERNAL_RECEIVER", "--endpoint", "http://far.example/in"),
            *(word for header in headers for word in ("--header", header)),
            *("--sign", "keyring:signing/me", "--proxy", f"file:{way}", "--format", "cloudevents"),
        )
        _drain(scene, rounds)
        _check_alive(assemble(Chosen()))

    sent = {"authorization": TOKEN.text, "x-a": HEADER.text, "x-b": f"Key {FILED.text}"}
    _check_heard(proxy, sent)
    assert "send_request_headers" in caplog.text
    assert leaks(caplog.text.encode(), ALL) == []
    scene.check()


def _token(scene: Scene) -> str:
    return printing(scene.vault / "token")


def _check_heard(proxy: Listener, sent: Mapping[str, str]) -> None:
    """The other end got the secrets, in every request, and all ways to answer were gone."""
    assert sum(heard.path == proxy.heard[-1].path for heard in proxy.heard) >= PLANS
    for heard in proxy.heard:
        assert {name: heard.headers[name] for name in sent} == sent
        assert heard.headers["proxy-authorization"] == f"Basic {BASIC}"


def test_our_own_receiver_keeps_no_header(scene: Scene) -> None:
    """Neither its log nor its file has a secret that came with the events."""
    talk = StringIO()
    app = assemble(Chosen())
    scene.capture()
    with app.serve(scene.place / "inbox.db", talk=talk) as serving:
        serving.start()
        scene.act(
            *("sync", "mode", "EXTERNAL_RECEIVER", "--endpoint", f"{serving.url}/in"),
            *("--header", f"Authorization={_token(scene)}", "--header", "X-A=env:HEADER"),
            *("--sign", "keyring:signing/me"),
        )
        assert scene.run("sync", "now", "--json").document["counts"]["delivered"] == 1

    assert talk.getvalue()
    scene.said.append(talk.getvalue())
    scene.check()


def _settings(vault: Path) -> Sequence[tuple[str, ...]]:
    """Return what cannot be used though it leads to a secret, or to something that fails."""
    broken = vault / "broken"
    broken.write_bytes(TOKEN.text.encode() + b"\xff")
    several = vault / "several"
    several.write_text(f"{TOKEN.text}\n{TOKEN.text}")
    proxy = vault / "proxy"
    proxy.write_text(f"ftp://me:{PROXY.text}@[::")
    failing = "import sys; text = open(sys.argv[1]).read(); print(text); sys.exit(text)"
    program = shlex.join((sys.executable, "-c", failing, str(vault / "token")))
    return [
        *(("--header", f"X-A={ref}") for ref in (f"file:{broken}", f"file:{several}")),
        ("--header", f"X-A=cmd:{program}"),
        ("--header", f"X-A={printing(several)}"),
        ("--header", "X-A=keyring:signing/you"),
        ("--sign", f"file:{vault}/token"),
        ("--sign", f"file:{broken}"),
        ("--proxy", f"file:{proxy}"),
        ("--proxy", f"file:{vault}/token"),
    ]


def test_what_is_raised_tells_nothing(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nor does what it came of; by any reference that leads to what cannot be used."""
    scene.capture()
    endpoint = ("--endpoint", "http://127.0.0.1:9")
    for words in _settings(scene.vault):
        scene.act("sync", "mode", "LOCAL_RETENTION")
        empty = ("--header", "", "--sign", "", "--proxy", "")
        scene.act("sync", "mode", "EXTERNAL_RECEIVER", *endpoint, *empty)
        scene.act("sync", "mode", "EXTERNAL_RECEIVER", *endpoint, *words)
        scene.act("sync", "now")
        with pytest.raises(EventSyncError) as caught:
            deliver(assemble(Chosen()), Budget())
        assert leaks_of_error(caught.value, ALL) == [], words
    scene.act("sync", "mode", "EXTERNAL_RECEIVER", *endpoint, *empty)
    for name in ("HTTP_PROXY", "NO_PROXY"):
        monkeypatch.setenv(name, f"ftp://me:{PROXY.text}@[::")
        scene.act("sync", "now")
        monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    scene.check()


@pytest.mark.parametrize("text", [each.text for each in ALL if each.text.isprintable()])
def test_what_is_given_instead_of_a_reference_is_not_repeated(scene: Scene, text: str) -> None:
    """On the command line, nor in a file that was written by hand."""
    url = f"http://me:{text.replace('/', '')}@127.0.0.1:9"
    for option in ("--header", "--sign", "--proxy"):
        for value in (text, f"X-A={text}", f"cmd:'{text}", f"keyring:{text}", url):
            scene.act("sync", "mode", "EXTERNAL_RECEIVER", "--endpoint", "http://a", option, value)
    for words in (("http://a", "--token", text), (url,)):
        scene.act("sync", "server", *words)
    assert leaks("\0".join(scene.said).encode(), ALL) == []
