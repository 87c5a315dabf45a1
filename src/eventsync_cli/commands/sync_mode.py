from typing import Any

import attrs
import click

from eventsync_cli.acting import acting
from eventsync_cli.choosing import (
    REFERENCES,
    Choice,
    choose,
    safe_server,
    target_document,
    without_credentials,
)
from eventsync_cli.compose import App
from eventsync_cli.external import ExternalChoice, external_document, external_pairs
from eventsync_cli.failures import UsageProblemError
from eventsync_cli.render import Result, listing
from eventsync_core.errors import SettingsError
from eventsync_core.policy import Mode, OnDiscard, policy_of, read_mode
from eventsync_core.receivers import Gate
from eventsync_core.targets import Kind, make_target


@acting("mode")
@click.argument("name", required=False)
@click.option("--endpoint", metavar="URL", help="Where an external receiver listens.")
@click.option(
    "--header",
    "headers",
    metavar="NAME=REF",
    multiple=True,
    help=f"A header for it; REF is {REFERENCES}. May be repeated.",
)
@click.option(
    "--sign",
    metavar="REF",
    multiple=True,
    help="A key that signs what it is sent (Standard Webhooks). May be repeated.",
)
@click.option(
    "--format",
    "body_format",
    type=click.Choice(["eventsync", "cloudevents"]),
    help="How events are written to it.",
)
@click.option("--ca", metavar="FILE", help="The certificates that are trusted there, alone.")
@click.option("--cert", metavar="FILE", help="The certificate that is shown there.")
@click.option("--cert-key", metavar="FILE", help="Its key, where --cert does not hold it.")
@click.option("--proxy", metavar="URL|REF", help="The way there; a REF where it has a password.")
@click.option("--from-now", is_flag=True, help="Grant only events captured from now on.")
@click.option(
    "--on-discard",
    type=click.Choice([word.value for word in OnDiscard]),
    help="What OPT_OUT does with events that may be bound for a target.",
)
def command(
    app: App, name: str | None, *, from_now: bool, on_discard: str | None, **given: Any
) -> Result:
    """
    Show the mode, or choose it by NAME.

    TEAMSPACE and EXTERNAL_RECEIVER deliver, LOCAL_RETENTION only keeps. OPT_OUT keeps nothing:
    events that may be bound for a target are refused, or with --on-discard audit dropped and
    put on record; the others are dropped.
    """
    external = ExternalChoice(**given)
    if name is None:
        if external.is_given or from_now or on_discard:
            raise UsageProblemError("options of sync mode need the NAME of a mode")
        return _present(app)
    mode = _mode(name)
    kind = policy_of(mode).delivery
    if kind is not Kind.EXTERNAL and external.is_given:
        raise UsageProblemError("options of a receiver go with EXTERNAL_RECEIVER only")
    if kind is None and from_now:
        raise UsageProblemError("--from-now goes with a mode that delivers only")
    if on_discard and mode is not Mode.OPT_OUT:
        raise UsageProblemError("--on-discard goes with OPT_OUT only")
    if mode is Mode.OPT_OUT:
        return _opt_out(app, on_discard)
    if kind is None:
        return choose(app, Choice(mode=mode, target=None, changes=_changes(mode)))
    if kind is Kind.EXTERNAL:
        return _external(app, external, from_now=from_now)
    return _teamspace(app, from_now=from_now)


def _present(app: App) -> Result:
    target = None if app.config.problem or app.conflict() else app.current_target()
    mode = app.config.mode
    pairs = [
        ("Mode", mode.value),
        ("Target", target.url if target else "nobody"),
        *external_pairs(app),
    ]
    if mode is Mode.OPT_OUT:
        pairs.append(("On discard", app.config.on_discard.value))
    return Result(
        document={
            "mode": mode.value,
            "endpoint": app.config.external_endpoint or None,
            "external": {
                key.removeprefix("external_"): value
                for key, value in external_document(app).items()
            },
            "target": target and target_document(target),
            "stream": app.stream,
            "on_discard": app.config.on_discard.value,
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


def _opt_out(app: App, on_discard: str | None) -> Result:
    more = {} if on_discard is None else {"on_discard": on_discard}
    changes = _changes(Mode.OPT_OUT, **more)
    done = choose(app, Choice(mode=Mode.OPT_OUT, target=None, changes=changes))
    config = app.reread().config
    fate = "dropped and put on record" if config.on_discard is OnDiscard.AUDIT else "refused"
    line = f"nothing is kept: what is local only or discardable is dropped, all else is {fate}"
    return attrs.evolve(
        done,
        document={**done.document, "on_discard": config.on_discard.value},
        lines=done.lines if config.problem else (*done.lines, line),
    )


def _external(app: App, external: ExternalChoice, *, from_now: bool) -> Result:
    place = external.endpoint or app.config.external_endpoint
    if not place:
        raise UsageProblemError(
            "EXTERNAL_RECEIVER mode requires an operator endpoint URL",
            code=Gate.ENDPOINT_MISSING.value,
            fix_text="name it: eventsync sync mode EXTERNAL_RECEIVER --endpoint URL",
        )
    target = make_target(Kind.EXTERNAL, without_credentials(place))
    more, talk = external.changes(app, target)
    changes = _changes(Mode.EXTERNAL_RECEIVER, external_endpoint=place.strip(), **more)
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
