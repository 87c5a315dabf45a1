from enum import StrEnum

import attrs

from eventsync_core.receivers import Gate


@attrs.frozen(kw_only=True)
class Grant:
    """
    Permission that a stream may go to a target.

    Entries above `from_position` may go, and bodies with a number above `from_body`. `generation`
    grows with every change; `revoked_at` is None while the grant lives, `revoked_by` and
    `revoked_reason` are who ended it and why;
    `paused` says why it rests, empty when it does not. `is_on_record` is false where the acts on
    record do not say the same: such a grant rests, and can only be ended.
    Times are in microseconds since 1970 UTC.
    """

    target_id: str
    stream: str
    from_position: int
    generation: int
    actor: str
    reason: str
    granted_at: int
    revoked_at: int | None = None
    paused: str = ""
    revoked_by: str = ""
    revoked_reason: str = ""
    from_body: int = 0
    is_on_record: bool = True

    @property
    def is_live(self) -> bool:
        """Not revoked."""
        return self.revoked_at is None


class GrantVerb(StrEnum):
    """What is done to a grant."""

    GRANTED = "granted"
    WIDENED = "widened"
    REVOKED = "revoked"
    PAUSED = "paused"
    RESUMED = "resumed"


@attrs.frozen(kw_only=True)
class GrantAct:
    """
    One thing that was done to a grant, by whom and why; never changed and never deleted.

    `number` counts the acts on all grants to one target from 1; `from_position`,
    `generation` and `from_body` are those of the grant as it stood afterwards.
    """

    number: int
    stream: str
    act: GrantVerb
    at: int
    actor: str
    reason: str
    from_position: int
    generation: int
    from_body: int = 0


@attrs.frozen
class Refusal:
    """
    Why nothing may be sent now.

    `code` is a gate's word, `paused`, `grant_damaged` or `target_backoff`; `message` and `fix`
    are one line each for a person, `fix_argv` is a command that helps, if there is one.
    """

    code: str
    message: str
    fix: str
    fix_argv: tuple[str, ...] = ()

    @property
    def stop(self) -> str:
        """Why a drain ends for it: `gate:<word>` for a gate, except a missing grant."""
        is_gate = self.code in set(Gate) and self.code != Gate.NO_GRANT
        return f"gate:{self.code}" if is_gate else self.code
