"""What is told of a store without reading a payload: how much is kept, since when it is owed."""

from eventsync_core.measures._memory import MemoryMeasures
from eventsync_core.measures._model import Retained, Storage, total
from eventsync_core.measures._port import Measures

__all__ = ["Measures", "MemoryMeasures", "Retained", "Storage", "total"]
