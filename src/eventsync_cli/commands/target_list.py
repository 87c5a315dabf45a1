from typing import Any

from eventsync_cli.acting import acting
from eventsync_cli.choosing import target_document
from eventsync_cli.compose import App
from eventsync_cli.render import Result
from eventsync_cli.targeting import current_if_any
from eventsync_core.codec import MOST_ITEMS
from eventsync_core.egress import Grant
from eventsync_core.status import grant_document
from eventsync_core.targets import Target


@acting("list")
def command(app: App) -> Result:
    """List all targets and their grants."""
    current = current_if_any(app)
    found: list[tuple[Target, list[Grant]]] = []
    with app.reading() as stores:
        if stores is not None:
            found = [
                (target, stores.grants.grants(target.target_id))
                for target in stores.targets.targets()
            ]
    return Result(
        document={
            "targets": [_document(*each, current) for each in found[:MOST_ITEMS]],
            "targets_count": len(found),
        },
        lines=[line for each in found for line in _lines(*each, current)] or ["no targets"],
        talk=app.concerns(),
    )


def _document(target: Target, grants: list[Grant], current: Target | None) -> dict[str, Any]:
    return {
        **target_document(target),
        "paused": target.paused,
        "is_current": target == current,
        "grants": [grant_document(grant) for grant in grants[:MOST_ITEMS]],
        "grants_count": len(grants),
    }


def _lines(target: Target, grants: list[Grant], current: Target | None) -> list[str]:
    mark = "* " if target == current else "  "
    who = "".join(f" {word}" for word in (target.team, target.user) if word)
    head = f"{mark}{target.target_id}  {target.kind}  {target.url}{who}"
    lines = [f"{head}  paused: {target.paused}" if target.paused else head]
    for grant in grants:
        state = f"from position {grant.from_position + 1}" if grant.is_live else "revoked"
        rest = f"  paused: {grant.paused}" if grant.paused else ""
        lines.append(f"      stream {grant.stream}  {state}{rest}")
    return lines
