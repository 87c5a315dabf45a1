from collections.abc import Sequence
from hashlib import sha256
from typing import Any

from eventsync_core.errors import NotJsonError
from eventsync_core.events import read_event
from eventsync_core.ingest._port import Kept


def answer_held(page: Sequence[Kept], *, most: int) -> dict[str, Any]:
    """
    Return ids and digests of one page of at most *most*, and where the next one begins.

    The canonical digest is None of what is no event by itself.
    """
    return {
        "held": [
            {
                "event_id": kept.event_id,
                "digest": sha256(kept.text.encode("utf-8", "surrogatepass")).hexdigest(),
                "canonical_digest": _canonical(kept.text),
            }
            for kept in page
        ],
        "next_after": page[-1].seq if page and len(page) == most else None,
    }


def _canonical(text: str) -> str | None:
    try:
        return read_event(text).canonical_digest.hex()
    except NotJsonError:
        return None
