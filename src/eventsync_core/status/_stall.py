"""When something is owed, and nobody has delivered anything for too long."""

from collections.abc import Sequence

from eventsync_core.egress import Refusal
from eventsync_core.errors import Reason
from eventsync_core.ids import DEFAULT_STREAM
from eventsync_core.status._model import Status, TargetStatus
from eventsync_core.targets import Breaker

_SPANS = ((2 * 86_400, 86_400, "days"), (2 * 3_600, 3_600, "hours"), (120, 60, "minutes"))
_RESUME = ("eventsync", "target", "resume")


def is_stalled(status: Status) -> bool:
    """Say whether the current target has got nothing for too long while it is owed something."""
    current = status.current
    after = status.setting.stall_after_seconds
    return current is not None and stall(current, after, at=status.at) is not None


def stall(
    target: TargetStatus, after_seconds: int, *, at: int, closed: Sequence[Refusal] = ()
) -> Reason | None:
    """
    Return that *target* has got nothing for *after_seconds* while it is owed something.

    None while that is not so, and always with 0. What helps first is what opens the first of
    the *closed* gates, or ends a pause or a wait.
    """
    seconds = target.seconds_since_progress(at)
    if not after_seconds or seconds is None or seconds < after_seconds:
        return None
    fix_argv, fix_text = _help(target, closed, at)
    return Reason(
        code="stalled",
        message=(
            f"{target.target.url} is owed {target.remaining_owed} events, and nothing was "
            f"delivered for {_span(seconds)}"
        ),
        fix_argv=fix_argv,
        fix_text=fix_text,
    )


def _help(target: TargetStatus, closed: Sequence[Refusal], at: int) -> tuple[tuple[str, ...], str]:
    for refusal in closed:
        return refusal.fix_argv, refusal.fix
    is_left_alone = target.target.back_off.breaker(at=at) is Breaker.OPEN
    if target.target.paused or is_left_alone:
        return _RESUME, ""
    owed = [stream for stream in target.streams if stream.remaining_owed]
    if owed and all(stream.paused for stream in owed):
        name = owed[0].stream
        return (*_RESUME, *(() if name == DEFAULT_STREAM else ("--project", name))), ""
    return ("eventsync", "sync", "now"), ""


def _span(seconds: float) -> str:
    for least, unit, name in _SPANS:
        if seconds >= least:
            return f"{seconds / unit:.0f} {name}"
    return f"{seconds:.0f} seconds"
