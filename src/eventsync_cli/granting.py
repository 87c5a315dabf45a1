"""What is said of grants: who gave or ended one, when and why, and how one is given."""

import shlex

import attrs

from eventsync_core.clock import iso_time
from eventsync_core.egress import Grant, GrantAct
from eventsync_core.ids import DEFAULT_STREAM, given_words

__all__ = [
    "CLI",
    "Said",
    "act_line",
    "gone_lines",
    "grant_command",
    "grant_line",
    "grant_words",
    "said",
]

CLI = "cli"


@attrs.frozen
class Said:
    """Who changes a grant, and why."""

    actor: str
    reason: str


def said(by: str | None, reason: str | None, otherwise: str) -> Said:
    """Return who acts and why as the command line says; else it acts, for *otherwise*."""
    return Said(given_words(by or "") or CLI, given_words(reason or "") or otherwise)


def grant_command(stream: str) -> tuple[str, ...]:
    """Return the command that grants *stream* to the current target."""
    argv = ("eventsync", "target", "grant")
    return argv if stream == DEFAULT_STREAM else (*argv, "--project", stream)


def grant_words(stream: str) -> str:
    """Return the same as it is typed."""
    return shlex.join(grant_command(stream))


def gone_lines(count: int) -> list[str]:
    """Say that *count* events may go and cannot, for their payload is gone; nothing of none."""
    why = "their text was archived or purged; journal import brings it back"
    return [f"{count} events cannot go: {why}"] if count > 0 else []


def grant_line(grant: Grant) -> str:
    """Return in one line from where on *grant* permits, since when, by whom and why."""
    first = _first(grant)
    given = f"granted {_when(grant.granted_at, grant.actor, grant.reason)}"
    if grant.revoked_at is None:
        return f"{first}  {given}"
    ended = _when(grant.revoked_at, grant.revoked_by, grant.revoked_reason)
    return f"revoked {ended}  {first}  {given}"


def act_line(act: GrantAct) -> str:
    """Return *act* in one line."""
    when = _when(act.at, act.actor, act.reason)
    return f"{act.stream}  {act.act} {when}  {_first(act)}"


def _first(given: Grant | GrantAct) -> str:
    first = f"from position {given.from_position + 1}"
    return f"{first} and body {given.from_body + 1}" if given.from_body else first


def _when(at: int, actor: str, reason: str) -> str:
    who = f" by {actor}" if actor else ""
    return f"{iso_time(at)}{who}" + (f" ({reason})" if reason else "")
