import click

from eventsync_cli.acting import acting
from eventsync_cli.choosing import (
    Choice,
    choose,
    reference_given,
    safe_server,
    target_document,
    without_credentials,
)
from eventsync_cli.compose import App
from eventsync_cli.failures import UsageProblemError
from eventsync_cli.render import Result, listing
from eventsync_core.errors import SettingsError
from eventsync_core.policy import Mode, policy_of, read_mode
from eventsync_core.targets import Kind, Target, canonical_url, make_target

_HEADER_MARKS = frozenset("!#$%&'*+-.^_`|~")


@acting("mode")
@click.argument("name", required=False)
@click.option("--endpoint", metavar="URL", help="Where an external receiver listens.")
@click.option(
    "--header",
    "headers",
    metavar="NAME=REF",
    multiple=True,
    help="A header for it; REF is env:NAME or file:PATH. May be repeated.",
)
@click.option("--from-now", is_flag=True, help="Grant only events captured from now on.")
def command(
    app: App, name: str | None, endpoint: str | None, headers: tuple[str, ...], *, from_now: bool
) -> Result:
    """
    Show the mode, or choose it by NAME.

    TEAMSPACE and EXTERNAL_RECEIVER deliver, LOCAL_RETENTION only keeps. OPT_OUT keeps nothing:
    events that may be bound for a target are refused, not dropped.
    """
    if name is None:
        if endpoint is not None or headers or from_now:
            raise UsageProblemError("options of sync mode need the NAME of a mode")
        return _present(app)
    mode = _mode(name)
    kind = policy_of(mode).delivery
    if kind is not Kind.EXTERNAL and (endpoint is not None or headers):
        raise UsageProblemError(f"--endpoint and --header do not go with {mode}")
    if kind is None:
        return choose(app, Choice(mode=mode, target=None, changes=_changes(mode)))
    if kind is Kind.EXTERNAL:
        return _external(app, endpoint, headers, from_now=from_now)
    return _teamspace(app, from_now=from_now)


def _present(app: App) -> Result:
    target = None if app.config.problem or app.conflict() else app.current_target()
    mode = app.config.mode
    pairs = [("Mode", mode.value), ("Target", target.url if target else "nobody")]
    return Result(
        document={
            "mode": mode.value,
            "endpoint": app.config.external_endpoint or None,
            "target": target and target_document(target),
            "stream": app.stream,
        },
        lines=listing(pairs),
        talk=app.concerns(),
    )


def _mode(name: str) -> Mode:
    try:
        return read_mode(name, source="the command line")
    except SettingsError as error:
        raise UsageProblemError(
            error.message, code=error.code, fix_argv=("eventsync", "sync", "mode", "--help")
        ) from None


def _changes(mode: Mode, **more: object) -> dict[str, dict[str, object]]:
    return {"event_sync": {"mode": mode.value.lower(), **more}}


def _external(
    app: App, endpoint: str | None, headers: tuple[str, ...], *, from_now: bool
) -> Result:
    place = endpoint or app.config.external_endpoint
    if not place:
        raise UsageProblemError(
            "EXTERNAL_RECEIVER mode requires an operator endpoint URL",
            code="endpoint_missing",
            fix_text="name it: eventsync sync mode EXTERNAL_RECEIVER --endpoint URL",
        )
    target = make_target(Kind.EXTERNAL, without_credentials(place))
    more: dict[str, object] = {"external_endpoint": place.strip()}
    talk: tuple[str, ...] = ()
    if headers:
        more["external_headers"] = _headers(app, headers)
    elif app.config.external_headers and not _is_same(target, app.config.external_endpoint):
        more["external_headers"] = None
        talk = ("eventsync: the headers of the previous endpoint are not used for this one",)
    changes = _changes(Mode.EXTERNAL_RECEIVER, **more)
    return choose(
        app,
        Choice(
            mode=Mode.EXTERNAL_RECEIVER,
            target=target,
            changes=changes,
            from_now=from_now,
            talk=talk,
        ),
    )


def _is_same(target: Target, place: str) -> bool:
    return bool(place) and canonical_url(place, keep_query=True) == target.url


def _headers(app: App, given: tuple[str, ...]) -> dict[str, str]:
    found = {}
    for text in given:
        name, mark, reference = text.partition("=")
        name = name.strip()
        if not mark or not name or not all(_is_header_mark(char) for char in name):
            raise UsageProblemError(
                "--header is NAME=REF", fix_text="for instance --header X-Key=env:MY_KEY"
            )
        found[name] = reference_given(app, reference, f"header {name}")
    return found


def _is_header_mark(char: str) -> bool:
    return char in _HEADER_MARKS or (char.isascii() and char.isalnum())


def _teamspace(app: App, *, from_now: bool) -> Result:
    place = app.config.server_url or app.environment.saas_url
    if not place:
        raise UsageProblemError(
            "TEAMSPACE mode needs a server, and none is configured",
            code="server_missing",
            fix_text="name it: eventsync sync server URL",
        )
    target = app.target_at(Kind.TEAMSPACE, safe_server(place))
    changes = _changes(Mode.TEAMSPACE)
    choice = Choice(mode=Mode.TEAMSPACE, target=target, changes=changes, from_now=from_now)
    return choose(app, choice)
