"""Delivering to the current target: what `eventsync sync now` does."""

from collections.abc import Mapping, Sequence
from typing import Any

import attrs

from eventsync_cli.choosing import target_document
from eventsync_cli.compose import App
from eventsync_cli.exits import ExitCode
from eventsync_cli.granting import grant_command, grant_words
from eventsync_cli.render import Progress, Result
from eventsync_cli.uploading import (
    Limits,
    held_back,
    left_out_talk,
    send_bodies,
    ungranted_bodies,
    ungranted_talk,
    upload_document,
    upload_exit,
    upload_lines,
    upload_reason,
)
from eventsync_core.clock import SECOND, iso_time
from eventsync_core.dispatch import Budget, Drain, Report, Stop, drain, granted_streams
from eventsync_core.egress import refuse
from eventsync_core.errors import Reason
from eventsync_core.ids import Kind
from eventsync_core.policy import policy_of
from eventsync_core.receivers import Gate, Outcome
from eventsync_core.stores import Stores
from eventsync_core.targets import Breaker, Target
from eventsync_core.upload import UploadReport

__all__ = ["deliver"]

_SHORT_WAIT = 2 * SECOND
_HELPS: Mapping[str, tuple[str, ...]] = {
    Stop.CAUGHT_UP: ("eventsync", "sync", "status"),
    Stop.PAUSED: ("eventsync", "target", "resume"),
    Stop.TARGET_BACKOFF: ("eventsync", "target", "resume"),
}


def deliver(app: App, budget: Budget) -> Result:
    """
    Deliver to the current target what it is owed, within *budget*, and say what came of it.

    Of all streams granted to it, or of the project's that was named.

    Raises:
        SettingsError: The configuration cannot be read, or a secret is missing.
        TargetConflictError: It names another server than the environment.
        StoreError: The store cannot be used; what was noted before holds.
    """
    app.require_usable()
    if policy_of(app.config.mode).delivery is None:
        line = f"mode {app.config.mode} delivers to nobody; nothing was sent"
        return _result(Report(target_id=""), None, talk=(line,))
    target = app.current_target()
    if target is None:
        return _closed(app)
    if not app.has_store:
        return _result(Report(target_id=target.target_id), target)
    with app.sending_stores() as stores:
        return _deliver(app, stores, target, budget)


def _closed(app: App) -> Result:
    (word,) = app.gates()
    closed = refuse(Gate(word))
    report = Report(target_id="", stopped_because=closed.stop)
    report.say(f"mode {app.config.mode}: {closed.message}", closed.fix)
    return _result(report, None)


def _wait_shortly(app: App, target: Target, budget: Budget) -> None:
    """Wait out what is left of a short back-off: whoever asks for a delivery now means it."""
    faults = target.longer_back_off
    left = faults.retry_at - app.clock()
    most = _SHORT_WAIT if budget.seconds is None else min(_SHORT_WAIT, budget.seconds * SECOND)
    if faults.breaker(at=app.clock()) is Breaker.OPEN and 0 < left <= most:
        app.sleep(left / SECOND)


def _deliver(app: App, stores: Stores, target: Target, budget: Budget) -> Result:
    asked = None if app.chosen.project is None else app.stream
    granted, others = granted_streams(stores, target.target_id, asked, at=app.clock())
    talk = tuple(
        f"eventsync: stream {stream} is not granted to {target.url}, events waiting: {count}; "
        f"{app.chosen.spelt(grant_words(stream))}"
        for stream, count in others.items()
    )
    bodies_waiting = ungranted_bodies(app, stores, target)
    talk += tuple(ungranted_talk(app, target, bodies_waiting))
    talk += tuple(left_out_talk(app, stores, target))
    if not granted:
        return _ungranted(app, target, {**others, **bodies_waiting})
    _wait_shortly(app, stores.targets.get(target.target_id), budget)
    started = app.clock()
    bar = Progress("delivering", app.clock, total=None, no_color=app.no_color)
    with app.receiver(target) as receiver, bar:
        report = drain(
            Drain(
                stores=stores,
                target=stores.targets.get(target.target_id),
                receiver=receiver,
                clock=app.clock,
                holder=app.holder(),
                budget=budget,
                chance=app.chance,
                alongside=app.alongside,
                progress=lambda running: bar.reach(running.selected),
            ),
            granted,
        )
    talk = (*talk, *_no_token(app, report), *_reset(app, stores.targets.get(target.target_id)))
    limits = _rest_of(budget, report, spent=app.clock() - started)
    bodies = _bodies(app, stores, target, granted, report, (limits, started))
    result = _result(report, target, talk=talk, bodies=bodies)
    tried = report.requests or report.selected or (bodies is not None and bodies.selected)
    return attrs.evolve(result, is_act=result.code is ExitCode.OK or bool(tried))


def _rest_of(budget: Budget, report: Report, *, spent: int) -> Limits:
    """Return what is left for bodies; each of them is one request."""
    seconds, requests = budget.seconds, budget.requests
    return Limits(
        seconds=None if seconds is None else max(seconds - spent / SECOND, 0.0),
        bodies=None if requests is None else max(requests - report.requests, 0),
    )


def _bodies(
    app: App,
    stores: Stores,
    target: Target,
    streams: Sequence[str],
    events: Report,
    rest: tuple[Limits, int],
) -> UploadReport | None:
    """
    Upload the bodies of *streams* after their events, and return what came of it.

    *rest* is how much may still be done, and when the drain of the events began.

    None where there are none, or the target takes none, or somebody wants an end. What stopped
    the events stops their bodies as well: an answer that ends every delivery at once, whatever
    else stands in the way when it is looked at again.
    """
    if target.kind is not Kind.TEAMSPACE or events.stopped_because == Stop.INTERRUPTED:
        return None
    if not any(stores.bodies.page(stream=stream, limit=1) for stream in streams):
        return None
    if events.stopped_because == Stop.PROTOCOL:
        return held_back(stores, target, streams, events.message)
    limits, started = rest
    return send_bodies(app, stores, target, streams, limits, since=started)


def _no_token(app: App, report: Report) -> list[str]:
    """Say why there is no token where that stopped the drain."""
    problem = app.token_problem
    if problem is None or report.stopped_because != f"gate:{Gate.MISSING_AUTH.value}":
        return []
    return [f"eventsync: {problem.message}; {problem.fix_text}"]


def _reset(app: App, target: Target) -> list[str]:
    if target.reset is None:
        return []
    seen = iso_time(target.reset.seen_at)
    command = app.chosen.spelt("eventsync sync replay --all")
    line = (
        f"eventsync: another server answers at {target.url} since {seen}; if it lacks what was "
        f"delivered before: {command}, else {command.removesuffix('all')}nothing"
    )
    return [line]


def _ungranted(app: App, target: Target, waiting: Mapping[str, int]) -> Result:
    report = Report(target_id=target.target_id)
    if not waiting:
        return _result(report, target)
    report.stopped_because = Stop.NO_GRANT.value
    names = ", ".join(list(waiting)[:5])
    report.message = f"no stream that was asked for is granted to {target.url}: {names} waits"
    stream = app.stream if app.stream in waiting else next(iter(waiting))
    return _result(report, target, argv=grant_command(stream))


def _result(
    report: Report,
    target: Target | None,
    *,
    talk: Sequence[str] = (),
    argv: tuple[str, ...] = (),
    bodies: UploadReport | None = None,
) -> Result:
    code = _exit_of(report)
    reason = None if code is ExitCode.OK else _reason(report, argv)
    if code is ExitCode.OK and bodies is not None and not bodies.is_clean:
        code, reason = upload_exit(bodies), upload_reason(bodies)
    elif bodies is not None and bodies.message and bodies.remaining:
        talk = (*talk, f"eventsync: {bodies.message}")
    document, lines = _document(report, target), _lines(report, target)
    document["bodies"] = None if bodies is None else upload_document(bodies)
    if bodies is not None and (bodies.selected or bodies.remaining):
        lines.append(upload_lines(bodies))
    return Result(document=document, lines=lines, talk=talk, code=code, reason=reason)


def _exit_of(report: Report) -> ExitCode:
    stop = report.stopped_because
    if stop.startswith("gate:") or stop == Stop.NO_GRANT:
        return ExitCode.REFUSED
    return ExitCode.OK if report.is_clean else ExitCode.INCOMPLETE


def _reason(report: Report, argv: tuple[str, ...]) -> Reason:
    stop = report.stopped_because
    is_left = stop == Stop.CAUGHT_UP
    was_refused = not (stop == Stop.TARGET_BACKOFF and report.requests)
    helps = _HELPS.get(stop, ()) if was_refused else ()
    if is_left and report.counts()[Outcome.TERMINAL_FAILED.value]:
        helps = ("eventsync", "target", "show")
    return Reason(
        code="work_left" if is_left else stop.removeprefix("gate:"),
        message=report.message or _left(report),
        fix_argv=argv or report.fix_argv or helps,
        fix_text=report.fix or "run eventsync sync now again",
    )


def _left(report: Report) -> str:
    failed = report.counts()[Outcome.TERMINAL_FAILED.value]
    left = f"still to be delivered, or refused: {report.remaining_owed}"
    return f"{left}; failed for good: {failed}" if failed else left


def _document(report: Report, target: Target | None) -> dict[str, Any]:
    return {
        "counts": report.counts(),
        "requests": report.requests,
        "stopped_because": report.stopped_because,
        "remaining_owed": report.remaining_owed,
        "retry_at": None if report.retry_at is None else iso_time(report.retry_at),
        "target": None if target is None else target_document(target),
    }


def _lines(report: Report, target: Target | None) -> list[str]:
    if target is None:
        return []
    counts = "  ".join(
        f"{name.replace('_', '-')} {count}" for name, count in report.counts().items()
    )
    end = f"still owed {report.remaining_owed}  stopped: {report.stopped_because}"
    return [f"{target.url}: {counts}", f"requests {report.requests}  {end}"]
