"""The whole path on made-up events: captured once, delivered twice, compared byte by byte."""

import io
import json
import random
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import UUID

import attrs

from eventsync_cli.capturing import capture_lines
from eventsync_cli.choosing import Choice, choose
from eventsync_cli.compose import App, assemble_alone
from eventsync_cli.delivering import deliver
from eventsync_cli.looking import look, status_lines
from eventsync_core.dispatch import Budget
from eventsync_core.policy import Mode
from eventsync_core.targets import Kind, make_target

if TYPE_CHECKING:
    from eventsync_cli.compose import Serving

__all__ = ["Outcome", "Received", "make_lines", "run_demo"]

_SEED = 20_260_301
_EVENTS = 3_000
_FIRST_DAY = 1_767_225_600
_TYPES = {
    "WPStatusChanged": ("planned", "doing", "for_review", "done"),
    "WPAssigned": ("agent-1", "agent-2", "reviewer"),
    "MissionCreated": ("software-dev", "research", "documentation"),
    "ErrorLogged": ("timeout", "lint failed", "Prüfung übersprungen"),
}


@attrs.frozen(kw_only=True)
class Received:
    """What one receiver's own records hold; `is_identical`: the very bytes captured."""

    name: str
    url: str
    count: int
    is_identical: bool


@attrs.frozen(kw_only=True)
class Outcome:
    """What the demonstration showed; `idle_requests` went out when nothing was owed."""

    captured: int
    receivers: tuple[Received, ...]
    idle_requests: int

    @property
    def is_proven(self) -> bool:
        """Both receivers hold exactly what was captured, and nothing was sent in vain."""
        return self.idle_requests == 0 and all(
            each.is_identical and each.count == self.captured for each in self.receivers
        )


def make_lines(count: int = _EVENTS, seed: int = _SEED) -> list[str]:
    """Return *count* events of two projects as JSON lines, the same for the same *seed*."""
    chance = random.Random(seed)  # noqa: S311 - made-up events, no secrets
    projects = [str(UUID(int=chance.getrandbits(128), version=4)) for _ in range(2)]
    return [_line(chance, projects, number) for number in range(1, count + 1)]


def _line(chance: random.Random, projects: list[str], number: int) -> str:
    event_type = chance.choice(list(_TYPES))
    event = {
        "event_id": f"{chance.getrandbits(128):032X}",
        "event_type": event_type,
        "aggregate_id": f"WP{chance.randrange(40):02}",
        "aggregate_type": "WorkPackage",
        "lamport_clock": number,
        "timestamp": _FIRST_DAY + number * 7,
        "project_uuid": chance.choice(projects),
        "payload": {
            "value": chance.choice(_TYPES[event_type]),
            "notes": " ".join(chance.choices(("plan", "test", "merge", "fix"), k=20)),
        },
    }
    return json.dumps(event, ensure_ascii=chance.random() < 0.5)


def run_demo(tell: Callable[[str], None]) -> Outcome:
    """Run the demonstration in a temporary home, *tell* each step, and leave nothing behind."""
    with tempfile.TemporaryDirectory(prefix="eventsync-demo-") as folder:
        place = Path(folder)
        app = assemble_alone(place / "home")
        with (
            app.serve(place / "a.db") as first,
            app.serve(place / "b.db") as second,
        ):
            first.start()
            second.start()
            return _act(app, {"A": first, "B": second}, tell)


def _act(app: App, servers: "dict[str, Serving]", tell: Callable[[str], None]) -> Outcome:
    lines = make_lines()
    source = io.BytesIO("".join(line + "\n" for line in lines).encode())
    findings = capture_lines(app, source, progress=lambda _: None, rules=app.capture_rules())
    tell(f"captured {findings.stored} events of {len(findings.streams)} projects")
    for name, serving in servers.items():
        for project in findings.streams:
            _choose(app, project, serving.url)
        answer = deliver(app.reread(), Budget())
        counts = answer.document["counts"]
        tell(
            f"delivered {counts['delivered']} to receiver {name} "
            f"in {answer.document['requests']} requests"
        )
    status = look(app.reread())
    shown = status_lines(status, (), app.chosen, is_check=False, width=80, no_color=True)
    for line in shown:
        tell(f"  {line}")
    idle = deliver(app.reread(), Budget()).document["requests"]
    tell(f"a third delivery sent {idle} requests")
    expected = {json.loads(line)["event_id"]: line for line in lines}
    received = tuple(_compare(name, each, expected) for name, each in servers.items())
    for each in received:
        verdict = "the very bytes captured" if each.is_identical else "NOT what was captured"
        tell(f"receiver {each.name} holds {each.count} events, {verdict}")
    return Outcome(captured=findings.stored, receivers=received, idle_requests=idle)


def _choose(app: App, project: str, url: str) -> None:
    endpoint, mode = url + "/api/v1/events/batch/", Mode.EXTERNAL_RECEIVER
    target = make_target(Kind.EXTERNAL, endpoint)
    changes = {"event_sync": {"mode": mode.value.lower(), "external_endpoint": endpoint}}
    named = attrs.evolve(app, chosen=attrs.evolve(app.chosen, project=project))
    choose(named, Choice(mode=mode, target=target, changes=changes))


def _compare(name: str, serving: "Serving", expected: dict[str, str]) -> Received:
    held = dict(_held(serving))
    return Received(
        name=name,
        url=serving.url,
        count=serving.inbox.count(),
        is_identical=held == expected,
    )


def _held(serving: "Serving") -> Iterator[tuple[str, str]]:
    after = 0
    while page := serving.inbox.received(after=after):
        yield from ((kept.event_id, kept.text) for kept in page)
        after = page[-1].seq
