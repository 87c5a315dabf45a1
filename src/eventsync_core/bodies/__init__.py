"""Texts to be uploaded beside events: what waits, what each target holds, what was refused."""

from eventsync_core.bodies._memory import MemoryBodies
from eventsync_core.bodies._model import (
    Added,
    Body,
    BodyCounts,
    BodyKey,
    BodyUpload,
    Listed,
    Owed,
    Standing,
    UploadFailure,
    UploadState,
)
from eventsync_core.bodies._port import Bodies
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

__all__ = [
    "LONGEST_WAIT",
    "MOST_BYTES",
    "Added",
    "Bodies",
    "Body",
    "BodyCounts",
    "BodyKey",
    "BodyUpload",
    "Listed",
    "MemoryBodies",
    "Owed",
    "Standing",
    "UploadFailure",
    "UploadState",
    "covers",
    "first_standing",
    "flaw_of",
    "hash_of",
    "merge_failures",
    "reconcile",
]
