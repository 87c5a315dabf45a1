import attrs

from eventsync_core.journal import BadPosition, Flaw

GOOD_COPY = "eventsync journal restore BACKUP --replace; what is stored now is put aside"
"""What helps where a database is damaged."""
TEXTS_MENDED = (
    "eventsync journal import FILE, with an export or archive that holds the events, mends "
    f"damaged texts; all else: {GOOD_COPY}"
)
"""What helps where texts of entries are damaged."""
HOLDS_MENDED = (
    "eventsync journal hold each event that may have been held, eventsync sync now, eventsync sync "
    f"doctor --mend, then eventsync journal release those that may go; all else: {GOOD_COPY}"
)
"""What helps where something seems to have been held that is not."""
MEND = ("eventsync", "sync", "doctor", "--mend")
"""What sets counters and rows right where the rest tells what they should say."""
COPIES_LEFT = "delete them when nothing of it is needed any more and no other command is at work"
"""What helps where copies of a store lie beside it."""


@attrs.frozen
class Verified:
    """How far a stream was found good: every entry up to `position`, where `chain` stood."""

    position: int
    chain: bytes


@attrs.frozen(kw_only=True)
class Verification:
    """
    What a walk over one stream found.

    `good` entries hold in every respect, `bad` do not; `findings` are the first of them, in
    order. `skipped` entries were found good by an earlier walk and not read again; they count
    in neither. `is_started_over` where such a walk does not fit what is stored any more.
    `reached` is how far the next walk need not read, None where nothing is good.
    """

    stream: str
    head: int
    good: int
    bad: int = 0
    good_after: int = 0
    skipped: int = 0
    is_started_over: bool = False
    findings: tuple[BadPosition, ...] = ()
    reached: Verified | None = None

    @property
    def is_intact(self) -> bool:
        """Every position up to the head is there, and everything stored agrees."""
        return not self.findings

    @property
    def first_bad(self) -> int | None:
        """The position of the first flaw; `good_after` counts the good entries behind it."""
        return self.findings[0].position if self.findings else None

    @property
    def flaw(self) -> Flaw | None:
        """The kind of the first flaw."""
        return self.findings[0].flaw if self.findings else None

    @property
    def reason(self) -> str:
        """The first flaw in words; empty for a stream that holds."""
        return self.findings[0].reason if self.findings else ""
