"""Which streams may go to a target that is chosen, after what was decided of its server before."""

from collections.abc import Sequence

import attrs

from eventsync_cli.compose import App
from eventsync_cli.granting import CLI, Said, grant_words
from eventsync_core import desk
from eventsync_core.egress import Grant
from eventsync_core.restoring import RESTORED
from eventsync_core.stores import Stores
from eventsync_core.targets import Target

__all__ = ["grant", "is_live", "let_go"]

_CHOSEN = Said(CLI, "chosen on the command line")
_MOST_NAMED = 20


@attrs.frozen
class _Before:
    """Grants to the same server for other teams and users; whether a team was named for any."""

    grants: Sequence[Grant]
    has_team: bool


def let_go(app: App, stores: Stores, target: Target, *, from_now: bool) -> list[str]:
    """
    Register *target* and grant what choosing it grants; return what to say of the rest.

    The stream of a project that was named is granted, and with *from_now* the default one. Else
    a decision that there is stays, for *target* or for its server: all that was granted there
    while no team was named, for then nothing could be sent; the default stream if it was granted
    to another team or user, and never ended. Where nothing was decided, the stream is granted.
    What rests since a backup was restored rests on, unless it is granted here.
    """
    before = _before(stores, target)
    if from_now or app.chosen.project is not None:
        grant(app, stores, target, _CHOSEN, from_now=from_now)
    elif not before.grants and not stores.grants.grants(target.target_id):
        grant(app, stores, target, _CHOSEN, from_now=False)
    else:
        desk.wake(stores, target, at=app.clock())
        is_other = before.has_team or not target.team
        kept = [each for each in before.grants if each.stream == app.stream or not is_other]
        _carry_over(app, stores, target, kept)
        _resume(app, stores, target)
    return [*_staying(app, stores, target, before.grants), *_resting(app, stores, target)]


def _resume(app: App, stores: Stores, target: Target) -> None:
    given = stores.grants.get(target.target_id, app.stream)
    # To choose a target is no word on what came with a backup: whoever restored it looks first.
    if given is not None and given.paused != RESTORED:
        stores.grants.resume(
            target.target_id,
            app.stream,
            actor=_CHOSEN.actor,
            reason=_CHOSEN.reason,
            at=app.clock(),
        )


def _resting(app: App, stores: Stores, target: Target) -> list[str]:
    """Say which streams rest there since a backup was restored."""
    grants = stores.grants.grants(target.target_id)
    names = [each.stream for each in grants if each.is_live and each.paused == RESTORED]
    command = app.chosen.spelt(f"eventsync target resume {target.target_id}")
    said = f"eventsync: streams that rest there since a backup was restored: {len(names)}"
    return [f"{said}; to let them go on: {command}"] if names else []


def grant(app: App, stores: Stores, target: Target, why: Said, *, from_now: bool) -> Grant:
    """Permit the named project's stream to go to *target*; see `eventsync_core.desk.grant`."""
    return desk.grant(
        stores,
        target,
        app.stream,
        from_now=from_now,
        actor=why.actor,
        reason=why.reason,
        at=app.clock(),
    )


def is_live(stores: Stores, target: Target, stream: str) -> bool:
    """Say whether *stream* may go to *target*."""
    given = stores.grants.get(target.target_id, stream)
    return given is not None and given.is_live


def _before(stores: Stores, target: Target) -> _Before:
    """Return what was decided for others at the same server; nothing if it was for *target*."""
    if stores.grants.grants(target.target_id):
        return _Before((), has_team=False)
    decided = {
        other.target_id: (other, stores.grants.grants(other.target_id))
        for other in stores.targets.targets()
        if (other.kind, other.url) == (target.kind, target.url)
    }
    return _Before(
        [each for _, grants in decided.values() for each in grants],
        has_team=any(other.team for other, grants in decided.values() if grants),
    )


def _carry_over(app: App, stores: Stores, target: Target, before: Sequence[Grant]) -> None:
    """Grant what all of *before* let go, and from no earlier position or body on."""
    ended = {each.stream for each in before if not each.is_live}
    first: dict[str, tuple[int, int]] = {}
    for each in before:
        position, body = first.get(each.stream, (0, 0))
        first[each.stream] = max(each.from_position, position), max(each.from_body, body)
    for stream in sorted(first.keys() - ended):
        stores.grants.grant(
            target.target_id,
            stream,
            from_position=first[stream][0],
            from_body=first[stream][1],
            actor=_CHOSEN.actor,
            reason=_CHOSEN.reason,
            at=app.clock(),
        )


def _staying(app: App, stores: Stores, target: Target, before: Sequence[Grant]) -> list[str]:
    """Name the streams that may go to the same server as another's, and not as *target*'s."""
    live = {each.stream for each in before if each.is_live}
    streams = sorted(name for name in live if not is_live(stores, target, name))
    lines = [
        f"eventsync: stream {name} was granted there for another team or user, and stays here "
        f"until {app.chosen.spelt(grant_words(name))}"
        for name in streams[:_MOST_NAMED]
    ]
    more = len(streams) - len(lines)
    return [*lines, f"eventsync: and {more} more streams"] if more else lines
