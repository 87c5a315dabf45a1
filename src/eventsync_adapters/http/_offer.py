"""What both receivers do alike: one request, judged, with nothing secret in what came back."""

from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

import attrs

from eventsync_adapters.http._redact import without_secrets
from eventsync_core.errors import EventSyncError
from eventsync_core.receivers import Answer, Batch, Verdict, interpret
from eventsync_core.targets import Target

JSON = {"Content-Type": "application/json"}
GZIP = {"Content-Encoding": "gzip"}


class Requester(Protocol):
    """What a receiver needs of `Transport`."""

    @property
    def secrets(self) -> Sequence[str]:
        """See `Transport.secrets`."""
        ...

    def post(self, url: str, content: bytes, headers: Mapping[str, str]) -> Answer:
        """See `Transport.post`."""
        ...

    def get(self, url: str, headers: Mapping[str, str]) -> Answer:
        """See `Transport.get`."""
        ...


@attrs.frozen
class Told:
    """What goes with a body: the headers, and what is kept of no answer."""

    headers: Mapping[str, str] = attrs.field(repr=False)
    secrets: tuple[str, ...] = attrs.field(repr=False)


def require_own(target: Target, batch: Batch) -> None:
    """
    Let only a batch for *target* pass.

    Raises:
        ValueError: It was minted for another.
    """
    if batch.permit.target_id != target.target_id:
        raise ValueError("the batch was minted for another target")


def keep() -> None:
    """Nothing is held that could be forgotten."""


def is_turned_away(status: int | None) -> bool:
    """Say whether an answer means that the secrets that were sent are not, or no longer, right."""
    return status in (401, 403)


def offer(
    transport: Requester,
    url: str,
    packed: Batch,
    tell: Callable[[], Told],
    forget: Callable[[], None],
) -> Verdict:
    """
    Post *packed* with what *tell* returns; where it raises, whatever it is, nothing is sent.

    *forget* is called when the answer turns away who sent it.
    """
    try:
        told = tell()
    except EventSyncError as error:
        return interpret(packed.event_ids, Answer(fault=error.message, reached=False))
    except Exception as error:  # noqa: BLE001 - a host's function raises what it likes
        # Its text is the host's, and may quote a secret.
        fault = f"what goes with the request could not be had: {type(error).__name__}"
        return interpret(packed.event_ids, Answer(fault=fault, reached=False))
    answer = transport.post(url, packed.coded or b"", told.headers)
    if is_turned_away(answer.status):
        forget()
    verdict = interpret(packed.event_ids, answer)
    return without_secrets(verdict, (*told.secrets, *transport.secrets))


def merged(*layers: Mapping[str, str]) -> dict[str, str]:
    """Return all headers; of one name in any spelling, the value of the last that has it."""
    found: dict[str, tuple[str, str]] = {}
    for layer in layers:
        found.update({name.lower(): (name, value) for name, value in layer.items()})
    return dict(found.values())
