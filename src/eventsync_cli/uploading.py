"""Uploading bodies to the current target: `eventsync body push`, and the end of `sync now`."""

from collections.abc import Mapping, Sequence
from itertools import islice
from typing import Any

import attrs

from eventsync_cli.choosing import target_document
from eventsync_cli.compose import App
from eventsync_cli.exits import ExitCode
from eventsync_cli.granting import grant_command, grant_words
from eventsync_cli.render import Progress, Result
from eventsync_core.bodies import UploadState
from eventsync_core.clock import iso_time
from eventsync_core.dispatch import granted_streams
from eventsync_core.egress import refuse
from eventsync_core.errors import Reason
from eventsync_core.ids import Kind
from eventsync_core.policy import policy_of
from eventsync_core.receivers import Gate
from eventsync_core.stores import Stores
from eventsync_core.targets import Target
from eventsync_core.upload import (
    Preview,
    Upload,
    UploadReport,
    UploadStop,
    bodies_left_out,
    left_out_message,
    preview,
    upload,
)

__all__ = [
    "Limits",
    "held_back",
    "left_out_talk",
    "push",
    "send_bodies",
    "ungranted_bodies",
    "ungranted_talk",
    "upload_document",
    "upload_exit",
    "upload_lines",
    "upload_reason",
]

_MOST_NAMED = 20
_HELPS: dict[str, tuple[str, ...]] = {
    UploadStop.EVENTS_FIRST: ("eventsync", "sync", "now"),
    UploadStop.PAUSED: ("eventsync", "target", "resume"),
    UploadStop.TARGET_BACKOFF: ("eventsync", "target", "resume"),
}


@attrs.frozen(kw_only=True)
class Limits:
    """How much one upload may do: seconds and bodies; None is without bound."""

    seconds: float | None = None
    bodies: int | None = None


def push(app: App, limits: Limits, *, dry_run: bool) -> Result:
    """
    Upload to the current target the bodies it is owed, and say what came of it.

    Raises:
        SettingsError: The configuration cannot be read.
        TargetConflictError: It names another server than the environment.
        StoreError: The store cannot be used; what was noted before holds.
    """
    app.require_usable()
    if policy_of(app.config.mode).delivery is None:
        line = f"mode {app.config.mode} delivers to nobody; nothing was sent"
        return _result(UploadReport(target_id=""), None, talk=(line,))
    target = app.current_target()
    if target is None:
        (word,) = app.gates()
        closed = refuse(Gate(word))
        report = UploadReport(target_id="", stopped_because=closed.stop)
        report.say(closed.message, closed.fix)
        return _result(report, None)
    if dry_run:
        with app.reading() as found:
            return _previewed(app, found, target)
    if not app.has_store:
        return _result(UploadReport(target_id=target.target_id), target)
    with app.sending_stores() as stores:
        return _push(app, stores, target, limits)


def _streams(app: App, stores: Stores, target: Target) -> Sequence[str]:
    asked = None if app.chosen.project is None else app.stream
    return granted_streams(stores, target.target_id, asked, at=app.clock()).granted


def _push(app: App, stores: Stores, target: Target, limits: Limits) -> Result:
    streams = _streams(app, stores, target)
    if not streams:
        return _ungranted(app, stores, target)
    bar = Progress("uploading", app.clock, total=None, no_color=app.no_color)
    with bar:
        report = send_bodies(app, stores, target, streams, limits, bar)
    if target.kind is not Kind.TEAMSPACE and report.remaining:
        message = f"{target.url} takes no bodies; a Teamspace does"
        report.say(message, "eventsync sync server URL; until then they stay here")
    talk = ungranted_talk(app, target, ungranted_bodies(app, stores, target))
    talk += left_out_talk(app, stores, target)
    return _result(report, target, talk=talk)


def send_bodies(
    app: App,
    stores: Stores,
    target: Target,
    streams: Sequence[str],
    limits: Limits,
    bar: Progress | None = None,
    since: int | None = None,
) -> UploadReport:
    """
    Upload the bodies of the granted *streams* within *limits* and return what came of it.

    Where none is left, no way to the target is opened. *since* is when a drain of their events
    that has just ended began.
    """
    if not any(_is_left(stores, target, stream) for stream in streams):
        return UploadReport(target_id=target.target_id)
    with app.body_receiver(target) as receiver:
        return upload(
            Upload(
                stores=stores,
                target=stores.targets.get(target.target_id),
                receiver=receiver,
                clock=app.clock,
                holder=app.holder(),
                seconds=limits.seconds,
                bodies=limits.bodies,
                since=since,
                chance=app.chance,
                progress=lambda running: bar.reach(running.selected) if bar else None,
            ),
            streams,
        )


def held_back(stores: Stores, target: Target, streams: Sequence[str], because: str) -> UploadReport:
    """Return what there is to upload where the answer to its events let none of it go."""
    report = UploadReport(target_id=target.target_id)
    for stream in streams:
        if _is_left(stores, target, stream):
            grant = stores.grants.get(target.target_id, stream)
            report.remaining += 0 if grant is None else stores.bodies.remaining(grant)
    if report.remaining:
        report.stopped_because, report.message = UploadStop.PROTOCOL.value, because
    return report


def _is_left(stores: Stores, target: Target, stream: str) -> bool:
    stores.bodies.owe(target.target_id, stream)
    grant = stores.grants.get(target.target_id, stream)
    return grant is None or not grant.is_live or stores.bodies.remaining(grant) > 0


def ungranted_bodies(app: App, stores: Stores, target: Target) -> dict[str, int]:
    """Return the streams that hold bodies for *target* and may not go there, with how many."""
    if target.kind is not Kind.TEAMSPACE:
        return {}
    live = {each.stream for each in stores.grants.grants(target.target_id) if each.is_live}
    asked = None if app.chosen.project is None else app.stream
    names = [name for name in stores.bodies.streams() if asked in (None, name)]
    counts = {
        name: stores.bodies.waiting(target.target_id, name) for name in names if name not in live
    }
    return {name: count for name, count in counts.items() if count}


def ungranted_talk(app: App, target: Target, waiting: Mapping[str, int]) -> list[str]:
    """Return what to say of the streams whose bodies may not go to *target*."""
    lines = [
        f"eventsync: stream {stream} is not granted to {target.url}, bodies waiting: {count}; "
        f"{app.chosen.spelt(grant_words(stream))}"
        for stream, count in islice(waiting.items(), _MOST_NAMED)
    ]
    more = len(waiting) - len(lines)
    return [*lines, f"eventsync: and bodies of {more} more streams"] if more else lines


def left_out_talk(app: App, stores: Stores, target: Target) -> list[str]:
    """Return what to say of the streams some of whose bodies are older than their grant."""
    if target.kind is not Kind.TEAMSPACE:
        return []
    asked = None if app.chosen.project is None else app.stream
    counts = {
        grant.stream: bodies_left_out(stores, grant)
        for grant in stores.grants.grants(target.target_id)
        if grant.is_live and asked in (None, grant.stream)
    }
    lines = [
        f"eventsync: {left_out_message(stream, count)}; they go after "
        f"{app.chosen.spelt(grant_words(stream))}"
        for stream, count in counts.items()
        if count
    ]
    return lines[:_MOST_NAMED]


def _ungranted(app: App, stores: Stores, target: Target) -> Result:
    report = UploadReport(target_id=target.target_id)
    waiting = ungranted_bodies(app, stores, target)
    if not waiting:
        return _result(report, target)
    stream = app.stream if app.stream in waiting else next(iter(waiting))
    report.stopped_because = UploadStop.NO_GRANT.value
    report.remaining = sum(waiting.values())
    report.message = f"no stream that was asked for is granted to {target.url}: {stream} waits"
    talk = ungranted_talk(app, target, waiting)
    return _result(report, target, talk=talk, argv=grant_command(stream))


def _previewed(app: App, stores: Stores | None, target: Target) -> Result:
    found = Preview()
    if stores is not None:
        known = {each.target_id for each in stores.targets.targets()}
        streams = _streams(app, stores, target) if target.target_id in known else ()
        closed = [Gate(word) for word in app.gates()]
        if target.kind is not Kind.TEAMSPACE:
            closed.append(Gate.ENDPOINT_MISSING)
        found = preview(stores, target.target_id, streams, closed, at=app.clock())
    line = (
        f"{target.url}: would select {found.selected}: send {found.sendable} with "
        f"{found.content_bytes} bytes, fail {found.unsendable}; {found.waiting} wait"
    )
    return Result(
        document={
            "dry_run": True,
            "counts": {"selected": found.selected, "failed": found.unsendable},
            "sendable": found.sendable,
            "content_bytes": found.content_bytes,
            "waiting": found.waiting,
            "stopped_because": found.refusals[0].stop if found.refusals else UploadStop.CAUGHT_UP,
            "target": target_document(target),
        },
        lines=(line,),
        talk=tuple(f"eventsync: {refusal.message}" for refusal in found.refusals[:20]),
    )


def _result(
    report: UploadReport,
    target: Target | None,
    *,
    talk: Sequence[str] = (),
    argv: tuple[str, ...] = (),
) -> Result:
    code = upload_exit(report)
    return Result(
        document={
            "dry_run": False,
            **upload_document(report),
            "target": None if target is None else target_document(target),
        },
        lines=() if target is None else [f"{target.url}: {upload_lines(report)}"],
        talk=talk,
        code=code,
        reason=None if code is ExitCode.OK else upload_reason(report, argv),
    )


def upload_exit(report: UploadReport) -> ExitCode:
    """Return the exit code of an upload."""
    stop = report.stopped_because
    if stop.startswith("gate:") or stop == UploadStop.NO_GRANT:
        return ExitCode.REFUSED
    return ExitCode.OK if report.is_clean else ExitCode.INCOMPLETE


def upload_reason(report: UploadReport, argv: tuple[str, ...] = ()) -> Reason:
    """Return why bodies are left."""
    stop = report.stopped_because
    if stop != UploadStop.CAUGHT_UP:
        helps = _HELPS.get(stop, ())
        if stop == UploadStop.NO_GRANT and report.stopped_in:
            helps = grant_command(report.stopped_in)
        return Reason(
            code=stop.removeprefix("gate:"),
            message=report.message or f"bodies still to be uploaded: {report.remaining}",
            fix_argv=argv or report.fix_argv or helps,
            fix_text=report.fix or "run eventsync body push again",
        )
    failed = report.states[UploadState.FAILED]
    message = f"bodies still to be uploaded: {report.remaining}; refused for good: {failed}"
    helps = ("eventsync", "body", "list", "--failures") if failed else ("eventsync", "body", "list")
    return Reason(code="bodies_left", message=message, fix_argv=helps)


def upload_document(report: UploadReport) -> dict[str, Any]:
    """Return what an upload did, as JSON."""
    return {
        "counts": report.counts(),
        "requests": report.requests,
        "stopped_because": report.stopped_because,
        "message": report.message,
        "remaining": report.remaining,
        "pending": report.pending,
        "retry_at": None if report.retry_at is None else iso_time(report.retry_at),
    }


def upload_lines(report: UploadReport) -> str:
    """Return the same as one line."""
    counts = "  ".join(f"{name.replace('_', '-')} {n}" for name, n in report.counts().items())
    pending = f" (pending {report.pending})" if report.pending else ""
    left = f"still to be uploaded {report.remaining}{pending}  stopped: {report.stopped_because}"
    return f"bodies {counts}  {left}"
