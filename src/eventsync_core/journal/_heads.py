from eventsync_core.journal._model import Head
from eventsync_core.journal._port import Journal


def heads_of(journal: Journal, stream: str | None) -> list[Head]:
    """Return the heads of streams that hold events: that of *stream*, or with None of all."""
    return [head for head in journal.heads() if head.position and stream in (None, head.stream)]
