"""What stands in the way of bodies, and what is said of it."""

from pathlib import Path

import pytest

from eventsync_adapters.server import Serving
from eventsync_core.receivers import RequestRule, Script
from tests.cli.bodies import add, capture, states
from tests.cli.conftest import Run


@pytest.mark.parametrize("rule", [RequestRule(status=412), RequestRule(status=200, body="<html>")])
def test_what_stops_events_stops_bodies(
    run: Run, mission: Path, teamspace: Serving, rule: RequestRule
) -> None:
    """No body goes before an event that an answer of its endpoint kept back."""
    add(run, mission, "spec.md")
    capture(run, mission, "e1")
    teamspace.set_script(Script(requests=[rule]))

    synced = run("sync", "now", "--json")

    assert synced.code == 3
    assert synced.document["bodies"]["requests"] == 0
    assert states(run) == ["queued"]
    if synced.document["stopped_because"] == "protocol":
        assert synced.document["bodies"]["stopped_because"] == "protocol"
        assert synced.document["bodies"]["remaining"] == 1
