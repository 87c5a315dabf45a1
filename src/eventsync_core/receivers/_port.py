from collections.abc import Sequence
from typing import Protocol

from eventsync_core.receivers._answer import Verdict
from eventsync_core.receivers._model import Batch, Gate
from eventsync_core.targets import Limits


class DeliveryReceiver(Protocol):
    """Something that can be offered events; `ReceiverContract` tests each promise."""

    @property
    def target_id(self) -> str:
        """The target this receiver reaches; it accepts no batch for another."""
        ...

    def closed_gates(self) -> Sequence[Gate]:
        """Return the gates that are closed now; computed afresh, without a request."""
        ...

    def limits(self) -> Limits:
        """Return what one request may hold, as far as it is known."""
        ...

    def pack(self, batch: Batch) -> Batch:
        """
        Return *batch* with the body that is to be sent, coded; nothing is sent.

        A batch that is packed comes back as it is. It may be called while another batch is
        being delivered.

        Raises:
            UnsendableEventError: What the host made of one event cannot be sent.
        """
        ...

    def deliver(self, batch: Batch) -> Verdict:
        """
        Offer *batch*, packed or not, in one request; return one outcome per event, in order.

        An event the target already has is a duplicate. A fault is an outcome, not an
        exception. The answer is judged by `interpret`. Nothing is retried or followed.

        Raises:
            ValueError: The batch was minted for another target; nothing was sent.
            UnsendableEventError: As `pack`; nothing was sent.
        """
        ...

    def health(self) -> object | None:
        """
        Return what the target says of itself, parsed JSON, with one request at most.

        None where it says nothing, or nothing could be had; no fault is raised.
        """
        ...
