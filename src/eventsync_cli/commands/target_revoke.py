from contextlib import suppress
from pathlib import Path

import attrs
import click

from eventsync_cli.acting import acting
from eventsync_cli.choosing import target_document
from eventsync_cli.compose import App, is_in_unit
from eventsync_cli.granting import Said, said
from eventsync_cli.render import Result
from eventsync_cli.targeting import called_now, no_target
from eventsync_core.census import remaining
from eventsync_core.errors import SettingsError, StoreBusyError, StoreError
from eventsync_core.policy import policy_of
from eventsync_core.stores import Stores
from eventsync_core.targets import Kind, Target

_DEFAULT = "revoked by target revoke"


@attrs.frozen
class _Found:
    """
    What the store knew of the grants before they ended; None: it could not be asked.

    How many events were owed, whether any grant was live, and which targets it does not know.
    """

    owed: int | None = None
    was_granted: bool | None = None
    unknown: tuple[str, ...] | None = None


@acting("revoke")
@click.argument("target_id", required=False)
@click.option("--reason", metavar="TEXT", help=f"Why.  [default: {_DEFAULT}]")
@click.option("--by", metavar="NAME", help="Who ends it.  [default: cli]")
@click.option("--dry-run", is_flag=True, help="Count, but change nothing.")
def command(
    app: App, target_id: str | None, *, reason: str | None, by: str | None, dry_run: bool
) -> Result:
    """
    End the permission of --project's stream to go to TARGET_ID, by default the current target.

    It holds at once, also while the database is busy.
    """
    chosen = _chosen(app) if target_id is None else []
    ids = (
        [target.target_id for target in chosen]
        if target_id is None
        else [called_now(app, target_id)]
    )
    if dry_run:
        with app.reading() as stores:
            return _result(app, ids, chosen, _look(app, stores, ids), dry_run=True)
    found, talk = _revoke(app, ids, said(by, reason, _DEFAULT))
    return _result(app, ids, chosen, found, dry_run=False, talk=talk)


def _revoke(app: App, ids: list[str], why: Said) -> tuple[_Found, tuple[str, ...]]:
    """Write files first, then the database; either is enough, and both failing is an error."""
    folder, written, failed = app.revocations(), [], None
    for each in ids:
        try:
            written.append(
                folder.add(each, app.stream, actor=why.actor, reason=why.reason, at=app.clock())
            )
        except StoreError as error:
            failed = error
    if not app.has_store:
        # A database that is not there now may come back with its grants.
        if failed is not None:
            raise failed
        return _Found(0, was_granted=False, unknown=tuple(ids)), ()
    try:
        found = _fold(app, ids, why, {done.path for done in written})
    except (StoreError, SettingsError) as error:
        if failed is not None:
            raise
        seen = _Found() if isinstance(error, StoreBusyError) else _seen(app, ids)
        line = f"eventsync: {error.message}; the revocation stands in a file and holds"
        return seen, (line,)
    if not is_in_unit():
        for done in written:
            folder.remove(done)
    return found, ()


def _fold(app: App, ids: list[str], why: Said, own: set[Path]) -> _Found:
    """End the grants in the database, after those that were ended by file before."""
    with app.stores() as stores:
        app.fold_in(stores, [each for each in app.revocations().pending() if each.path not in own])
        with stores.atomic():
            found = _look(app, stores, ids)
            for each in ids:
                stores.grants.revoke(
                    each, app.stream, actor=why.actor, reason=why.reason, at=app.clock()
                )
    return found


def _chosen(app: App) -> list[Target]:
    """Return the current target; where two sources name its server, both."""
    authority = app.authority
    is_teamspace = policy_of(app.config.mode).delivery is Kind.TEAMSPACE
    if is_teamspace and app.conflict() is not None and app.config.problem is None:
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
        raise no_target(app, f"there is no current target, name one{why}")
    return [target]


def _seen(app: App, ids: list[str]) -> _Found:
    """Look at the store that could not be written to; it may be that it cannot be read either."""
    with suppress(StoreError, SettingsError), app.reading() as stores:
        # Here the files count already, so what was owed is what they keep.
        return _Found(unknown=_look(app, stores, ids).unknown)
    return _Found()


def _look(app: App, stores: Stores | None, ids: list[str]) -> _Found:
    if stores is None:
        return _Found(0, was_granted=False, unknown=tuple(ids))
    known = {target.target_id for target in stores.targets.targets()}
    grants = [stores.grants.get(each, app.stream) for each in ids if each in known]
    owed = sum(
        remaining(stores.backlog.tally(each, app.stream, at=app.clock()).classes())
        for each in ids
        if each in known
    )
    return _Found(
        owed,
        was_granted=any(grant is not None and grant.is_live for grant in grants),
        unknown=tuple(each for each in ids if each not in known),
    )


def _result(
    app: App,
    ids: list[str],
    chosen: list[Target],
    found: _Found,
    *,
    dry_run: bool,
    talk: tuple[str, ...] = (),
) -> Result:
    verb = "would no longer go" if dry_run else "no longer goes"
    unknown = found.unknown or ()
    count = "what" if found.owed is None else f"{found.owed} events"
    was = "was" if found.owed is None else "that were"
    return Result(
        document={
            "target_ids": ids,
            "targets": [target_document(target) for target in chosen],
            "unknown_target_ids": None if found.unknown is None else list(found.unknown),
            "stream": app.stream,
            "was_granted": found.was_granted,
            "will_not_send": found.owed,
            "dry_run": dry_run,
        },
        lines=[
            f"stream {app.stream} {verb} to {each}"
            + (", which is no target known here" if each in unknown else "")
            for each in ids
        ]
        + [f"{count} {was} owed stay{'s' if found.owed is None else ''} here"],
        talk=(*talk, *app.concerns()),
    )
