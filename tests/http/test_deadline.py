"""Every exchange ends, however slowly the other end goes about it; judged by the clock given."""

import socket
import ssl
from collections.abc import Callable, Iterator
from threading import Semaphore

import attrs
import httpcore
import httpx
import pytest

from eventsync_adapters.http import Timeouts, Transport, _network
from eventsync_core.receivers import Answer

CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
HEAD = b"HTTP/1.1 200 OK\r\n"
CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"


@attrs.define
class Steps:
    """A clock that moves ten seconds for each look at it, and lets the server make one step."""

    now: float = 0.0
    turns: Semaphore = attrs.field(factory=lambda: Semaphore(0))
    is_done: bool = False

    def __call__(self) -> float:
        self.now += 10
        self.turns.release()
        return self.now

    def trickle(self, first: bytes, piece: bytes) -> Callable[[socket.socket], None]:
        """Return what sends *first*, then *piece* with each step, until the client has left."""

        def behave(connection: socket.socket) -> None:
            connection.sendall(first)
            while self.turns.acquire(timeout=20) and not self.is_done:
                connection.sendall(piece)

        return behave

    def end(self) -> None:
        """Let the server go."""
        self.is_done = True
        self.turns.release()


@pytest.fixture
def steps() -> Iterator[Steps]:
    found = Steps()
    yield found
    found.end()


def post(steps: Steps, url: str, content: bytes = b"{}") -> Answer:
    with Transport(monotonic=steps, verify=False) as transport:
        try:
            return transport.post(url, content, {})
        finally:
            steps.end()


@pytest.mark.parametrize(
    ("first", "piece", "status"),
    [
        (b"", b"H", None),
        (HEAD + b"X-Long: ", b"x", None),
        (b"", CONTINUE, None),
        (CHUNKED + b"1;", b"x", 200),
        (CHUNKED, b"1\r\nx\r\n", 200),
        (HEAD + b"Content-Length: 100000\r\n\r\n", b"x", 200),
        (CHUNKED + b"0\r\n", b"X-Trailer: x\r\n", 200),
    ],
)
def test_what_trickles_in_is_given_up(
    fault_server, steps: Steps, first: bytes, piece: bytes, status: int | None
) -> None:
    """Head, informational answers, chunks, their extensions, trailers: 90 s for all of it."""
    server = fault_server(steps.trickle(first, piece))

    answer = post(steps, server.url)

    assert (answer.status, answer.reached) == (status, True)
    assert answer.fault == "the exchange took longer than 90 s"
    assert status is None or not answer.is_whole
    assert steps.now < 200


def test_a_look_at_health_is_given_up_sooner(fault_server, steps: Steps) -> None:
    """Nobody waits 90 s for what is only good to know."""
    server = fault_server(steps.trickle(HEAD + b"Content-Length: 100000\r\n\r\n", b"x"))

    with Transport(monotonic=steps, verify=False) as transport:
        answer = transport.get(server.url, {})
        steps.end()

    assert answer.fault == "the exchange took longer than 10 s"
    assert steps.now < 100


def test_a_request_that_is_taken_slowly_is_given_up(fault_server, steps: Steps) -> None:
    """Sending counts as well."""
    server = fault_server(lambda _: None)

    answer = post(steps, server.url, b"x" * 1_000_000)

    assert (answer.status, answer.reached) == (None, True)
    assert answer.fault == "the exchange took longer than 90 s"


def test_no_wait_goes_beyond_the_end(fault_server) -> None:
    """Near the end, a silence is not waited for as long as it may last otherwise."""
    looks = iter([0.0])
    server = fault_server(lambda connection: connection.recv(1))

    with Transport(monotonic=lambda: next(looks, 89.9), verify=False) as transport:
        answer = transport.post(server.url, b"{}", {})

    assert (answer.status, answer.reached) == (None, True)
    assert "time" in answer.fault


def test_an_exchange_that_ends_before_it_connects_had_no_effect(fault_server) -> None:
    """Nothing left."""
    looks = iter([0.0])
    server = fault_server()

    with Transport(monotonic=lambda: next(looks, 100.0), verify=False) as transport:
        answer = transport.post(server.url, b"{}", {})

    assert (answer.status, answer.reached) == (None, False)
    assert answer.fault == "the exchange took longer than 90 s"


def test_the_next_exchange_has_time_of_its_own(fault_server) -> None:
    """A deadline belongs to one exchange, also on a connection that is kept."""
    raw = HEAD + b"Content-Length: 2\r\n\r\n{}"

    def twice(connection: socket.socket) -> None:
        connection.sendall(raw)
        connection.recv(65_536)
        connection.sendall(raw)

    steps, server = Steps(), fault_server(twice)
    with Transport(monotonic=steps, timeouts=Timeouts(look=100), verify=False) as transport:
        answers = [transport.get(server.url, {}) for _ in range(2)]

    assert [answer.status for answer in answers] == [200, 200]
    assert len(server.requests) == 1


def test_every_error_of_the_network_is_known() -> None:
    """What httpcore raises reaches us as httpx spells it."""
    raised = {
        kind
        for kind in vars(httpcore).values()
        if isinstance(kind, type)
        and issubclass(kind, Exception)
        and kind is not httpcore.ConnectionNotAvailable
    }
    assert set(_network._SAME) == raised
    for kind, same in _network._SAME.items():
        assert same is getattr(httpx, kind.__name__)


def test_a_handshake_that_hangs_is_a_fault(fault_server) -> None:
    """TLS with an end that speaks none: nothing of the request left."""
    with socket.create_server(("127.0.0.1", 0)) as mute:
        port = mute.getsockname()[1]
        looks = iter([0.0])
        context = ssl.create_default_context()
        with Transport(monotonic=lambda: next(looks, 89.9), verify=context) as transport:
            answer = transport.post(f"https://127.0.0.1:{port}/", b"{}", {})

    assert (answer.status, answer.reached) == (None, False)
