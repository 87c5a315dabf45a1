"""From what is known of a home to findings: what is wrong, how badly, and what helps."""

from eventsync_core.diagnosis._model import Facts, Finding, Gone, Lookup, Severity
from eventsync_core.diagnosis._rules import MOST_WAL_BYTES, diagnose

__all__ = ["MOST_WAL_BYTES", "Facts", "Finding", "Gone", "Lookup", "Severity", "diagnose"]
