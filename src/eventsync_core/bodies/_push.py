"""Reaching a target with a body: the port, and what a push came to."""

from collections.abc import Sequence
from typing import Protocol

import attrs

from eventsync_core.bodies._model import BodyUpload, UploadState
from eventsync_core.codec import write_document
from eventsync_core.receivers import Gate, Next, Permit

PUSH_PATH = "/api/dossier/push-content/"
"""Where a Teamspace takes bodies."""


@attrs.frozen(kw_only=True)
class PushVerdict:
    """
    What an answer to a push means.

    `state` queued: it is to be tried again. `reason` is one line, in the words of the failure
    log. `next` is `GO_ON` where only this body is concerned, `BACK_OFF` where the target is to
    be left alone, `PROTOCOL` where nothing else is worth trying now, `WITHHELD` where nothing
    left the machine; `closed` is the gate that was found closed then, if it was one.
    `is_pending`: the server works on it and nothing is wrong. The waits are those of `Verdict`.
    """

    state: UploadState
    reason: str
    next: Next = Next.GO_ON
    status: int | None = None
    is_pending: bool = False
    retry_after: int | None = None
    retry_at: int | None = None
    no_connection: bool = False
    closed: Gate | None = None

    @property
    def is_of_server(self) -> bool:
        """It tells of an address that is none, as likely as of this body."""
        return self.reason.startswith(("unexpected_status: ", "not_found: "))

    @property
    def may_be_of_body(self) -> bool:
        """It may have come of this body: another one might fare better."""
        if self.next is Next.BACK_OFF:
            is_lost = self.status is None and not self.no_connection
            return is_lost or self.status == 408 or (self.status or 0) >= 500
        return self.next in (Next.GO_ON, Next.PROTOCOL)


class BodyReceiver(Protocol):
    """Something that can be sent bodies; `BodyReceiverContract` tests each promise."""

    @property
    def target_id(self) -> str:
        """The target this receiver reaches; it accepts no permit for another."""
        ...

    def closed_gates(self) -> Sequence[Gate]:
        """Return the gates that are closed now; computed afresh, without a request."""
        ...

    def push(self, permit: Permit, upload: BodyUpload) -> PushVerdict:
        """
        Send *upload* in one request and return what came of it.

        A body the target already has already exists. A fault is a verdict, not an exception.
        The answer is judged by `interpret_push`. Nothing is retried or followed. Where a gate
        has closed meanwhile, nothing is sent, and the verdict names it.

        Raises:
            ValueError: The permit is for another target; nothing was sent.
        """
        ...


def push_body(upload: BodyUpload) -> bytes:
    """Return the request that carries *upload*: nine texts in one JSON object."""
    document = attrs.asdict(upload.key)
    document["hash_algorithm"] = upload.hash_algorithm
    document["content_body"] = upload.content
    return write_document(document).encode()


def require_permit(target_id: str, permit: Permit) -> None:
    """
    Let only a permit for that target pass.

    Raises:
        ValueError: It is for another.
    """
    if permit.target_id != target_id:
        raise ValueError("the permit is for another target")
