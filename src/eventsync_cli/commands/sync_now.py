import math
from typing import Any

import attrs
import click

from eventsync_cli.acting import acting
from eventsync_cli.compose import App
from eventsync_cli.delivering import deliver
from eventsync_cli.render import Result
from eventsync_cli.waiting import waiting_lines
from eventsync_core.clock import SECOND
from eventsync_core.dispatch import Budget

_AT_LEAST_ONE = click.IntRange(min=1)


class _Seconds(click.FloatRange):
    """A length of time that can be reckoned with: neither endless nor no number at all."""

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        seconds = float(super().convert(value, param, ctx))
        if not math.isfinite(seconds * SECOND):
            self.fail(f"{value} is no length of time.", param, ctx)
        return seconds


@acting("now")
@click.option("--budget-seconds", type=_Seconds(min=0), help="Stop after this long.")
@click.option("--budget-events", type=_AT_LEAST_ONE, help="Stop after so many events.")
@click.option("--budget-requests", type=_AT_LEAST_ONE, help="Stop after so many requests.")
def command(
    app: App,
    budget_seconds: float | None,
    budget_events: int | None,
    budget_requests: int | None,
) -> Result:
    """Deliver to the current target what it is owed; of all its streams, or of --project's."""
    budget = Budget(seconds=budget_seconds, events=budget_events, requests=budget_requests)
    result = deliver(app, budget)
    return attrs.evolve(result, talk=(*result.talk, *waiting_lines(app)))
