"""Rules every journal calls, so that two of them cannot disagree."""

from collections.abc import Sequence
from hashlib import sha256
from typing import Literal

from eventsync_core.events import Event
from eventsync_core.journal._model import Appended, Known

FAR = 1_000
"""How many entries back one whose chain fits is looked for, where those right before do not."""


def chain_start(stream: str) -> bytes:
    """Return the chain before the first entry of *stream*."""
    return sha256(f"eventsync/1\n{stream}".encode()).digest()


def chain_next(chain: bytes, position: int, event_id: str, digest: bytes) -> bytes:
    """Return the chain after one more entry with that payload *digest*."""
    link = b"".join((chain, position.to_bytes(8, "big"), event_id.encode(), digest))
    return sha256(link).digest()


def chains_after(
    stream: str, entries: Sequence[tuple[int, str, bytes, bytes]]
) -> tuple[bytes, ...]:
    """
    Return the chains that an entry may follow from, by the *entries* right before it.

    Each has a position, an id, a digest and a chain. Beside the chain that is noted last it may
    be one computed from an earlier one, so that an altered chain is one flaw.
    """
    chains, after = [chain_start(stream)], 0
    for position, event_id, digest, chain in entries:
        before = chains if position == after + 1 else []
        computed = (chain_next(each, position, event_id, digest) for each in before)
        chains, after = list(dict.fromkeys((chain, *computed))), position
    return tuple(chains)


def reconcile(known: Known, event: Event) -> Appended:
    """
    Judge an *event* that came back under a *known* id.

    Canonically equal is a duplicate, whatever stream it came for; anything else is a
    conflict. The result names where the first one stands; nothing stored changes.
    """
    equal = known.canonical_digest == event.canonical_digest
    state: Literal["duplicate", "conflict"] = "duplicate" if equal else "conflict"
    is_gone = equal and known.payload_gone
    return Appended(known.event_id, known.stream, known.position, state, is_gone)
