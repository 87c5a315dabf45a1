"""Texts to be uploaded beside events: what waits, what each target holds, what was refused."""

from eventsync_core.bodies._fold import asked, fold_push, reopened
from eventsync_core.bodies._interpret import interpret_push
from eventsync_core.bodies._memory import MemoryBodies
from eventsync_core.bodies._model import (
    Added,
    Body,
    BodyCounts,
    BodyKey,
    BodyUpload,
    Listed,
    Owed,
    Reopening,
    Standing,
    UploadFailure,
    UploadState,
)
from eventsync_core.bodies._port import Bodies
from eventsync_core.bodies._push import (
    PUSH_PATH,
    BodyReceiver,
    PushVerdict,
    push_body,
    require_permit,
)
from eventsync_core.bodies._rules import (
    LONGEST_WAIT,
    MOST_BYTES,
    covers,
    first_standing,
    flaw_of,
    hash_of,
    merge_failures,
    reconcile,
)
from eventsync_core.bodies._stub import StubBodyReceiver
from eventsync_core.bodies._surface import skip_reason

__all__ = [
    "LONGEST_WAIT",
    "MOST_BYTES",
    "PUSH_PATH",
    "Added",
    "Bodies",
    "Body",
    "BodyCounts",
    "BodyKey",
    "BodyReceiver",
    "BodyUpload",
    "Listed",
    "MemoryBodies",
    "Owed",
    "PushVerdict",
    "Reopening",
    "Standing",
    "StubBodyReceiver",
    "UploadFailure",
    "UploadState",
    "asked",
    "covers",
    "first_standing",
    "flaw_of",
    "fold_push",
    "hash_of",
    "interpret_push",
    "merge_failures",
    "push_body",
    "reconcile",
    "reopened",
    "require_permit",
    "skip_reason",
]
