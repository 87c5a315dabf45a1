"""One fact: an id that never changes, and an envelope as exact JSON text."""

from eventsync_core.events._families import FAMILIES, Families, Family, as_family_says
from eventsync_core.events._keys import DOSSIER_KEYS, KeyRules, coalesce_key
from eventsync_core.events._model import Event, Hold, Producer
from eventsync_core.events._projects import require_project
from eventsync_core.events._read import decode_text, read_event, text_of
from eventsync_core.events._strict import strict_envelope

__all__ = [
    "DOSSIER_KEYS",
    "FAMILIES",
    "Event",
    "Families",
    "Family",
    "Hold",
    "KeyRules",
    "Producer",
    "as_family_says",
    "coalesce_key",
    "decode_text",
    "read_event",
    "require_project",
    "strict_envelope",
    "text_of",
]
