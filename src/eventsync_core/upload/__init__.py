"""Bodies go to a target after the events that speak of them, one request each."""

from eventsync_core.upload._left_out import bodies_left_out, left_out_message
from eventsync_core.upload._order import MOST_OFFERS, EventBefore, event_before
from eventsync_core.upload._preview import Preview, preview
from eventsync_core.upload._reopen import BodyAccount, BodyOrder, reopen_bodies
from eventsync_core.upload._report import UploadReport, UploadStop
from eventsync_core.upload._upload import LEASE_NAME, Upload, upload

__all__ = [
    "LEASE_NAME",
    "MOST_OFFERS",
    "BodyAccount",
    "BodyOrder",
    "EventBefore",
    "Preview",
    "Upload",
    "UploadReport",
    "UploadStop",
    "bodies_left_out",
    "event_before",
    "left_out_message",
    "preview",
    "reopen_bodies",
    "upload",
]
