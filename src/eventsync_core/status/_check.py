from collections.abc import Iterator

from eventsync_core.egress import off_record, refuse
from eventsync_core.errors import Reason, StoreUnreadableError, reason_of
from eventsync_core.receivers import Gate
from eventsync_core.status._legacy import legacy_reasons
from eventsync_core.status._model import Status, StreamStatus
from eventsync_core.status._stall import stall_of

UNTRUE = ("journal_damaged", "counters_differ", "due_differs")
"""Codes of what makes figures of a status untrue, so that it is said without being asked."""
_MEND = ("eventsync", "sync", "doctor", "--mend")


def check(status: Status) -> tuple[Reason, ...]:
    """
    Return what is not coherent; nothing when everything hangs together.

    Events that wait, were rejected or failed are work, not incoherence; but that the current
    target got nothing for too long while it is owed something is.
    """
    return tuple(_reasons(status))


def _reasons(status: Status) -> Iterator[Reason]:
    setting = status.setting
    if setting.store_error is not None:
        yield reason_of(setting.store_error)
    yield from setting.problems
    url = "" if setting.current is None else setting.current.url
    if setting.auth_required and not setting.auth_present:
        yield Reason(
            code=Gate.MISSING_AUTH.value,
            message="SaaS sync is enabled, but no token is at hand",
            fix_text=refuse(Gate.MISSING_AUTH, url).fix,
        )
    yield from legacy_reasons(status)
    stalled = stall_of(status)
    if stalled is not None:
        yield stalled
    yield from _of_figures(status)
    for target in status.targets:
        for stream in target.streams:
            if not stream.is_on_record:
                yield reason_of(off_record(target.target.target_id, stream.stream))
            if stream.total != stream.captured:
                yield Reason(
                    code="census_mismatch",
                    message=(
                        f"stream {stream.stream} holds {stream.captured} entries, but "
                        f"{stream.total} are counted for {target.target.url}"
                    ),
                    fix_argv=_MEND,
                )


def _is_below(stream: StreamStatus) -> bool:
    """Say whether less than nothing is counted, though the sums may be right."""
    is_right = stream.total == stream.captured
    return not stream.is_coherent and (is_right or min(stream.classes.values()) < 0)


def _of_figures(status: Status) -> Iterator[Reason]:
    head, counters, due = UNTRUE
    if status.astray:
        message = f"the head of stream {status.astray[0]} is not the position of its last entry"
        yield Reason(code=head, message=message, fix_text=StoreUnreadableError.fix_text)
    below = [each.stream for each in status.retained if min(each.count, each.size_bytes) < 0]
    if below:
        message = f"stream {below[0]} is said to keep less than nothing"
        yield Reason(code=counters, message=message, fix_argv=_MEND)
    streams = [stream for target in status.targets for stream in target.streams]
    below = [each.stream for each in streams if _is_below(each)]
    if below:
        message = f"of stream {below[0]} less than nothing is said to stand somewhere"
        yield Reason(code=counters, message=message, fix_argv=("eventsync", "sync", "doctor"))
    bodies = status.bodies
    if min(bodies.waiting, bodies.uploaded, bodies.failed, bodies.failure_log) < 0:
        message = "less than no bodies are said to stand somewhere"
        yield Reason(code=counters, message=message, fix_argv=("eventsync", "sync", "doctor"))
    if status.overrun:
        message = f"what is captured in stream {status.overrun[0]} is passed over unseen"
        yield Reason(code=due, message=message, fix_argv=_MEND)
