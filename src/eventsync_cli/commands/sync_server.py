import click

from eventsync_cli.acting import acting
from eventsync_cli.choosing import REFERENCES, Choice, choose, reference_given, safe_server
from eventsync_cli.compose import App
from eventsync_cli.failures import UsageProblemError
from eventsync_cli.render import Result, listing
from eventsync_core.errors import TargetUrlError
from eventsync_core.policy import Mode
from eventsync_core.targets import Kind, canonical_url, is_header_value


@acting("server")
@click.argument("url", required=False)
@click.option("--team", metavar="SLUG", help="The team that events belong to there.")
@click.option("--user", metavar="EMAIL", help="Whose events they are.")
@click.option("--token", metavar="REF", help=f"Where the token is: {REFERENCES}.")
@click.option("--from-now", is_flag=True, help="Grant only events captured from now on.")
def command(
    app: App,
    url: str | None,
    team: str | None,
    user: str | None,
    token: str | None,
    *,
    from_now: bool,
) -> Result:
    """Show the Teamspace server, or choose the one at URL and deliver to it."""
    given = {"team": team, "user": user, "token": token}
    if url is None:
        if from_now or any(value is not None for value in given.values()):
            raise UsageProblemError("options of sync server need the URL of a server")
        return _present(app)
    place = safe_server(url)
    changes = {key: value.strip() for key, value in given.items() if value is not None}
    if not is_header_value(changes.get("team", "")):
        raise UsageProblemError(
            "the team cannot be sent in a header",
            fix_text="give its slug, which is printable ASCII",
        )
    if token:
        changes["token"] = reference_given(app, token, "the token")
    target = app.target_at(
        Kind.TEAMSPACE, place, team=changes.get("team"), user=changes.get("user")
    )
    sync: dict[str, str | None] = {key: value or None for key, value in changes.items()}
    talk: tuple[str, ...] = ()
    if token is None and _is_token_lost(app, place):
        sync["token"] = None
        talk = ("eventsync: the token of the previous server is not used; name one with --token",)
    return choose(
        app,
        Choice(
            mode=Mode.TEAMSPACE,
            target=target,
            changes={
                "sync": {"server_url": place, **sync},
                "event_sync": {"mode": Mode.TEAMSPACE.value.lower()},
            },
            from_now=from_now,
            talk=talk,
        ),
    )


def _present(app: App) -> Result:
    authority = app.authority
    document = {
        "server_url": authority.resolved_server_url,
        "configured_server_url": authority.configured_server_url,
        "env_server_url": authority.env_server_url,
        "team": authority.team_slug,
        "user": authority.user_id,
        "token": app.config.token or None,
        "mode": app.config.mode.value,
    }
    pairs = [
        ("Server URL", authority.resolved_server_url or "<unset>"),
        ("Team", authority.team_slug or "<unset>"),
        ("User", authority.user_id or "<unset>"),
        ("Token", app.config.token or "<unset>"),
    ]
    return Result(document=document, lines=listing(pairs), talk=app.concerns())


def _is_token_lost(app: App, place: str) -> bool:
    """Say whether a token may stand in the configuration that is not known to be for *place*."""
    if app.config.problem is not None:
        return True
    before = app.config.server_url or app.environment.saas_url
    try:
        is_same = bool(before) and canonical_url(before) == place
    except TargetUrlError:
        is_same = False
    return bool(app.config.token) and not is_same
