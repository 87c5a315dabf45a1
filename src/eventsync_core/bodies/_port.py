from typing import Protocol

from eventsync_core.bodies._model import (
    Added,
    BodyCounts,
    BodyKey,
    BodyUpload,
    Listed,
    Owed,
    Reopening,
    Standing,
    UploadFailure,
)
from eventsync_core.egress import Grant
from eventsync_core.ledger import Act


class Bodies(Protocol):
    """
    What is to be uploaded, where it is, and what was refused; `BodiesContract` tests each promise.

    Bodies and failures stay, whatever came of them, until their project is erased.
    """

    def add(self, stream: str, upload: BodyUpload, *, at: int) -> Added:
        """
        Keep *upload* with *stream*, once per key.

        A known key with equal content keeps its stream and content, and the facts are as
        `reconcile` says; with other content nothing changes.
        """
        ...

    def get(self, key: BodyKey) -> BodyUpload | None:
        """Return the body as it is stored, with its content, or None."""
        ...

    def find(self, key: BodyKey, target_id: str = "") -> Listed | None:
        """Return the body as `page` lists it, or None."""
        ...

    def head(self) -> int:
        """Return the highest number that a body was given, 0 for none; none is given twice."""
        ...

    def streams(self) -> list[str]:
        """Return the streams that hold a body, in order of their names."""
        ...

    def waiting(self, target_id: str, stream: str, *, above: int = 0) -> int:
        """
        Return how many bodies of the stream are not settled at the target, granted or not.

        Only those with a number above *above*.
        """
        ...

    def page(
        self, target_id: str = "", stream: str = "", *, after: int = 0, limit: int = 1000
    ) -> list[Listed]:
        """
        Return up to *limit* bodies with a number above *after*, in order, without content.

        Each with its standing at the target, which is that of one never offered where there is
        none. With *stream* only those of that stream.
        """
        ...

    def owe(self, target_id: str, stream: str) -> None:
        """
        Let every body of the stream have a standing with the target from now on.

        Those that have one keep it. Without anything new nothing is written.

        Raises:
            UnknownTargetError: It was never registered.
        """
        ...

    def next_due(self, grant: Grant, *, now: int, after: tuple[int, int] = (-1, 0)) -> Owed | None:
        """
        Return the first queued body that *grant* covers and that is due at *now*, or None.

        They are ordered by (due at, number) and only those above *after* are looked at. Only
        bodies with a standing are found; `covers` says what a grant covers.
        """
        ...

    def remaining(self, grant: Grant) -> int:
        """Return how many queued bodies with a standing *grant* covers, due or not."""
        ...

    def pending(self, grant: Grant) -> int:
        """Return how many of `remaining` the target was last heard to work on."""
        ...

    def note(self, target_id: str, number: int, standing: Standing) -> None:
        """
        Let the body stand with the target as *standing* says, in place of the one before.

        Without effect where it has none there: `owe` makes the first.

        Raises:
            UnknownTargetError: It was never registered.
        """
        ...

    def reopen(self, target_id: str, number: int, act: Act, *, actor: str, at: int) -> bool:
        """
        Let the body go to the target again as `reopened` says; false where nothing changes.

        How it stood until then is kept among `reopenings`. Without effect where it has no
        standing there.

        Raises:
            UnknownTargetError: It was never registered.
        """
        ...

    def reopenings(self, target_id: str, number: int, *, limit: int = 1000) -> list[Reopening]:
        """Return the latest of what operators did to the body at the target, newest first."""
        ...

    def log(self, failure: UploadFailure) -> None:
        """Add *failure* to what is known of its key and reason, as `merge_failures` says."""
        ...

    def failures(self, *, after: int = 0, limit: int = 1000) -> list[UploadFailure]:
        """Return up to *limit* failures in the order first logged, without the first *after*."""
        ...

    def counts(self, target_id: str = "") -> BodyCounts:
        """Return how many bodies there are, how they stand with the target, and the failures."""
        ...
