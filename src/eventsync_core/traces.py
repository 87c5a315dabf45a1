"""Trace contexts of events: which trace a host was in when it captured one."""

import re
from typing import Protocol

import attrs

__all__ = ["MemoryTraces", "Traces", "is_trace_context"]

_CONTEXT = re.compile(r"[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}")
_NO_TRACE, _NO_SPAN = "0" * 32, "0" * 16


def is_trace_context(text: str) -> bool:
    """Say whether *text* is a `traceparent` of W3C Trace Context: a trace and a span are named."""
    if not _CONTEXT.fullmatch(text):
        return False
    version, trace, span, _ = text.split("-")
    return version != "ff" and trace != _NO_TRACE and span != _NO_SPAN


class Traces(Protocol):
    """Keeps the trace context of events, apart from them; `TracesContract` tests each promise."""

    def note(self, stream: str, position: int, context: str) -> None:
        """Keep *context* of the entry; the one that was kept first stays."""
        ...

    def of(self, stream: str, position: int) -> str | None:
        """Return the context of the entry, or None."""
        ...


@attrs.define
class MemoryTraces:
    """`Traces` that live as long as the object."""

    _contexts: dict[tuple[str, int], str] = attrs.field(factory=dict)

    def note(self, stream: str, position: int, context: str) -> None:
        """See `Traces.note`."""
        self._contexts.setdefault((stream, position), context)

    def of(self, stream: str, position: int) -> str | None:
        """See `Traces.of`."""
        return self._contexts.get((stream, position))
