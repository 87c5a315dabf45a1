"""Which target a command means: the one named on the command line, else the current one."""

from collections.abc import Sequence
from contextlib import suppress

from eventsync_cli.compose import App
from eventsync_cli.failures import UsageProblemError
from eventsync_core.clock import iso_time
from eventsync_core.egress import refuse
from eventsync_core.errors import SettingsError, StoreError, UnknownTargetError
from eventsync_core.ids import is_target_key
from eventsync_core.receivers import Gate
from eventsync_core.stores import Stores
from eventsync_core.targets import Breaker, Target

__all__ = [
    "called_now",
    "current_if_any",
    "current_target",
    "meant",
    "no_target",
    "target_called",
    "when_it_goes",
]


def meant(app: App, target_id: str | None) -> str:
    """
    Return *target_id*, else the id of the current target.

    What an old program called a target counts as its id.

    Raises:
        SettingsError: None was named, and the configuration cannot be understood.
        TargetConflictError: None was named, and it disagrees with the environment.
        UsageProblemError: None was named, and there is no current one; or old programs called
            several so.
        UnknownTargetError: None was named, and the current one is not registered yet.
    """
    if target_id is not None:
        return called_now(app, target_id)
    app.require_usable()
    current = current_target(app).target_id
    with app.reading() as stores:
        known = [] if stores is None else stores.targets.targets()
    if current not in {target.target_id for target in known}:
        error = UnknownTargetError(current)
        error.fix_argv = ("eventsync", "target", "grant")
        raise error
    return current


def called_now(app: App, name: str) -> str:
    """
    Return the id of the target that *name* means: its id, or what an old program called it.

    Raises:
        UsageProblemError: Old programs called several targets so.
    """
    if is_target_key(name):
        return name
    with suppress(StoreError, SettingsError), app.reading() as stores:
        found = [] if stores is None else stores.past.called(name)
        return _only(found, name)
    return name


def _only(found: Sequence[str], name: str) -> str:
    """Return the only target in *found*, or *name* where there is none."""
    if len(found) > 1:
        raise UsageProblemError(
            f"old programs called several targets {name}: {', '.join(found)}",
            code="target_ambiguous",
            fix_argv=("eventsync", "target", "list"),
        )
    return found[0] if found else name


def target_called(stores: Stores, name: str) -> Target:
    """
    Return the target that *name* means, as `called_now` does.

    Raises:
        UnknownTargetError: There is none.
        UsageProblemError: Old programs called several targets so.
    """
    found = [] if is_target_key(name) else stores.past.called(name)
    return stores.targets.get(_only(found, name))


def current_target(app: App) -> Target:
    """
    Return the target that is chosen now, registered or not.

    Raises:
        SettingsError: What is configured cannot name a target.
        UsageProblemError: There is none.
    """
    target = app.current_target()
    if target is None:
        raise no_target(app, f"mode {app.config.mode} has no current target")
    return target


def no_target(app: App, message: str) -> UsageProblemError:
    """Return the error that there is no current target, and how one is named or chosen."""
    with suppress(StoreError, SettingsError), app.reading() as stores:
        if stores is None or not stores.targets.targets():
            fix = refuse(Gate.ENDPOINT_MISSING).fix
            return UsageProblemError(message, code="target_missing", fix_text=fix)
    return UsageProblemError(
        message, code="target_missing", fix_argv=("eventsync", "target", "list")
    )


def current_if_any(app: App) -> Target | None:
    """Return the target that is chosen now; None where there is none, or none can be told."""
    if app.config.problem is not None or app.conflict() is not None:
        return None
    with suppress(SettingsError):
        return app.current_target()
    return None


def when_it_goes(app: App, target: Target) -> str:
    """Say when events that may go to *target*, as it stands now, go there."""
    current = current_if_any(app)
    resume = app.chosen.spelt(f"eventsync target resume {target.target_id}")
    conditions = []
    if current is None or current.target_id != target.target_id:
        conditions.append("once it is the current target")
    if target.paused:
        conditions.append(f"after {resume}, for it is paused: {target.paused}")
    elif target.back_off.breaker(at=app.clock()) is Breaker.OPEN:
        conditions.append(f"after {iso_time(target.back_off.until)}, or after {resume}")
    return " and ".join(conditions) or "at the next sync now"
