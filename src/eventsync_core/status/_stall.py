"""When something is owed, and nobody has delivered anything for too long."""

from collections.abc import Sequence

from eventsync_core.egress import Refusal
from eventsync_core.errors import Reason
from eventsync_core.ids import DEFAULT_STREAM
from eventsync_core.status._model import Status, TargetStatus
from eventsync_core.targets import Breaker

_SPANS = ((2 * 86_400, 86_400, "days"), (2 * 3_600, 3_600, "hours"), (120, 60, "minutes"))
_RESUME = ("eventsync", "target", "resume")


def stall_of(status: Status) -> Reason | None:
    """
    Return that the current target got nothing for too long while it is owed something.

    None while that is not so. What helps first is what ends a pause or a wait, which no command
    that sends does; then what opens a closed gate.
    """
    current, after = status.current, status.setting.stall_after_seconds
    seconds = None if current is None else current.seconds_since_progress(status.at)
    if current is None or seconds is None or not after or seconds < after:
        return None
    fix_argv, fix_text = _help(current, status.gate_reasons, status.at)
    return Reason(
        code="stalled",
        message=(
            f"{current.target.url} has been owed events for {_span(seconds)}, and nothing was "
            f"delivered meanwhile; owed now: {current.remaining_owed}"
        ),
        fix_argv=fix_argv,
        fix_text=fix_text,
    )


def _help(target: TargetStatus, closed: Sequence[Refusal], at: int) -> tuple[tuple[str, ...], str]:
    is_left_alone = target.target.back_off.breaker(at=at) is Breaker.OPEN
    if target.target.paused or is_left_alone:
        return _RESUME, ""
    owed = [stream for stream in target.streams if stream.remaining_owed]
    if owed and all(stream.paused for stream in owed):
        name = owed[0].stream
        return (*_RESUME, *(() if name == DEFAULT_STREAM else ("--project", name))), ""
    for refusal in closed:
        return refusal.fix_argv, refusal.fix
    return ("eventsync", "sync", "now"), ""


def _span(seconds: float) -> str:
    for least, unit, name in _SPANS:
        if seconds >= least:
            return f"{seconds / unit:.0f} {name}"
    return f"{seconds:.0f} seconds"
