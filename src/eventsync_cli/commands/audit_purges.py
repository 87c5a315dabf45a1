import click

from eventsync_cli.acting import acting
from eventsync_cli.compose import App
from eventsync_cli.purging import purge_document, purge_words
from eventsync_cli.render import Result, table
from eventsync_core.codec import MOST_ITEMS
from eventsync_core.payloads import Purge, PurgedCounts

_MOST = 10**18


@acting("purges")
@click.option(
    "--limit",
    type=click.IntRange(min=1, max=MOST_ITEMS),
    default=50,
    show_default=True,
    help="Most acts shown.",
)
@click.option(
    "--after",
    metavar="NUMBER",
    type=click.IntRange(min=0, max=_MOST),
    default=0,
    help="Go on after this act.",
)
def command(app: App, limit: int, after: int) -> Result:
    """List the acts by which payloads went or came back, oldest first."""
    found: list[Purge] = []
    gone = PurgedCounts()
    with app.reading() as stores:
        if stores is not None:
            found = stores.payloads.purges(after=after, limit=limit + 1)
            gone = stores.payloads.counts()
    shown = found[:limit]
    following = shown[-1].number if len(found) > limit else None
    return Result(
        document={
            "purges": [purge_document(each) for each in shown],
            "purged_count": gone.events,
            "purged_bytes": gone.size,
            "archived_count": gone.archived,
            "next_after": following,
        },
        lines=table([_row(each) for each in shown]) or ["no payload ever went"],
        talk=(*app.concerns(), *([f"more: --after {following}"] if following else [])),
    )


def _row(each: Purge) -> tuple[str, ...]:
    return (str(each.number), f"events {each.events}", f"bytes {each.size}", purge_words(each))
