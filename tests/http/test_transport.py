"""Whatever a server does, a post is answered with an `Answer`."""

import gzip
import socket
import time
from collections.abc import Callable
from threading import Event
from typing import Any

import pytest

from eventsync_adapters.http import Timeouts, Transport
from eventsync_adapters.http._body import AnswerBody
from eventsync_core.receivers import Answer

OK = b"HTTP/1.1 200 OK\r\n"
BODY = b'{"events":[]}'


def says(raw: bytes) -> Callable[[socket.socket], None]:
    return lambda connection: connection.sendall(raw)


def post(transport: Transport, server: Any, **headers: str) -> Answer:
    return transport.post(server.url + "/x", BODY, headers)


def test_a_post_carries_only_what_is_needed(fault_server, transport) -> None:
    """The caller's bytes and headers; nothing that says more about this machine."""
    server = fault_server(says(OK + b"Content-Length: 2\r\nX-A: b\r\n\r\n{}"))

    answer = post(transport, server, Authorization="Bearer t", Custom="c")

    assert (answer.status, answer.body, answer.is_whole, answer.fault) == (200, b"{}", True, "")
    assert answer.headers["x-a"] == "b"
    head, _, body = server.requests[0].partition(b"\r\n\r\n")
    lines = head.decode().split("\r\n")
    names = sorted(line.split(":")[0].lower() for line in lines[1:])
    assert lines[0] == "POST /x HTTP/1.1"
    assert names == [
        "accept",
        "accept-encoding",
        "authorization",
        "connection",
        "content-length",
        "custom",
        "host",
        "user-agent",
    ]
    assert body == BODY


def test_the_callers_headers_do_not_break_the_framing(fault_server, transport) -> None:
    """The length is ours, in any spelling; content type and encoding are the caller's."""
    server = fault_server(says(OK + b"Content-Length: 0\r\n\r\n"))
    headers = {
        "content-length": "1",
        "Transfer-Encoding": "chunked",
        "content-encoding": "br",
        "content-type": "application/x-events",
    }

    answer = transport.post(server.url, BODY, headers)

    head, _, body = server.requests[0].partition(b"\r\n\r\n")
    head = head.lower()
    assert answer.status == 200
    assert b"content-length: 13" in head
    assert b"content-encoding: br" in head
    assert b"content-type: application/x-events" in head
    assert b"transfer-encoding" not in head
    assert body == BODY


def test_a_question_is_answered_like_a_post(fault_server, transport, impatient) -> None:
    """A get carries the caller's headers and no body; its faults are answers as well."""
    server = fault_server(says(OK + b"Content-Length: 2\r\n\r\n{}"), says(b""))

    answer = transport.get(server.url + "/health", {"Authorization": "Bearer t"})
    fault = impatient.get(server.url, {})

    assert (answer.status, answer.body) == (200, b"{}")
    assert server.requests[0].startswith(b"GET /health HTTP/1.1\r\n")
    assert b"authorization: bearer t" in server.requests[0].lower()
    assert server.requests[0].endswith(b"\r\n\r\n")
    assert (fault.status, fault.reached) == (None, True)


def test_a_question_has_a_patience_of_its_own(fault_server) -> None:
    """The time a get may take is not that of a post."""
    server = fault_server(lambda connection: connection.recv(1))
    timeouts = Timeouts(read=60, look=0.2)

    with Transport(monotonic=time.monotonic, timeouts=timeouts, verify=False) as transport:
        answer = transport.get(server.url, {})

    assert (answer.status, answer.reached) == (None, True)
    assert "time" in answer.fault or "longer than 0.2 s" in answer.fault


def test_a_refused_connection_never_reached_anyone(transport) -> None:
    """Nothing left: the effect is none."""
    with socket.create_server(("127.0.0.1", 0)) as gone:
        port = gone.getsockname()[1]

    answer = transport.post(f"http://127.0.0.1:{port}/", BODY, {})

    assert (answer.status, answer.reached) == (None, False)
    assert "no connection" in answer.fault


@pytest.mark.parametrize(
    "url",
    [
        "",
        "ftp://127.0.0.1/",
        "/only/a/path",
        "http://",
        f"http://{'x' * 70}.example/",
        "http://a..b/",
        "http://a:b/",
        "http://user:secret@a:b/",
        "http://[::1/",
    ],
)
def test_an_unusable_url_never_reaches_anyone(transport, url: str) -> None:
    """Not an exception, and nothing of the URL in the fault."""
    answer = transport.post(url, BODY, {})

    assert (answer.status, answer.reached) == (None, False)
    assert answer.fault
    assert "secret" not in answer.fault


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("Authorization", "Bearer secret\r\nX: y"),
        ("Authorization", "Bearer secret\n"),
        ("Authorization", "Bearer sécret"),
        ("Authorization", "Bearer "),
        ("X Y", "secret"),
        ("", "secret"),
    ],
)
def test_an_unfit_header_is_not_sent_and_not_shown(transport, name: str, value: str) -> None:
    """The fault names the header, never its value."""
    answer = transport.post("http://127.0.0.1:9/", BODY, {name: value})

    assert (answer.status, answer.reached) == (None, False)
    assert repr(name) in answer.fault
    assert "cret" not in repr(answer)


@pytest.mark.parametrize(
    "raw",
    [b"", b"HTTP/1.1 200", b"garbage\r\n\r\n", b"\x16\x03\x01", OK + b"Content-Le"],
)
def test_no_whole_head_is_an_unknown_effect(fault_server, transport, raw: bytes) -> None:
    """The request was sent; without a status nobody knows what it did."""
    answer = post(transport, fault_server(says(raw)))

    assert (answer.status, answer.reached) == (None, True)
    assert answer.fault
    assert "\n" not in answer.fault


@pytest.mark.parametrize(
    "raw",
    [
        b"Content-Length: 50\r\n\r\n{}",
        b"Transfer-Encoding: chunked\r\n\r\n5\r\n{}",
        b"Transfer-Encoding: chunked\r\n\r\nzz\r\n{}",
        b"Content-Encoding: gzip\r\n\r\n" + gzip.compress(b"{}" * 500, mtime=0)[:-12],
        b"Content-Encoding: gzip\r\n\r\nnot gzip",
        b"Content-Encoding: gzip\r\n\r\n" + gzip.compress(b"{}", mtime=0) + b"behind",
        b"Content-Encoding: gzip\r\n\r\n" + gzip.compress(b"{}", mtime=0) * 2 + b"\x1f",
        b"Content-Encoding: br\r\n\r\n{}",
    ],
)
def test_a_body_that_breaks_off_is_not_whole(fault_server, transport, raw: bytes) -> None:
    """The status counts, the body is marked."""
    answer = post(transport, fault_server(says(OK + raw)))

    assert (answer.status, answer.is_whole) == (200, False)


@pytest.mark.parametrize(
    ("head", "body"),
    [
        (b"", b"x" * 1_048_577),
        (b"Content-Encoding: gzip\r\n", gzip.compress(b"x" * 50_000_000, 9, mtime=0)),
    ],
)
def test_an_oversized_answer_is_read_within_the_bound(
    fault_server, transport, head: bytes, body: bytes
) -> None:
    """One mebibyte at most, also of a little body that unpacks to very much."""
    server = fault_server(says(OK + head + b"Content-Length: %d\r\n\r\n" % len(body) + body))

    answer = post(transport, server)

    assert not answer.is_whole
    assert len(answer.body) == 1_048_577


def test_an_answer_of_exactly_the_bound_is_whole(fault_server, transport) -> None:
    """One mebibyte can be read."""
    body = b"x" * 1_048_576
    server = fault_server(says(OK + b"Content-Length: %d\r\n\r\n" % len(body) + body))

    assert post(transport, server).is_whole


def test_a_gzip_answer_is_unpacked(fault_server, transport) -> None:
    """What is asked for is understood."""
    packed = gzip.compress(b'{"results":[]}')
    raw = OK + b"Content-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(packed) + packed

    answer = post(transport, fault_server(says(raw)))

    assert (answer.body, answer.is_whole) == (b'{"results":[]}', True)


def test_a_gzip_answer_of_several_members_is_unpacked(fault_server, transport) -> None:
    """They follow one another, wherever the network cuts them."""
    parts = (b'{"resu', b"", b'lts":[]}')
    packed = b"".join(gzip.compress(part, mtime=0) for part in parts)
    raw = OK + b"Content-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(packed) + packed

    answer = post(transport, fault_server(says(raw)))

    assert (answer.body, answer.is_whole) == (b'{"results":[]}', True)


@pytest.mark.parametrize("size", [1, 7, 1_000])
def test_members_are_unpacked_piece_by_piece(size: int) -> None:
    """A piece may end anywhere."""
    body = AnswerBody("gzip")
    packed = gzip.compress(b"a" * 50, mtime=0) + gzip.compress(b"b" * 50, mtime=0)

    assert all(body.take(packed[at : at + size]) for at in range(0, len(packed), size))

    body.end()
    assert (bytes(body.read), body.is_whole) == (b"a" * 50 + b"b" * 50, True)


def test_members_are_unpacked_within_the_bound() -> None:
    """However many there are."""
    body = AnswerBody("gzip")

    assert not body.take(gzip.compress(b"x" * 400_000, mtime=0) * 50)

    assert len(body.read) == 1_048_577


def test_a_redirect_is_not_followed(fault_server, transport) -> None:
    """It comes back as it is, also where it leads nowhere."""
    raw = b"HTTP/1.1 307 Go\r\nLocation: http://127.0.0.1:9/\r\nContent-Length: 0\r\n\r\n"

    answer = post(transport, fault_server(says(raw)))

    assert answer.status == 307
    assert answer.headers["location"] == "http://127.0.0.1:9/"


def test_a_redirect_to_nonsense_counts_as_sent(fault_server, transport) -> None:
    """A URL in an answer never makes it look as if nothing had left."""
    raw = b"HTTP/1.1 307 Go\r\nLocation: http://[::1/\r\nContent-Length: 0\r\n\r\n"

    assert post(transport, fault_server(says(raw))).reached


def test_cookies_are_not_kept(fault_server, transport) -> None:
    """A second request carries nothing that the first answer set."""
    raw = OK + b"Set-Cookie: a=b\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
    server = fault_server(says(raw), says(raw))

    post(transport, server)
    post(transport, server)

    assert b"cookie" not in server.requests[1].lower()


def test_silence_is_an_unknown_effect(fault_server, impatient) -> None:
    """After the read time-out the answer says so."""
    server = fault_server(lambda connection: connection.recv(1))

    answer = post(impatient, server)

    assert (answer.status, answer.reached) == (None, True)
    assert "time" in answer.fault


def test_a_trickling_body_ends_at_the_deadline(fault_server, impatient) -> None:
    """An answer that never falls silent and never ends is given up."""

    def trickle(connection: socket.socket) -> None:
        connection.sendall(OK + b"Content-Length: 1000000\r\n\r\n")
        connection.settimeout(0.02)
        while True:
            connection.sendall(b"x")
            try:
                if not connection.recv(1):
                    return
            except TimeoutError:
                pass

    answer = post(impatient, fault_server(trickle))

    assert (answer.status, answer.is_whole) == (200, False)
    assert "longer than 0.4 s" in answer.fault


def test_a_connection_closed_while_idle_is_replaced(fault_server, transport) -> None:
    """A server that ends keep-alive between two requests costs nothing."""
    raw = OK + b"Content-Length: 2\r\n\r\n{}"
    is_closed = Event()

    def then_close(connection: socket.socket) -> None:
        connection.sendall(raw)
        connection.shutdown(socket.SHUT_WR)
        is_closed.set()

    server = fault_server(then_close, says(raw))

    first = post(transport, server)
    assert is_closed.wait(10)
    second = post(transport, server)

    assert (first.status, second.status) == (200, 200)


def test_a_connection_closed_under_a_request_is_tried_once(fault_server, transport) -> None:
    """The request may have been read: unknown effect, no silent retry; the next one works."""
    raw = OK + b"Content-Length: 2\r\n\r\n{}"

    def then_vanish(connection: socket.socket) -> None:
        connection.sendall(raw)
        # The second request arrives on the kept connection, which then closes unanswered.
        while not connection.recv(65_536).endswith(BODY):
            pass

    server = fault_server(then_vanish, says(raw))

    answers = [post(transport, server) for _ in range(3)]

    assert [answer.status for answer in answers] == [200, None, 200]
    assert answers[1].reached
    assert len(server.requests) == 2


def test_the_environments_proxy_is_not_used(fault_server, monkeypatch) -> None:
    """Only what is passed in counts."""
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:9")
    server = fault_server(says(OK + b"Content-Length: 0\r\n\r\n"))

    with Transport(monotonic=time.monotonic, verify=False) as transport:
        assert post(transport, server).status == 200


def test_a_proxy_that_is_passed_in_is_used(fault_server) -> None:
    """And None takes a place out of it."""
    proxy = fault_server(says(OK + b"Content-Length: 0\r\n\r\n"))
    server = fault_server(says(OK + b"Content-Length: 0\r\n\r\n"))
    proxies = {"all://": proxy.url, "all://127.0.0.1": None}

    with Transport(monotonic=time.monotonic, verify=False, proxies=proxies) as transport:
        assert transport.post("http://far.example/x", BODY, {}).status == 200
        assert post(transport, server).status == 200

    assert proxy.requests[0].startswith(b"POST http://far.example/x ")
    assert server.requests[0].startswith(b"POST /x ")
