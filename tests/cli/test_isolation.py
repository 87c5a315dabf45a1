"""Projects that look alike share nothing on the command line either, whatever their spelling."""

import json
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import attrs
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from eventsync_adapters.server import Serving
from tests.cli.conftest import Run
from tests.crash.scenes import Held, receiving
from tests.effort import examples

PROJECT = "9b2f6c1e-abcd-4000-8000-000000000001"
STREAMS = (PROJECT, "9b2f6c1e-abcd-4000-8000-000000000002", "default")
_ALIKE = {"project_slug": "app", "aggregate_id": "WP01", "team_slug": "team", "user": "me"}


@attrs.define
class World:
    """A home, two receivers, and what may go where as an onlooker knows it."""

    run: Run
    home: Path
    receivers: list[Held]
    ids: list[str] = attrs.field(factory=list)
    current: int | None = None
    places: dict[str, tuple[str, int]] = attrs.field(factory=dict)
    reach: dict[tuple[int, str], int] = attrs.field(factory=dict)

    def act(self, *words: str) -> Any:
        """Run a command that does its work and return its document."""
        ran = self.run("--home", str(self.home), "--json", *words)
        assert ran.code in (0, 3, 4), ran
        return ran.document

    def head(self, stream: str) -> int:
        """Return how many events the stream holds."""
        return sum(1 for where, _ in self.places.values() if where == stream)

    def capture(self, stream: str, count: int) -> None:
        """Capture events that differ from those of other projects in nothing but the project."""
        project = {} if stream == "default" else {"project_uuid": stream}
        first, path = len(self.places) + 1, self.home.parent / "events.jsonl"
        ids = [f"e{number}" for number in range(first, first + count)]
        lines = [json.dumps({"event_id": each, **_ALIKE, **project}) for each in ids]
        path.write_text("\n".join(lines))
        assert self.act("capture", str(path))["streams"] == {stream: count}
        for each in ids:
            self.places[each] = (stream, self.head(stream) + 1)

    def choose(self, which: int, stream: str, *, from_now: bool) -> None:
        """Make a receiver the current target, which grants it a stream."""
        place = ("--endpoint", self.receivers[which].url, *["--from-now"][: int(from_now)])
        done = self.act("sync", "mode", "EXTERNAL_RECEIVER", *place, "--project", stream)
        if done["target"]["target_id"] not in self.ids:
            self.ids.append(done["target"]["target_id"])
        self.current = which
        self.note(which, stream, from_now=from_now)

    def note(self, which: int, stream: str, *, from_now: bool) -> None:
        """Remember a grant."""
        above = self.head(stream) if from_now else 0
        self.reach[which, stream] = min(above, self.reach.get((which, stream), above))

    def grant(self, which: int, stream: str, *, from_now: bool) -> None:
        """Grant a stream to one of them, current or not."""
        words = [self.ids[which], "--project", stream, *["--from-now"][: int(from_now)]]
        said = self.act("target", "grant", *words, "--dry-run")
        done = self.act("target", "grant", *words)
        assert (said["will_send"], said["owed_now"]) == (done["will_send"], done["owed_now"])
        self.note(which, stream, from_now=from_now)

    def revoke(self, which: int, stream: str) -> None:
        """End a grant, if there is one."""
        done = self.act("target", "revoke", self.ids[which], "--project", stream)
        assert done["was_granted"] is ((which, stream) in self.reach)
        self.reach.pop((which, stream), None)

    def deliver(self, stream: str | None) -> Any:
        """Deliver to the current target; check that only what may go went, and only there."""
        before = [len(receiver.requests) for receiver in self.receivers]
        named = () if stream is None else ("--project", stream)
        done = self.act("sync", "now", *named)
        for which, receiver in enumerate(self.receivers):
            arrived = [each for request in receiver.requests[before[which] :] for each in request]
            assert not arrived or which == self.current
            for each in arrived:
                where, position = self.places[each]
                assert position > self.reach[which, where]
                assert stream in (None, where)
        return done


_WHICH, _STREAM = st.integers(0, 1), st.sampled_from(STREAMS)
_STEP = st.one_of(
    st.tuples(st.just("capture"), _STREAM, st.integers(1, 3)),
    st.tuples(st.sampled_from(("choose", "grant")), _WHICH, _STREAM, st.booleans()),
    st.tuples(st.just("revoke"), _WHICH, _STREAM),
    st.tuples(st.just("deliver"), st.none() | _STREAM),
)


@pytest.fixture
def two_receivers() -> Iterator[list[Held]]:
    """Two receivers that keep the ids of each request."""
    with ExitStack() as stack:
        yield [stack.enter_context(receiving(Held())) for _ in range(2)]


@settings(
    max_examples=examples(10),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(steps=st.lists(_STEP, min_size=3, max_size=14))
def test_nothing_goes_without_its_own_grant(
    run: Run, two_receivers: list[Held], steps: list[tuple[Any, ...]]
) -> None:
    """However grants come and go; granted everything, each receiver gets each event once."""
    with TemporaryDirectory() as folder:
        for receiver in two_receivers:
            receiver.requests.clear()
            receiver.inbox = type(receiver.inbox)()
        world = World(run, Path(folder) / "home", two_receivers)
        for which in (0, 1):
            world.choose(which, "default", from_now=True)
        for name, *rest in steps:
            if name in ("choose", "grant"):
                getattr(world, name)(*rest[:2], from_now=rest[2])
            else:
                getattr(world, name)(*rest)
        for which in (0, 1):
            for stream in STREAMS:
                world.choose(which, stream, from_now=False)
            done = world.deliver(None)
            assert (done["ok"], done["remaining_owed"]) == (True, 0)
            arrived = [each for request in two_receivers[which].requests for each in request]
            assert Counter(arrived) == Counter(dict.fromkeys(world.places, 1))


_SPELLINGS = {
    "plain": PROJECT,
    "upper": PROJECT.upper(),
    "null": None,
    "blank": " ",
    "braces": f"{{{PROJECT}}}",
    "absent": ...,
}


def spelt(path: Path) -> str:
    """Write an event for each spelling of the project; its id is the spelling's name."""
    with path.open("w") as file:
        for name, value in _SPELLINGS.items():
            project = {} if value is ... else {"project_uuid": value}
            file.write(json.dumps({"event_id": name, **project}) + "\n")
    return str(path)


@pytest.mark.parametrize("named", [None, PROJECT.upper()])
def test_every_spelling_belongs_to_one_stream(
    run: Run, tmp_path: Path, receiver: Serving, named: str | None
) -> None:
    """Upper case is the same project, braces are another, and none is the one that was named."""
    project = () if named is None else ("--project", named)
    captured = run("capture", spelt(tmp_path / "spelt.jsonl"), *project, "--json").document
    nameless = {"null", "blank", "absent"}
    braces = _SPELLINGS["braces"]
    if named is None:
        assert captured["streams"] == {PROJECT: 2, "default": 3, braces: 1}
    else:
        assert captured["streams"] == {PROJECT: 5, braces: 1}
    run("sync", "mode", "EXTERNAL_RECEIVER", "--endpoint", receiver.url, *project)
    run("sync", "now", *project)
    first = {kept.event_id for kept in receiver.inbox.received()}
    assert first == (nameless if named is None else {"plain", "upper", *nameless})

    granted = run("target", "grant", "--project", PROJECT.upper(), "--json").document

    assert granted["stream"] == PROJECT
    run("sync", "now")
    assert {kept.event_id for kept in receiver.inbox.received()} == {"plain", "upper", *nameless}
    run("target", "grant", "--project", str(braces))
    run("target", "revoke", "--project", PROJECT.upper())
    run("sync", "now")
    assert receiver.inbox.count() == len(_SPELLINGS)
