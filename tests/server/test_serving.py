"""The receiver, over real connections."""

import gzip
import http.client
import json
import socket
from pathlib import Path
from threading import Thread
from typing import Literal
from urllib.parse import urlsplit

import httpx
import pytest

from eventsync_adapters.server import Serving, serve
from eventsync_core.receivers import RequestRule, Script

BATCH = "/api/v1/events/batch/"


def raw_exchange(serving: Serving, request: bytes) -> bytes:
    """Send those bytes and return everything until the server closes."""
    place = urlsplit(serving.url)
    with socket.create_connection((place.hostname, place.port), timeout=10) as connection:
        connection.sendall(request)
        found = b""
        while chunk := connection.recv(65_536):
            found += chunk
    return found


def body(*texts: str) -> bytes:
    return ('{"events":[' + ",".join(texts) + "]}").encode()


def test_events_are_kept_and_given_back_as_they_came(client: httpx.Client) -> None:
    """Plain or gzip, to either address; one line per text."""
    texts = ['{"event_id": "a", "n": 1.50}', '{"event_id":"b"}', '{"event_id":"c","u":"é\u2028"}']

    one = client.post(BATCH, content=body(*texts[:2]))
    two = client.post(
        "/events", content=gzip.compress(body(texts[2])), headers={"Content-Encoding": "gzip"}
    )

    assert [result["status"] for result in one.json()["results"]] == ["success", "success"]
    assert two.json() == {"results": [{"event_id": "c", "status": "success"}]}
    assert client.get("/received").content.decode() == "".join(text + "\n" for text in texts)
    assert client.get("/received/count").json() == {"count": 3}


def test_a_text_with_a_line_break_is_wrapped(client: httpx.Client) -> None:
    """One line stays one event."""
    text = '{\n"event_id":\r"a"}'
    client.post(BATCH, content=body(text, '{"event_id":"b"}'))

    first, second = client.get("/received").content.decode().splitlines()

    assert json.loads(first) == {"event_id": "a", "text": text}
    assert second == '{"event_id":"b"}'


def test_received_is_paged(client: httpx.Client) -> None:
    """`after` counts lines already read; without a limit everything comes."""
    texts = [f'{{"event_id":"{number}"}}' for number in range(2_500)]
    for start in (0, 1_000, 2_000):
        client.post(BATCH, content=body(*texts[start : start + 1_000]))

    assert client.get("/received").text.splitlines() == texts
    assert client.get("/received?after=3&limit=2").text.splitlines() == texts[3:5]
    assert client.get("/received?after=900&limit=1200").text.splitlines() == texts[900:2_100]
    assert client.get("/received?after=2500").text == ""
    assert client.get("/received?limit=0").text == ""


@pytest.mark.parametrize("query", ["after=-1", "limit=x", "after=", "more=1", "limit=1e3"])
def test_an_unusable_page_is_refused(client: httpx.Client, query: str) -> None:
    """400, in JSON."""
    answer = client.get(f"/received?{query}")

    assert (answer.status_code, "error" in answer.json()) == (400, True)


def test_health_tells_who_this_is(client: httpx.Client) -> None:
    """The deployment facts and the limits."""
    said = client.get("/api/v1/sync/health/").json()

    assert said["git_sha"] == "abc"
    assert said["sync_ingress"]["limits"]["max_events_per_batch"] == 1_000


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/"),
        ("GET", BATCH),
        ("POST", "/api/v1/events/batch"),
        ("POST", "/api/v1/other/"),
        ("POST", "/api"),
        ("PUT", "/other"),
        ("DELETE", "/received"),
        ("PATCH", "/script"),
    ],
)
def test_other_addresses_are_missing(client: httpx.Client, method: str, path: str) -> None:
    """404 in JSON, and nothing is kept."""
    answer = client.request(method, path, content=body('{"event_id":"a"}'))

    assert (answer.status_code, "error" in answer.json()) == (404, True)
    assert client.get("/received/count").json() == {"count": 0}


def test_other_methods_are_refused_in_json(client: httpx.Client) -> None:
    """Also those that HTTP does not know."""
    answer = client.request("BREW", "/received")

    assert (answer.status_code, "error" in answer.json()) == (501, True)


def test_a_script_is_set_over_http(client: httpx.Client) -> None:
    """It holds from the next request on; a bad one changes nothing."""
    script = {"requests": [{"status": 503, "body": "no", "headers": {"Retry-After": "9"}}]}
    sent = body('{"event_id":"a"}')

    assert client.put("/script", json=script).json() == {"ok": True}
    assert client.put("/script", json={"more": 1}).status_code == 400
    assert client.put("/script", content=b"{").status_code == 400
    scripted, plain = client.post(BATCH, content=sent), client.post(BATCH, content=sent)

    assert (scripted.status_code, scripted.text, scripted.headers["retry-after"]) == (
        503,
        "no",
        "9",
    )
    assert plain.json()["results"][0]["status"] == "success"


@pytest.mark.parametrize(("cut", "kept"), [("before", 0), ("after", 1)])
def test_a_connection_is_cut_as_told(
    serving: Serving, client: httpx.Client, cut: Literal["before", "after"], kept: int
) -> None:
    """Before reading, or after storing."""
    serving.set_script(Script(requests=[RequestRule(cut=cut)]))

    with pytest.raises(httpx.TransportError):
        client.post(BATCH, content=body('{"event_id":"a"}'))

    assert serving.inbox.count() == kept


def test_an_answer_may_have_no_body(serving: Serving, client: httpx.Client) -> None:
    """204 leaves the connection usable."""
    serving.set_script(Script(requests=[RequestRule(status=204)]))

    assert client.post("/x", content=b"{}").status_code == 204
    assert client.get("/received/count").json() == {"count": 0}


@pytest.mark.parametrize(
    ("headers", "content", "status"),
    [
        ({"Content-Encoding": "gzip"}, b"not gzip", 400),
        ({"Content-Encoding": "gzip"}, gzip.compress(body('{"event_id":"a"}'), mtime=0)[:-9], 400),
        ({"Content-Encoding": "gzip"}, b"", 400),
        ({"Content-Encoding": "br"}, b"{}", 415),
        ({}, b"", 400),
        ({}, b"x" * 3_000_000, 413),
        ({"Content-Encoding": "gzip"}, gzip.compress(b"x" * 50_000_000, mtime=0), 413),
        ({"Content-Encoding": "gzip"}, gzip.compress(b"x" * 400_000, mtime=0) * 2, 413),
    ],
)
def test_an_unreadable_body_is_refused(
    client: httpx.Client, headers: dict[str, str], content: bytes, status: int
) -> None:
    """In JSON, within a bound, and the connection goes on."""
    answer = client.post(BATCH, content=content, headers=headers)

    assert (answer.status_code, "error" in answer.json()) == (status, True)
    assert client.get("/received/count").json() == {"count": 0}


def test_gzip_may_come_in_parts(client: httpx.Client) -> None:
    """Members one after another are one body."""
    whole = body('{"event_id":"a"}')
    packed = gzip.compress(whole[:5]) + gzip.compress(whole[5:])

    answer = client.post(BATCH, content=packed, headers={"Content-Encoding": "gzip"})

    assert answer.json()["results"][0]["status"] == "success"


def test_a_body_needs_a_length(serving: Serving) -> None:
    """Chunked requests are not read."""
    request = (
        b"POST /events HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
    )

    answer = raw_exchange(serving, request)

    assert answer.startswith(b"HTTP/1.1 411 ")


@pytest.mark.parametrize(
    "framing",
    [
        b"Content-Length: 44\r\nTransfer-Encoding: chunked\r\n",
        b"Content-Length: 44\r\nContent-Length: 3\r\n",
        b"Content-Length: -3\r\n",
        b"Content-Length: 99999999999\r\n",
    ],
)
@pytest.mark.parametrize("start", [b"POST /events", b"GET /received/count"])
def test_a_body_is_never_taken_for_a_request(
    serving: Serving, start: bytes, framing: bytes
) -> None:
    """Where its end is in doubt, the connection ends with the answer."""
    hidden = b"DELETE /received HTTP/1.1\r\nHost: localhost\r\n\r\n"

    answer = raw_exchange(
        serving, start + b" HTTP/1.1\r\nHost: localhost\r\n" + framing + b"\r\n" + hidden
    )

    assert answer.count(b"HTTP/1.1 ") == 1
    assert b"Connection: close" in answer


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("localhost", 200),
        ("LOCALHOST:80", 200),
        ("127.0.0.1:1", 200),
        ("127.8.9.1", 200),
        ("[::1]:9", 200),
        ("evil.example", 403),
        ("localhost.evil.example", 403),
        ("127.0.0.1.evil.example", 403),
        ("10.0.0.1", 403),
        ("192.168.0.1:80", 403),
        ("evil@localhost@evil.example", 403),
        ("[::1", 403),
        ("", 403),
    ],
)
def test_only_loopback_hosts_are_served(client: httpx.Client, host: str, status: int) -> None:
    """A name that a web page made point here is refused."""
    assert client.get("/received/count", headers={"Host": host}).status_code == status


def test_a_host_is_needed_once(serving: Serving) -> None:
    """None, or two, is refused."""
    for hosts in (b"", b"Host: localhost\r\nHost: evil.example\r\n"):
        answer = raw_exchange(
            serving, b"GET /received HTTP/1.1\r\nConnection: close\r\n" + hosts + b"\r\n"
        )
        assert answer.startswith(b"HTTP/1.1 403 ")


@pytest.mark.parametrize(
    ("origin", "status"),
    [("http://localhost:3000", 400), ("https://evil.example", 403), ("null", 403)],
)
def test_web_pages_of_others_cannot_post(client: httpx.Client, origin: str, status: int) -> None:
    """A page elsewhere may reach this machine through its browser."""
    assert client.post("/events", content=b"", headers={"Origin": origin}).status_code == status


@pytest.mark.parametrize("request_line", [b"garbage", b"GET / HTTP/9", b"GET /" + b"x" * 70_000])
def test_what_is_no_request_is_refused(serving: Serving, request_line: bytes) -> None:
    """Without breaking the server."""
    answer = raw_exchange(serving, request_line + b" HTTP/1.1\r\n\r\n")

    assert b'{"error":' in answer
    assert serving.inbox.count() == 0


def test_connections_are_kept(serving: Serving) -> None:
    """Many requests, one connection."""
    place = urlsplit(serving.url)
    connection = http.client.HTTPConnection(str(place.hostname), place.port, timeout=10)
    connection.connect()
    first = connection.sock
    for number in range(3):
        connection.request("POST", BATCH, body(f'{{"event_id":"{number}"}}'))
        assert connection.getresponse().read()

    assert connection.sock is first
    connection.close()


def test_closing_does_not_wait_for_clients(tmp_path: Path) -> None:
    """Idle connections and scripted delays are broken off, and the port is free again."""
    with serve(tmp_path / "r.db", clock=lambda: 1) as serving:
        serving.start()
        place = urlsplit(serving.url)
        serving.set_script(Script(requests=[RequestRule(delay_seconds=3_600)]))
        with (
            socket.create_connection((place.hostname, place.port)),
            socket.create_connection((place.hostname, place.port)) as waiting,
        ):
            waiting.sendall(b"POST /x HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n")
            serving.close()
            serving.close()
    with serve(tmp_path / "r.db", clock=lambda: 1, port=place.port or 0) as serving:
        assert serving.url.endswith(f":{place.port}")


def test_it_serves_in_the_foreground_until_stopped() -> None:
    """`stop` is heard from any thread."""
    with serve(None, clock=lambda: 1) as serving:
        stopper = Thread(target=serving.stop)
        stopper.start()
        serving.serve_forever()
        stopper.join()


def test_it_logs_only_where_told(capfd: pytest.CaptureFixture[str]) -> None:
    """One line per request to the callable, nothing on stdout or stderr."""
    lines: list[str] = []

    def note(event: str, detail: str) -> None:
        lines.append(f"{event}: {detail}")

    with serve(None, clock=lambda: 1, log=note) as serving:
        serving.start()
        httpx.get(serving.url + "/received/count", trust_env=False)
        raw_exchange(serving, b"garbage\r\n\r\n")

    assert any(line.startswith("request: ") and "GET /received/count" in line for line in lines)
    assert capfd.readouterr() == ("", "")


def test_only_loopback_can_be_listened_on() -> None:
    """It asks for no login."""
    with pytest.raises(ValueError, match="loopback"), serve(None, clock=lambda: 1, host="10.0.0.1"):
        pass


@pytest.mark.skipif(not socket.has_ipv6, reason="no IPv6 here")
def test_it_listens_on_ipv6_too() -> None:
    """The URL has its brackets."""
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        pytest.skip("no IPv6 loopback here")
    with serve(None, clock=lambda: 1, host="::1") as serving:
        serving.start()
        assert httpx.get(serving.url + "/received/count", trust_env=False).json() == {"count": 0}
