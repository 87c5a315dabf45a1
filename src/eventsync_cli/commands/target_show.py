import click

from eventsync_cli.acting import acting
from eventsync_cli.choosing import target_document
from eventsync_cli.compose import App
from eventsync_cli.granting import act_line, grant_line
from eventsync_cli.looking import known_lines
from eventsync_cli.render import Result, listing
from eventsync_cli.targeting import current_if_any, meant
from eventsync_core.census import Class
from eventsync_core.clock import iso_time
from eventsync_core.errors import UnknownTargetError
from eventsync_core.status import TargetPicture, picture, picture_document

_MOST_LINES = 10


@acting("show")
@click.argument("target_id", required=False)
def command(app: App, target_id: str | None) -> Result:
    """Show all that is known of TARGET_ID, by default of the current target."""
    whose = meant(app, target_id)
    with app.reading() as stores:
        if stores is None:
            raise UnknownTargetError(whose)
        shown = picture(stores, whose, current_if_any(app), at=app.clock())
    return Result(
        document={**target_document(shown.status.target), **picture_document(shown)},
        lines=_lines(app, shown),
        talk=app.concerns(),
    )


def _lines(app: App, shown: TargetPicture) -> list[str]:
    return [
        *_who(shown),
        *known_lines(shown.status.target, app.chosen, at=shown.at),
        *_grants(shown),
        *_acts(shown),
        *_requests(shown),
        *_failures(shown),
    ]


def _who(shown: TargetPicture) -> list[str]:
    target, limits = shown.status.target, shown.status.target.limits
    pairs = [
        ("Target", target.target_id),
        ("Kind", target.kind.value),
        ("URL", target.url),
        ("Team/User", " ".join(word for word in (target.team, target.user) if word)),
        ("Called before", " ".join(shown.aliases[:_MOST_LINES])),
        ("Current", "yes" if shown.status.is_current else "no"),
        ("Delivered", str(shown.status.count(Class.DELIVERED))),
        ("Owed", str(shown.status.remaining_owed)),
    ]
    if shown.status.last_delivery_at is not None:
        pairs.append(("Last delivery", iso_time(shown.status.last_delivery_at)))
    if limits is not None:
        size = "" if limits.max_bytes is None else f", {limits.max_bytes} bytes"
        pairs.append(("Limits of a request", f"{limits.max_events} events{size}"))
    if target.deployment is not None:
        pairs.append(("Server", target.deployment.server_instance_id or "not named"))
        pairs.append(("Environment", target.deployment.environment_name or "not named"))
    return listing(pair for pair in pairs if pair[1])


def _grants(shown: TargetPicture) -> list[str]:
    lines = [f"Grants: {len(shown.grants)}"]
    for grant, stream in list(shown.standings)[:_MOST_LINES]:
        counts = "  ".join(f"{name} {count}" for name, count in stream.classes.items() if count)
        rest = f"  paused: {grant.paused}" if grant.paused else ""
        lines.append(f"  {grant.stream}  {grant_line(grant)}  {counts}{rest}".rstrip())
    return lines + _more(len(shown.grants))


def _acts(shown: TargetPicture) -> list[str]:
    lines = [f"Done to grants: {shown.act_count}"]
    lines += [f"  {act_line(act)}" for act in shown.acts[:_MOST_LINES]]
    return lines + _more(shown.act_count)


def _requests(shown: TargetPicture) -> list[str]:
    lines = [f"Requests: {shown.request_count}"]
    for request in shown.requests[:_MOST_LINES]:
        answer = request.answer or "no answer noted"
        status = "" if request.status is None else f"{request.status} "
        lines.append(
            f"  {iso_time(request.opened_at)}  {request.stream}:{request.positions}  "
            f"{status}{answer}  {request.guidance}".rstrip()
        )
    return lines + _more(shown.request_count)


def _failures(shown: TargetPicture) -> list[str]:
    count = shown.status.count(Class.TERMINAL_FAILED)
    lines = [f"Terminal failures: {count}"]
    lines += [
        f"  {failed.event_id}  {failed.stream}:{failed.position}  {failed.said.reason}"
        for failed in shown.failures[:_MOST_LINES]
    ]
    return lines + _more(count)


def _more(count: int) -> list[str]:
    return [f"  and {count - _MOST_LINES} more"] if count > _MOST_LINES else []
