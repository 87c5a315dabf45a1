"""Retention on or off, delivery to nobody, Teamspace or an external receiver: four presets."""

from enum import StrEnum

import attrs

from eventsync_core.errors import SettingsError
from eventsync_core.ids import Kind

__all__ = ["Mode", "Policy", "policy_of", "read_mode"]


class Mode(StrEnum):
    """A preset's name; in files it stands in lower case."""

    TEAMSPACE = "TEAMSPACE"
    EXTERNAL_RECEIVER = "EXTERNAL_RECEIVER"
    LOCAL_RETENTION = "LOCAL_RETENTION"
    OPT_OUT = "OPT_OUT"


@attrs.frozen
class Policy:
    """Whether captured events are kept, and what kind of target they go to (None: nobody)."""

    retain: bool
    delivery: Kind | None


_POLICIES = {
    Mode.TEAMSPACE: Policy(retain=True, delivery=Kind.TEAMSPACE),
    Mode.EXTERNAL_RECEIVER: Policy(retain=True, delivery=Kind.EXTERNAL),
    Mode.LOCAL_RETENTION: Policy(retain=True, delivery=None),
    Mode.OPT_OUT: Policy(retain=False, delivery=None),
}
_ALIASES = {"TRASH": "OPT_OUT"}


def policy_of(mode: Mode) -> Policy:
    """Return what *mode* means."""
    return _POLICIES[mode]


def read_mode(text: str, *, source: str) -> Mode:
    """
    Return the mode that *text* names, in any case, with `-` or `_`; TRASH is OPT_OUT.

    Raises:
        SettingsError: It names none; code `mode_unknown`.
    """
    word = text.strip().upper().replace("-", "_")
    try:
        return Mode(_ALIASES.get(word, word))
    except ValueError:
        names = ", ".join(sorted(Mode))
        raise SettingsError(
            f"unknown sync mode {text[:40]!r}; expected one of {names}",
            source=source,
            code="mode_unknown",
        ) from None
