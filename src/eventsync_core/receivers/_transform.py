from collections.abc import Callable, Mapping
from typing import Any

import attrs

from eventsync_core.codec import read_document, without_local_keys, write_document
from eventsync_core.errors import UnsendableEventError
from eventsync_core.receivers._model import Batch, plain_body

WireTransform = Callable[[dict[str, Any]], Mapping[str, Any]]
"""
Makes of each parsed envelope what is sent in its place to one target.

It is pure: equal envelopes give equal results. The `event_id` stays.
"""


def transformed(batch: Batch, transform: WireTransform | None) -> Batch:
    """
    Return *batch* with the texts that *transform* makes of its events, as compact JSON.

    Raises:
        UnsendableEventError: It raised, or its result is no JSON object with that `event_id`.
    """
    if transform is None:
        return batch
    texts = tuple(
        _text(index, event_id, text, transform)
        for index, (event_id, text) in enumerate(zip(batch.event_ids, batch.texts, strict=True))
    )
    return attrs.evolve(batch, texts=texts, body=plain_body(texts))


def _text(index: int, event_id: str, text: str, transform: WireTransform) -> str:
    try:
        envelope = read_document(text)
    except ValueError as error:
        reason = "it holds what Python cannot read, so wire_transform cannot be asked"
        raise UnsendableEventError(index, event_id, reason) from error
    try:
        made = transform(envelope)
    except Exception as error:
        # The text of a foreign exception may quote the event.
        reason = f"wire_transform raised {type(error).__name__}"
        raise UnsendableEventError(index, event_id, reason) from error
    if not isinstance(made, Mapping):
        raise UnsendableEventError(index, event_id, "wire_transform returned no mapping")
    if made.get("event_id") != event_id:
        raise UnsendableEventError(index, event_id, "wire_transform changed the event_id")
    try:
        return without_local_keys(write_document(dict(made)))
    except (TypeError, ValueError, RecursionError) as error:
        reason = "wire_transform returned what is no JSON"
        raise UnsendableEventError(index, event_id, reason) from error
