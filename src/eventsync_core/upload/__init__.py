"""Bodies go to a target after the events that speak of them, one request each."""

from eventsync_core.upload._preview import Preview, RetryAccount, preview, retry
from eventsync_core.upload._report import UploadReport, UploadStop
from eventsync_core.upload._upload import LEASE_NAME, Upload, upload

__all__ = [
    "LEASE_NAME",
    "Preview",
    "RetryAccount",
    "Upload",
    "UploadReport",
    "UploadStop",
    "preview",
    "retry",
    "upload",
]
