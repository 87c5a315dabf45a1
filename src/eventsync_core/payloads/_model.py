from enum import StrEnum

import attrs


class Act(StrEnum):
    """By which act payloads went, or came back."""

    GC = "gc"
    ARCHIVE = "archive"
    PURGE = "purge"
    IMPORT = "import"


@attrs.frozen(kw_only=True)
class Deed:
    """
    One act on payloads: what, by whom, when it began, and of what it has to say more.

    All that is done with equal deeds is one act on record. `detail` is the file of an archive,
    or the stream that was purged.
    """

    act: Act
    actor: str
    at: int
    detail: str = ""


@attrs.frozen(kw_only=True)
class Purge:
    """A deed as it stands on record: how many events, and how many bytes of text."""

    number: int
    deed: Deed
    events: int
    size: int


@attrs.frozen(kw_only=True)
class Kept:
    """
    An entry whose payload is there, with all that decides whether it may go.

    `delivered_to` are the targets that have it, by their last answer in this round.
    """

    position: int
    event_id: str
    event_type: str | None
    captured_at: int
    size: int
    delivered_to: frozenset[str] = frozenset()


@attrs.frozen(kw_only=True)
class PurgedCounts:
    """How many entries are without their payload on record, and how many bytes these had."""

    events: int = 0
    size: int = 0
    archived: int = 0
