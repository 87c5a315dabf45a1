from typing import Any

import click

from eventsync_cli.acting import acting
from eventsync_cli.choosing import target_document
from eventsync_cli.compose import App
from eventsync_cli.granting import grant_line
from eventsync_cli.render import Result
from eventsync_cli.targeting import current_if_any, target_called
from eventsync_core.codec import MOST_ITEMS
from eventsync_core.egress import Grant
from eventsync_core.errors import UnknownTargetError
from eventsync_core.status import grant_document
from eventsync_core.stores import Stores
from eventsync_core.targets import Target

_Found = tuple[Target, list[Grant], list[str]]


@acting("list")
@click.option(
    "--limit",
    type=click.IntRange(min=1, max=MOST_ITEMS),
    default=50,
    show_default=True,
    help="Most targets shown.",
)
@click.option("--after", metavar="TARGET_ID", help="Go on after this target.")
def command(app: App, limit: int, after: str | None) -> Result:
    """List all targets and their grants, in the order in which they were first chosen."""
    current = current_if_any(app)
    found: list[_Found] = []
    total, is_more = 0, False
    with app.reading() as stores:
        if stores is not None:
            targets = stores.targets.targets()
            page = targets[0 if after is None else _start(stores, targets, after) :]
            total, is_more = len(targets), len(page) > limit
            found = [_with_grants(stores, target) for target in page[:limit]]
        elif after is not None:
            raise UnknownTargetError(after)
    following = found[-1][0].target_id if is_more else None
    return Result(
        document={
            "targets": [_document(*each, current) for each in found],
            "targets_count": total,
            "next_after": following,
        },
        lines=[line for each in found for line in _lines(*each, current)] or ["no targets"],
        talk=(*app.concerns(), *([f"more: --after {following}"] if following else [])),
    )


def _start(stores: Stores, targets: list[Target], after: str) -> int:
    """
    Return the index to go on at.

    Raises:
        UnknownTargetError: There is no target *after* which to go on.
    """
    return targets.index(target_called(stores, after)) + 1


def _with_grants(stores: Stores, target: Target) -> _Found:
    target_id = target.target_id
    return target, stores.grants.grants(target_id), stores.past.aliases(target_id)


def _document(
    target: Target, grants: list[Grant], aliases: list[str], current: Target | None
) -> dict[str, Any]:
    return {
        **target_document(target),
        "aliases": aliases[:MOST_ITEMS],
        "aliases_count": len(aliases),
        "paused": target.paused,
        "is_current": target == current,
        "grants": [grant_document(grant) for grant in grants[:MOST_ITEMS]],
        "grants_count": len(grants),
    }


def _lines(
    target: Target, grants: list[Grant], aliases: list[str], current: Target | None
) -> list[str]:
    mark = "* " if target == current else "  "
    who = "".join(f" {word}" for word in (target.team, target.user) if word)
    head = f"{mark}{target.target_id}  {target.kind}  {target.url}{who}"
    lines = [f"{head}  paused: {target.paused}" if target.paused else head]
    lines += [f"      called {alias} before" for alias in aliases[:MOST_ITEMS]]
    for grant in grants[:MOST_ITEMS]:
        rest = f"  paused: {grant.paused}" if grant.paused else ""
        lines.append(f"      stream {grant.stream}  {grant_line(grant)}{rest}")
    if len(grants) > MOST_ITEMS:
        lines.append(f"      and {len(grants) - MOST_ITEMS} more")
    return lines
