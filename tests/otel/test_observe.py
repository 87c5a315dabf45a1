"""`eventsync.observe`: what a store does as metrics and spans, and never otherwise than without."""

import importlib.util
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, cast

import attrs
import pytest

from eventsync import (
    Kind,
    NotJsonError,
    PayloadConflictError,
    SettingsError,
    StubReceiver,
    Target,
    make_target,
    observe,
    open_store,
)
from eventsync_adapters.otel import Meter, Tracer
from eventsync_core.receivers import Script
from eventsync_core.telemetry import METRICS, SPANS, Instrument


@attrs.define
class Books:
    """What was told to the host's OpenTelemetry."""

    made: list[tuple[str, str, str]] = attrs.field(factory=list)
    told: dict[tuple[str, tuple[tuple[str, str], ...]], list[float]] = attrs.field(factory=dict)
    spans: list[tuple[str, dict[str, Any]]] = attrs.field(factory=list)
    is_broken: bool = False

    def values(self, name: str) -> dict[tuple[str, ...], list[float]]:
        """Return what was told of a metric, by the values of its labels."""
        return {
            tuple(value for _, value in labels): amounts
            for (metric, labels), amounts in self.told.items()
            if metric == name
        }

    def _break(self) -> None:
        if self.is_broken:
            raise RuntimeError("no telemetry today")

    # A meter.
    def create_counter(self, name: str, unit: str = "", description: str = "") -> "_Book":
        assert description
        return self._make("counter", name, unit)

    def create_histogram(self, name: str, unit: str = "", description: str = "") -> "_Book":
        assert description
        return self._make("histogram", name, unit)

    def create_gauge(self, name: str, unit: str = "", description: str = "") -> "_Book":
        assert description
        return self._make("gauge", name, unit)

    def _make(self, kind: str, name: str, unit: str) -> "_Book":
        self._break()
        self.made.append((kind, name, unit))
        return _Book(name, self)

    # A tracer.
    @contextmanager
    def start_as_current_span(
        self, name: str, *, record_exception: bool = True, set_status_on_exception: bool = True
    ) -> Iterator["_Span"]:
        assert not record_exception
        assert not set_status_on_exception
        self._break()
        span = _Span()
        self.spans.append((name, span.noted))
        yield span


@attrs.frozen
class _Book:
    name: str
    books: Books

    def add(self, amount: float, attributes: Mapping[str, str] | None = None) -> None:
        key = (self.name, tuple((attributes or {}).items()))
        self.books.told.setdefault(key, []).append(amount)

    record = set = add


@attrs.frozen
class _Span:
    noted: dict[str, Any] = attrs.field(factory=dict)

    def set_attribute(self, key: str, value: str | float) -> None:
        self.noted[key] = value


@pytest.fixture
def books() -> Books:
    return Books()


@pytest.fixture
def target() -> Target:
    return make_target(Kind.EXTERNAL, "https://a.example/in")


def test_the_instruments_are_those_of_the_table(books: Books) -> None:
    """Each with its kind, name and unit, made once."""
    with open_store(None) as store:
        observe(store, meter=books, tracer=books)

    assert books.made == [(each.instrument.value, each.name, each.unit) for each in METRICS]


def test_captures_are_counted_by_what_became_of_them(books: Books) -> None:
    """And answered, or raised, as without it."""
    with open_store(None) as store:
        watched = observe(store, meter=books, tracer=books)
        assert watched.capture('{"event_id": "e1"}').state == "stored"
        assert watched.capture('{"event_id": "e1"}').state == "duplicate"
        with pytest.raises(PayloadConflictError):
            watched.capture('{"event_id": "e1", "n": 1}')
        with pytest.raises(NotJsonError):
            watched.capture("SECRET")
        found = watched.capture_many(['{"event_id": "e2"}', '{"event_id": "e3"}', "no"])

    assert [getattr(each, "state", "") for each in found] == ["stored", "stored", ""]
    totals = {state: sum(told) for (state,), told in books.values("eventsync.captured").items()}
    assert totals == {"stored": 3, "duplicate": 1, "refused": 3}
    assert len(books.values("eventsync.capture.duration")[()]) == 5
    assert [name for name, _ in books.spans] == ["eventsync.capture"] * 5
    assert books.spans[0][1] == {"eventsync.events": 1, "eventsync.stored": 1}
    assert books.spans[3][1]["error.type"] == "NotJsonError"
    assert books.spans[4][1] == {"eventsync.events": 3, "eventsync.stored": 2}
    assert "SECRET" not in repr(books)


def test_a_drain_tells_what_came_of_it(books: Books, target: Target) -> None:
    """Events by outcome, requests, how long it took and why it stopped."""
    receiver = StubReceiver(target.target_id, Script(events={"e2": {"status": "rejected"}}))
    with open_store(None) as store:
        watched = observe(store, meter=books, tracer=books)
        watched.capture_many([f'{{"event_id": "e{number}"}}' for number in range(4)])
        store.grant(target, actor="me")
        report = watched.drain(target, receiver)

    who = target.target_id
    totals = {key: sum(told) for key, told in books.values("eventsync.delivered").items()}
    assert totals == {(who, each.value): n for each, n in report.outcomes.items() if n}
    assert totals == {(who, "success"): 3, (who, "rejected"): 1}
    assert books.values("eventsync.requests") == {(who,): [report.requests]}
    (stop,) = books.values("eventsync.drain.duration")
    assert stop == (who, report.stopped_because)
    name, noted = books.spans[-1]
    assert (name, noted["eventsync.delivered"], noted["eventsync.remaining_owed"]) == (
        "eventsync.drain",
        3,
        report.remaining_owed,
    )


def test_a_drain_that_fails_is_told_too(books: Books, target: Target) -> None:
    """How long it took until then."""
    store = open_store(None)
    watched = observe(store, meter=books, tracer=books)
    store.grant(target, actor="me")
    watched.capture('{"event_id": "e1"}')
    with pytest.raises(AttributeError):
        watched.drain(target, cast("StubReceiver", object()))

    assert list(books.values("eventsync.drain.duration")) == [(target.target_id, "error")]
    store.close()


def test_the_gauges_are_those_of_the_status(books: Books, target: Target) -> None:
    """Set when the host asks for it, from one look."""
    with open_store(None) as store:
        watched = observe(store, meter=books, tracer=books)
        watched.capture('{"event_id": "e1"}')
        store.grant(target, actor="me")
        assert books.values("eventsync.events.retained") == {}

        standing = watched.measure(target)

    assert standing.status.captured_count == 1
    assert books.values("eventsync.events.retained") == {(): [1]}
    assert books.values("eventsync.target.owed") == {(target.target_id, "default"): [1]}


def test_what_is_noted_is_in_the_table(books: Books, target: Target) -> None:
    """Labels of metrics, attributes of spans: no other."""
    with open_store(None) as store:
        watched = observe(store, meter=books, tracer=books)
        watched.capture('{"event_id": "e1"}')
        store.grant(target, actor="me")
        watched.drain(target, StubReceiver(target.target_id))
        watched.measure(target)

    labels = {metric.name: metric.labels for metric in METRICS}
    assert {(name, tuple(key for key, _ in pairs)) for name, pairs in books.told} == {
        (name, labels[name]) for name, _ in books.told
    }
    assert {name for name, _ in books.told} >= {
        each.name for each in METRICS if each.instrument is not Instrument.GAUGE
    }
    attributes = {span.name: set(span.attributes) for span in SPANS}
    assert all(set(noted) <= attributes[name] for name, noted in books.spans)
    assert {name for name, _ in books.spans} == set(attributes)


def test_telemetry_that_fails_is_not_heeded(target: Target) -> None:
    """Nobody loses an event because it could not be counted."""
    books = Books(is_broken=True)
    with open_store(None) as store:
        watched = observe(store, meter=books, tracer=books)
        assert watched.capture('{"event_id": "e1"}').state == "stored"
        store.grant(target, actor="me")
        assert watched.drain(target, StubReceiver(target.target_id)).is_clean
        assert watched.measure(target).status.captured_count == 1


def test_nothing_of_it_is_imported_unless_it_is_asked_for() -> None:
    """Neither the API nor our own part, by a host that captures."""
    code = (
        "import sys, eventsync\n"
        'eventsync.open_store(None).capture(\'{"event_id": "e1"}\')\n'
        "print([name for name in sys.modules if 'opentelemetry' in name or 'otel' in name])\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", f"import sys; sys.path[:0] = {sys.path!r}\n{code}"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "[]\n"


def test_without_the_extra_it_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    """A meter and a tracer of the host's own are enough."""
    # To Python this is a package that is not installed.
    for name in ("opentelemetry", "opentelemetry.metrics", "opentelemetry.trace"):
        monkeypatch.setitem(sys.modules, name, None)
    with open_store(None) as store, pytest.raises(SettingsError) as caught:
        observe(store)

    assert caught.value.code == "telemetry_missing"
    assert "eventsync[otel]" in caught.value.fix_text


def test_the_api_of_opentelemetry_is_a_meter_and_a_tracer(target: Target) -> None:
    """As it is without an SDK: all of it is called, and does nothing."""
    metrics, trace = (importlib.import_module(f"opentelemetry.{n}") for n in ("metrics", "trace"))
    meter = cast(Meter, metrics.get_meter("test"))
    tracer = cast(Tracer, trace.get_tracer("test"))
    with open_store(None) as store:
        for watched in (observe(store), observe(store, meter=meter, tracer=tracer)):
            watched.capture('{"event_id": "e1"}')
            watched.measure(target)
