"""The way in: redact, classify, validate, append. Asks no network, login, grant or target."""

from eventsync_core.capture._capture import capture, capture_many
from eventsync_core.capture._model import CaptureRules, Envelope, Receipt, Redactor, Validator

__all__ = [
    "CaptureRules",
    "Envelope",
    "Receipt",
    "Redactor",
    "Validator",
    "capture",
    "capture_many",
]
