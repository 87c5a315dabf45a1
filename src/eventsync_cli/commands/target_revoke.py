from contextlib import suppress

import click

from eventsync_cli.acting import acting
from eventsync_cli.choosing import target_document
from eventsync_cli.compose import App
from eventsync_cli.failures import UsageProblemError
from eventsync_cli.render import Result
from eventsync_core.census import remaining
from eventsync_core.errors import SettingsError, StoreError
from eventsync_core.stores import Stores
from eventsync_core.targets import Kind, Target


@acting("revoke")
@click.argument("target_id", required=False)
@click.option("--dry-run", is_flag=True, help="Count, but change nothing.")
def command(app: App, target_id: str | None, *, dry_run: bool) -> Result:
    """
    End the permission of --project's stream to go to TARGET_ID, by default the current target.

    It holds at once, also while the database is busy.
    """
    chosen = _chosen(app) if target_id is None else []
    ids = [target.target_id for target in chosen] if target_id is None else [target_id]
    if dry_run:
        with app.reading() as stores:
            return _result(app, ids, chosen, _owed(app, stores, ids), dry_run=True)
    stopped, talk = _revoke(app, ids)
    return _result(app, ids, chosen, stopped, dry_run=False, talk=talk)


def _revoke(app: App, ids: list[str]) -> tuple[int, tuple[str, ...]]:
    """Write files first, then the database; either is enough, and both failing is an error."""
    folder, written, failed = app.revocations(), [], False
    try:
        written = [folder.add(each, app.stream, at=app.clock()) for each in ids]
    except StoreError:
        failed = True
    if not app.has_store:
        # A database that is not there now may come back with its grants.
        return 0, ()
    try:
        stopped = _fold(app, ids)
    except StoreError as error:
        if failed:
            raise
        return 0, (f"eventsync: {error.message}; the revocation stands in a file and holds",)
    for each in written:
        folder.remove(each)
    return stopped, ()


def _chosen(app: App) -> list[Target]:
    """Return the current target; where configuration and environment disagree, both."""
    authority = app.authority
    if app.conflict() is not None and app.config.problem is None:
        found = []
        for place in (authority.configured_server_url, authority.env_server_url):
            with suppress(SettingsError):
                found.append(app.target_at(Kind.TEAMSPACE, place or ""))
        if found:
            return found
    problem = app.config.problem
    target = None if problem is not None else app.named_target()
    if target is None:
        why = "" if problem is None else f": {problem.message}"
        raise UsageProblemError(
            f"there is no current target, name one{why}",
            code="target_missing",
            fix_argv=("eventsync", "target", "list"),
        )
    return [target]


def _fold(app: App, ids: list[str]) -> int:
    with app.stores() as stores:
        stopped = _owed(app, stores, ids)
        for each in ids:
            stores.grants.revoke(each, app.stream, at=app.clock())
        return stopped


def _known(app: App) -> list[str]:
    """Return the targets registered here; none where the store cannot be read now."""
    with suppress(StoreError), app.reading() as stores:
        return [target.target_id for target in stores.targets.targets()] if stores else []
    return []


def _owed(app: App, stores: Stores | None, ids: list[str]) -> int:
    if stores is None:
        return 0
    known = {target.target_id for target in stores.targets.targets()}
    return sum(
        remaining(stores.backlog.tally(each, app.stream, at=app.clock()).classes())
        for each in ids
        if each in known
    )


def _result(
    app: App,
    ids: list[str],
    chosen: list[Target],
    stopped: int,
    *,
    dry_run: bool,
    talk: tuple[str, ...] = (),
) -> Result:
    verb = "would no longer go" if dry_run else "no longer goes"
    known = _known(app) or ids
    return Result(
        document={
            "target_ids": ids,
            "targets": [target_document(target) for target in chosen],
            "stream": app.stream,
            "will_not_send": stopped,
            "dry_run": dry_run,
        },
        lines=[
            f"stream {app.stream} {verb} to {each}"
            + ("" if each in known else ", which is no target known here")
            for each in ids
        ]
        + [f"{stopped} events that were owed stay here"],
        talk=(*talk, *app.concerns()),
    )
