from typing import Protocol

from eventsync_core.bodies._model import (
    Added,
    BodyCounts,
    BodyKey,
    BodyUpload,
    Listed,
    Owed,
    Standing,
    UploadFailure,
)
from eventsync_core.egress import Grant


class Bodies(Protocol):
    """
    What is to be uploaded, where it is, and what was refused; `BodiesContract` tests each promise.

    Bodies and failures are never deleted, whatever came of them.
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

    def note(self, target_id: str, number: int, standing: Standing) -> None:
        """
        Let the body stand with the target as *standing* says, in place of the one before.

        Without effect where it has none there: `owe` makes the first.

        Raises:
            UnknownTargetError: It was never registered.
        """
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
