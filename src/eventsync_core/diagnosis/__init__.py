"""From what is known of a home to findings: what is wrong, how badly, and what helps."""

from eventsync_core.diagnosis._model import Facts, Finding, Gone, Lookup, Severity
from eventsync_core.diagnosis._rules import diagnose

__all__ = ["Facts", "Finding", "Gone", "Lookup", "Severity", "diagnose"]
