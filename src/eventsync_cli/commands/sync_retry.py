from typing import Any

import click

from eventsync_cli.acting import acting
from eventsync_cli.compose import App
from eventsync_cli.render import Result
from eventsync_cli.reopening import Wish, fulfil
from eventsync_cli.times import age
from eventsync_core.desk import Selection
from eventsync_core.ledger import Act
from eventsync_core.receivers import Outcome

_STATES = (
    Outcome.TERMINAL_FAILED,
    Outcome.REJECTED,
    Outcome.TRANSIENT,
    Outcome.UNKNOWN_EFFECT,
    Outcome.PENDING,
)
_STUCK = frozenset(_STATES[:2])


@acting("retry")
@click.argument("event_ids", nargs=-1)
@click.option(
    "--state",
    "states",
    multiple=True,
    type=click.Choice([state.value for state in _STATES]),
    help="Only those in this state; default terminal_failed and rejected.",
)
@click.option("--reason", default="", help="Only those whose last answer says this.")
@click.option("--type", "types", multiple=True, help="Only events of this type.")
@click.option("--older-than", metavar="AGE", help="Only those captured longer ago, as 12h or 7d.")
@click.option("--newer-than", metavar="AGE", help="Only those captured not so long ago.")
@click.option("--target", "target_id", help="At this target, not the current one.")
@click.option("--dry-run", is_flag=True, help="Count, but change nothing.")
def command(
    app: App,
    event_ids: tuple[str, ...],
    target_id: str | None,
    *,
    dry_run: bool,
    **filters: Any,
) -> Result:
    """
    Let events that failed or were refused go again: EVENT_IDS, or all that fit the options.

    They are due at once, at the target that refused them; what was said stays on record.
    """
    return fulfil(
        app,
        Wish(
            act=Act.RETRIED,
            selection=_selection(app.clock(), **filters),
            event_ids=event_ids,
            target_id=target_id,
            dry_run=dry_run,
        ),
    )


def _selection(
    now: int,
    *,
    states: tuple[str, ...],
    reason: str,
    types: tuple[str, ...],
    older_than: str | None,
    newer_than: str | None,
) -> Selection:
    return Selection(
        outcomes=frozenset(map(Outcome, states)) or _STUCK,
        types=frozenset(types),
        reason=reason,
        captured_from=None if newer_than is None else now - age(newer_than, "--newer-than"),
        captured_until=None if older_than is None else now - age(older_than, "--older-than"),
    )
