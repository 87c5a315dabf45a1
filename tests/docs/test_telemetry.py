"""What the page "Telemetry" lists is what the program measures, traces and logs."""

import re
from io import StringIO
from pathlib import Path

import httpx
import pytest

from eventsync_cli.compose import assemble
from eventsync_cli.options import Chosen
from eventsync_core.telemetry import LOG_EVENTS, METRICS, SERVED, SPANS
from eventsync_core.telemetry._metrics import prometheus_name
from tests.docs.conftest import table


@pytest.fixture
def page(root: Path) -> Path:
    return root / "docs/telemetry.md"


def _words(cell: str) -> tuple[str, ...]:
    return tuple(re.findall(r"[^`, ]+", "" if cell == "none" else cell))


def test_every_metric_is_listed(page: Path) -> None:
    """With its names, kind, unit, labels and help, in the order in which they are told."""
    rows = [(*row[:4], _words(row[4]), row[5]) for row in table(page, "metrics")]

    assert rows == [
        (
            metric.name,
            prometheus_name(metric),
            metric.instrument.value,
            metric.unit,
            metric.labels,
            metric.help,
        )
        for metric in METRICS
    ]


def test_every_span_is_listed(page: Path) -> None:
    """With its attributes."""
    rows = [(name, said, _words(names)) for name, said, names in table(page, "spans")]

    assert rows == [(span.name, span.help, span.attributes) for span in SPANS]


def test_every_line_of_a_log_is_listed(page: Path) -> None:
    """With its fields."""
    rows = [(*row[:3], _words(row[3])) for row in table(page, "logs")]

    assert rows == [(line.name, line.where, line.help, line.fields) for line in LOG_EVENTS]


@pytest.mark.usefixtures("plain_environment")
def test_a_line_of_serve_has_these_fields() -> None:
    """In this order."""
    talk = StringIO()
    with assemble(Chosen()).serve(None, talk=talk) as serving:
        serving.start()
        httpx.get(serving.url + "/received/count", trust_env=False)

    (line, *_) = talk.getvalue().splitlines()
    assert tuple(re.findall(r"(\w+)=(?:'[^']*'|\S+)", line)) == SERVED.fields
    assert f"event='{SERVED.name}'" in line
