"""What `sync status` looks at, and how it is told to a person."""

import os
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path

import attrs

from eventsync_cli.bars import STUCK, bar, painted
from eventsync_cli.boundary import boundary_lines
from eventsync_cli.compose import App
from eventsync_cli.exits import ExitCode
from eventsync_cli.granting import gone_lines
from eventsync_cli.locating import here
from eventsync_cli.options import Chosen
from eventsync_cli.render import listing
from eventsync_cli.waiting import rows_in
from eventsync_core import __version__
from eventsync_core.census import Class
from eventsync_core.egress import off_record
from eventsync_core.errors import (
    Reason,
    SettingsError,
    StoreError,
    reason_of,
    spelt,
)
from eventsync_core.ids import Kind, printable
from eventsync_core.policy import Mode, policy_of
from eventsync_core.status import (
    UNTRUE,
    Foreground,
    Setting,
    Status,
    StreamStatus,
    TargetStatus,
    as_document,
    back_off_document,
    collect,
    reset_document,
)
from eventsync_core.targets import Target, without_user_info

__all__ = ["exit_of", "known_lines", "look", "status_lines"]

_MOST_TARGETS = 20


def look(app: App) -> Status:
    """Return the status of *app*'s home; an unreadable store is part of it, not an error."""
    setting = _setting(app)
    try:
        with app.reading() as stores:
            found = rows_in(app.old_sources().everything, stores)
            setting = attrs.evolve(setting, waiting=found)
            status = collect(stores, setting, at=app.clock())
    except (StoreError, SettingsError) as error:
        status = collect(None, attrs.evolve(setting, store_error=error), at=app.clock())
    reasons = tuple(
        attrs.evolve(
            closed,
            fix_argv=here(closed.fix_argv, app.chosen),
            fix=app.chosen.spelt(closed.fix),
        )
        for closed in status.gate_reasons
    )
    return attrs.evolve(status, gate_reasons=reasons)


def _setting(app: App) -> Setting:
    problems = app.problems()
    current: Target | None = None
    gates: tuple[str, ...] = ()
    if not problems:
        current, gates = app.current_target(), app.gates()
        problems += app.faults()
    return Setting(
        mode=app.config.mode,
        authority=app.authority,
        foreground=Foreground(
            package_version=__version__,
            executable_path=sys.executable or "",
            source_path=str(Path(__file__).parent),
            pid=os.getpid(),
        ),
        queue_files=app.queue_files(),
        database_path=app.shown_database,
        legacy_queue_path=app.legacy_queue_path,
        current=current,
        place=_place(app) if current is None else "",
        stream=None if app.chosen.project is None else app.stream,
        gates=gates,
        stall_after_seconds=app.config.stall_after,
        auth_required=app.environment.saas_enabled and app.config.mode is Mode.TEAMSPACE,
        auth_present=app.has_token,
        problems=tuple(reason_of(error) for error in problems),
    )


def _place(app: App) -> str:
    """Return the address that was chosen, where no target can be made of it."""
    kind = policy_of(app.config.mode).delivery
    if kind is Kind.TEAMSPACE:
        place = app.authority.resolved_server_url or ""
    else:
        place = app.config.external_endpoint if kind is not None else ""
    return without_user_info(place)


def exit_of(
    status: Status, reasons: Sequence[Reason], *, is_check: bool
) -> tuple[ExitCode, Reason | None]:
    """Return the exit code of `sync status`, and the reason for it if it is not 0."""
    if is_check:
        return (ExitCode.INCOHERENT, reasons[0]) if reasons else (ExitCode.OK, None)
    error = status.setting.store_error
    if error is not None:
        code = ExitCode.STORE if isinstance(error, StoreError) else ExitCode.REFUSED
        return code, reason_of(error)
    if status.setting.problems:
        return ExitCode.REFUSED, status.setting.problems[0]
    untrue = [reason for reason in reasons if reason.code in UNTRUE]
    return (ExitCode.STORE, untrue[0]) if untrue else (ExitCode.OK, None)


def status_lines(
    status: Status,
    reasons: Sequence[Reason],
    options: Chosen,
    *,
    is_check: bool,
    width: int,
    no_color: bool,
) -> list[str]:
    """
    Return the status for a person: two spaces, a label in 24 columns, the value.

    A bar for each target is at most *width* wide, and in colours where there are any.
    """
    lines = boundary_lines(as_document(status, (), exit_code=0)) if is_check else []
    lines += ["Event Sync:", *listing(_summary(status, options)), *_gate_lines(status)]
    lines += _body_lines(status, options)
    shown = status.targets[:_MOST_TARGETS]
    lines += ["Targets:"] if shown else []
    for target in shown:
        head, *more = _target_lines(target, options, status.at)
        drawn = painted(bar(target, width), no_color=no_color)
        lines += [head, *([drawn] if drawn else []), *more]
    if len(status.targets) > len(shown):
        left = len(status.targets) - len(shown)
        lines.append(f"  and {left} more; see {options.spelt('eventsync target list')}")
    if is_check:
        lines += [f"not coherent: {reason.message} [{reason.code}]" for reason in reasons]
        lines += [] if reasons else ["coherent"]
    return lines


def _summary(status: Status, options: Chosen) -> list[tuple[str, str]]:
    document = as_document(status, (), exit_code=0)
    ledger, journal = document["delivery_ledger"], document["event_journal"]
    previous = _shown(ledger["delivered_previous_target"])
    rows = [
        ("Mode", status.setting.mode.value),
        ("Database", status.setting.database_path),
        ("Retained events", _shown(journal["retained_event_count"])),
        ("Delivered (cur/prev)", f"{_shown(ledger['delivered_current_target'])}/{previous}"),
        ("Terminal failures", _shown(document["terminal_failures"]["count"])),
    ]
    if status.bodies.bodies:
        bodies = status.bodies
        counts = f"waiting {bodies.waiting}  uploaded {bodies.uploaded}  failed {bodies.failed}"
        rows.append(("Bodies", counts))
    current = status.setting.current
    if current is not None:
        rows.append(("Current target", current.url))
    if status.setting.gates:
        rows.append(("Closed gates", ", ".join(status.setting.gates)))
    if document["queue_files_count"]:
        rows.append(("Queues of old programs", str(document["queue_files_count"])))
    rows += _old_rows(status, options)
    if journal["archived_event_count"]:
        rows.append(("Archived events", str(journal["archived_event_count"])))
    if journal["gc_suggested"]:
        rows.append(("GC suggested", f"run {options.spelt('eventsync sync gc')}"))
    return rows


def _old_rows(status: Status, options: Chosen) -> list[tuple[str, str]]:
    """Return what waits in files of old programs, and what goes on with it."""
    waiting = status.setting.waiting
    shown = waiting[:_MOST_TARGETS]
    rows = [
        ("Rows of old programs", f"{printable(each.source.path)} ({each.said()})") for each in shown
    ]
    if len(waiting) > len(shown):
        rows.append(("", f"and {len(waiting) - len(shown)} more files"))
    if any(not each.is_looked_at for each in waiting):
        rows.append(("They are imported by", options.spelt("eventsync sync migrate")))
    if status.conflict_count:
        how = options.spelt("eventsync sync migrate --resolve keep-journal")
        rows.append(("Conflicts of old rows", f"{status.conflict_count}; decide: {how}"))
    quarantined = sum(each.quarantined for each in waiting)
    if quarantined:
        how = options.spelt("eventsync sync migrate --take-quarantined")
        rows.append(("Old rows without event", f"{quarantined}; their bytes are kept; {how}"))
    return rows


def _gate_lines(status: Status) -> list[str]:
    return [
        f"    {closed.code}: {closed.message}; fix: {shlex.join(closed.fix_argv) or closed.fix}"
        for closed in status.gate_reasons
    ]


def _body_lines(status: Status, options: Chosen) -> list[str]:
    stopped = [each for each in status.body_streams if each.message]
    lines = [
        f"    bodies: {each.message}; fix: {options.spelt(shlex.join(each.fix_argv))}"
        for each in stopped[:_MOST_TARGETS]
    ]
    more = len(stopped) - len(lines)
    return [*lines, f"    bodies: and {more} more streams"] if more else lines


def _shown(value: int | None) -> str:
    return "unknown" if value is None else str(value)


def known_lines(target: Target, options: Chosen, *, at: int) -> list[str]:
    """Return why a target is sent nothing now, or may lack what it was sent; else nothing."""
    lines = [f"    paused: {target.paused}"] if target.paused else []
    wait = back_off_document(target, at=at)
    if wait is not None:
        faults = f"failed requests in a row: {wait['failures']}; {wait['reason']}"
        is_open = wait["breaker"] == "open"
        when = f"left alone until {wait['retry_at']}" if is_open else "the next request tries it"
        if wait["of_bodies"]:
            when = f"bodies: {when}; events go"
        lines.append(f"    {when}; {faults}")
    reset = reset_document(target)
    if reset is not None:
        changed = ", ".join(reset["changed_fields"])
        advice = options.spelt(reset["recommendation"])
        lines.append(f"    reset at {reset['seen_at']} ({changed}): {advice}")
    return lines


def _way_out(stream: StreamStatus, status: TargetStatus, options: Chosen) -> str:
    if stream.is_on_record:
        return ""
    argv = off_record(status.target.target_id, stream.stream).fix_argv
    return f"; {options.spelt(spelt(argv))}"


def _target_lines(status: TargetStatus, options: Chosen, at: int) -> list[str]:
    target = status.target
    stuck = sum(status.count(name) for name in STUCK)
    facts = (
        f"delivered {status.count(Class.DELIVERED)}  owed {status.remaining_owed} "
        f"({stuck} stuck)  failed {status.count(Class.TERMINAL_FAILED)}"
    )
    mark = "* " if status.is_current else "  "
    who = "".join(f" {word}" for word in (target.team, target.user) if word)
    lines = [f"{mark}{target.url}{who}  {facts}", *known_lines(target, options, at=at)]
    lines += [f"    {line}" for line in gone_lines(status.gone)]
    lines += [
        f"    {stream.stream} is paused: {stream.paused}{_way_out(stream, status, options)}"
        for stream in status.streams
        if stream.is_granted and stream.paused
    ]
    lines += [
        f"    {stream.stream}: {stream.last_request.guidance}"
        for stream in status.streams
        if stream.remaining_owed and stream.last_request and stream.last_request.guidance
    ]
    if status.seconds_since_delivery is not None:
        lines.append(f"    last delivery {status.seconds_since_delivery:.0f} s ago")
    return lines
