"""The line that ends every command while the current target is owed something and gets nothing."""

import shlex

from eventsync_cli.compose import App
from eventsync_cli.locating import located
from eventsync_core.errors import EventSyncError, Reason

__all__ = ["stall_lines"]


def stall_lines(app: App) -> list[str]:
    """Say that the current target stalls, and what helps; nothing while it does not."""
    if not app.left_waiting:
        return []
    try:
        found = _stall(app)
    except EventSyncError:
        # What is wrong was told by the command, or nobody asked for it.
        return []
    if found is None:
        return []
    reason = located(found, app.chosen)
    fix = shlex.join(reason.fix_argv) or reason.fix_text
    return [f"eventsync: {reason.message} [{reason.code}]; run: {fix}"]


def _stall(app: App) -> Reason | None:
    target = app.current_target()
    if target is None or target.target_id not in app.left_waiting:
        return None
    from eventsync_cli.looking import look
    from eventsync_core.status import stall_of

    return stall_of(look(app))
