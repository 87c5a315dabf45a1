import click

from eventsync_cli.acting import acting
from eventsync_cli.compose import App
from eventsync_cli.failures import UsageProblemError
from eventsync_cli.render import Result
from eventsync_cli.reopening import Wish, fulfil
from eventsync_cli.times import moment
from eventsync_core.desk import Selection
from eventsync_core.ledger import Act
from eventsync_core.receivers import Outcome

_DELIVERED = frozenset({Outcome.SUCCESS, Outcome.DUPLICATE})


@acting("replay")
@click.option("--since", metavar="TIME", help="Only those captured then or later.")
@click.option("--until", metavar="TIME", help="Only those captured before.")
@click.option("--type", "types", multiple=True, help="Only events of this type.")
@click.option("--all", "everything", is_flag=True, help="All that was delivered.")
@click.option(
    "--nothing",
    is_flag=True,
    help="Replay nothing: what was noted as a reset of the target is dealt with.",
)
@click.option("--to", "target_id", metavar="TARGET_ID", help="To this target, not the current.")
@click.option("--dry-run", is_flag=True, help="Count, but change nothing.")
def command(
    app: App,
    since: str | None,
    until: str | None,
    types: tuple[str, ...],
    target_id: str | None,
    *,
    everything: bool,
    nothing: bool,
    dry_run: bool,
) -> Result:
    """
    Deliver events again to a target that has them, as after it lost its data.

    It opens a new round for each; that they were delivered before stays on record.
    """
    is_part = since is not None or until is not None or bool(types)
    if [everything, nothing, is_part].count(True) != 1:
        raise UsageProblemError(
            "name a part with --since, --until or --type, or else --all or --nothing",
            fix_argv=("eventsync", "sync", "replay", "--help"),
        )
    selection = Selection(
        outcomes=_DELIVERED,
        types=frozenset(types),
        captured_from=None if since is None else moment(since, "--since"),
        captured_until=None if until is None else moment(until, "--until"),
    )
    return fulfil(
        app,
        Wish(
            act=Act.DELIVERED_BEFORE,
            selection=None if nothing else selection,
            target_id=target_id,
            dry_run=dry_run,
        ),
    )
