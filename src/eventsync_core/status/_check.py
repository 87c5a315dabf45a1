from collections.abc import Iterator

from eventsync_core.egress import off_record, refuse
from eventsync_core.errors import Reason, StoreUnreadableError, reason_of
from eventsync_core.receivers import Gate
from eventsync_core.status._legacy import legacy_reasons
from eventsync_core.status._model import Status
from eventsync_core.status._stall import stall_of

UNTRUE = ("journal_damaged", "counters_differ")
"""The codes of what makes figures of a status untrue, so that it is said without being asked."""
_ASTRAY, _MISCOUNTED = UNTRUE


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
    if status.astray:
        yield Reason(
            code=_ASTRAY,
            message=f"the head of stream {status.astray[0]} is not the position of its last entry",
            fix_text=StoreUnreadableError.fix_text,
        )
    below = [each.stream for each in status.retained if min(each.count, each.size_bytes) < 0]
    if below:
        yield Reason(
            code=_MISCOUNTED,
            message=f"stream {below[0]} is said to keep less than nothing",
            fix_argv=("eventsync", "sync", "doctor", "--mend"),
        )
    for target in status.targets:
        for stream in target.streams:
            if not stream.is_on_record:
                yield reason_of(off_record(target.target.target_id, stream.stream))
            if not stream.is_coherent:
                yield Reason(
                    code="census_mismatch",
                    message=(
                        f"stream {stream.stream} holds {stream.captured} entries, but "
                        f"{stream.total} are counted for {target.target.url}"
                    ),
                    fix_argv=("eventsync", "sync", "doctor", "--mend"),
                )
