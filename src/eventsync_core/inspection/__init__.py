"""What refers to what in a store, and which counters agree with what they count."""

from eventsync_core.inspection._memory import MemoryInspection
from eventsync_core.inspection._model import (
    BEYOND_HEAD,
    LOST_HOLD,
    NO_OUTCOME,
    UNTIMELY,
    Checked,
    Dangling,
    Link,
    Looked,
    Mended,
    Miscount,
    Place,
)
from eventsync_core.inspection._port import Inspection

__all__ = [
    "BEYOND_HEAD",
    "LOST_HOLD",
    "NO_OUTCOME",
    "UNTIMELY",
    "Checked",
    "Dangling",
    "Inspection",
    "Link",
    "Looked",
    "MemoryInspection",
    "Mended",
    "Miscount",
    "Place",
]
