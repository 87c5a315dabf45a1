from collections.abc import Sequence
from enum import StrEnum
from typing import NamedTuple

import attrs

BEYOND_HEAD = "entry at its cursor"
"""What is missing where a grant's cursor lies above all entries: what comes is not offered."""
LOST_HOLD = "hold"
"""What is missing of an entry that seems to have been held."""

NO_OUTCOME = "outcome of that name"
"""What is missing of a ledger row whose word is no outcome: as long as it stands none mends."""

UNTIMELY = "due time that fits"
"""What is missing of a ledger row that is settled and due, or open and never due."""


class Link(StrEnum):
    """What refers to something else that must be there."""

    ENTRY = "entry"
    PAYLOAD = "payload"
    HOLD = "hold"
    HELD_ROW = "held_row"
    RELEASED_HOLD = "released_hold"
    SUPERSEDED = "superseded"
    SUPERSEDED_ROW = "superseded_row"
    KEYED = "keyed"
    TARGET = "target"
    GRANT = "grant"
    GRANT_ACT = "grant_act"
    LEASE = "lease"
    LEDGER = "ledger"
    DUE = "due"
    PASSED = "passed"
    REQUEST = "request"
    ANSWER = "answer"
    BODY = "body"
    BODY_CONTENT = "body_content"
    BODY_STANDING = "body_standing"
    BODY_REOPENING = "body_reopening"
    PROVENANCE = "provenance"
    SET_ASIDE = "set_aside"
    ALIAS = "alias"
    PAST_DELIVERY = "past_delivery"
    PURGED = "purged"
    TRACE = "trace"


_MENDABLE = (Link.PASSED, Link.DUE)
_MENDABLE_ROWS = (UNTIMELY, "due", "held row", "superseded row")
_FOLLOWING = (Link.HELD_ROW, Link.SUPERSEDED_ROW)


class Checked(NamedTuple):
    """
    What the storage itself complains of; `is_finished` is false where time ran out.

    `schema` names what is missing in it, altered or not ours: tables, indexes, triggers.
    `is_mendable`: `Inspection.mend` sets right whatever `flaws` tell of.
    """

    flaws: Sequence[str] = ()
    is_finished: bool = True
    schema: Sequence[str] = ()
    is_mendable: bool = False


class Mended(NamedTuple):
    """
    How many counters were set right, how many entries are owed again, and how many other rows
    that did not fit were written or removed.
    """

    counters: int = 0
    owed: int = 0
    rows: int = 0


class Place(NamedTuple):
    """Where an entry stands."""

    stream: str
    position: int


@attrs.frozen(kw_only=True)
class Dangling:
    """
    Something that refers to what is not there.

    `where` names it, `missing` what it refers to. `stream` is empty where it is of none, or of
    one that is not there.
    """

    link: Link
    where: str
    missing: str
    stream: str = ""

    @property
    def message(self) -> str:
        """Both in one line."""
        return f"{self.link} ({self.where}): {self.missing} is missing"

    @property
    def is_mendable(self) -> bool:
        """`Inspection.mend` sets it right: the rest says what is missing."""
        is_row = self.link is Link.LEDGER and self.missing in _MENDABLE_ROWS
        is_link = self.link in _MENDABLE and self.missing != LOST_HOLD
        is_left = self.link in _FOLLOWING and self.missing == "ledger"
        return is_row or is_link or is_left or self.missing == BEYOND_HEAD


@attrs.frozen
class Looked:
    """
    One page of looking: how many were looked at, which of them refer to nothing.

    `last` is where the next page begins; None when all were looked at.
    """

    count: int
    found: Sequence[Dangling] = ()
    last: tuple[int | str, ...] | None = None


@attrs.frozen(kw_only=True)
class Miscount:
    """
    A counter that says `kept` where `counted` are; `what` and `where` name it.

    One that is not mendable may be all that still says that something was held.
    """

    what: str
    where: str
    kept: int
    counted: int
    is_mendable: bool = True

    @property
    def message(self) -> str:
        """All of it in one line."""
        return f"{self.what} ({self.where}): {self.kept} are noted, {self.counted} are there"
