from hashlib import sha256

from eventsync_core.errors import StoreUnreadableError
from eventsync_core.journal._model import Entry


def checked_text(entry: Entry) -> str:
    """
    Return the text of *entry*, held against its digest.

    Raises:
        StoreUnreadableError: It is not the one that was captured.
    """
    text = entry.event.text
    if sha256(text.encode()).digest() != entry.event.digest:
        raise StoreUnreadableError(
            f"the text stored for event {entry.event.event_id} ({entry.stream}:{entry.position}) "
            "is not the one that was captured"
        )
    return text
