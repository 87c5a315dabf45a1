"""All that a store holds of one stream besides its entries, and how it goes."""

from eventsync_core.erasure._memory import MemoryErasing
from eventsync_core.erasure._port import Erased, Erasing

__all__ = ["Erased", "Erasing", "MemoryErasing"]
