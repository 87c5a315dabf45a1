"""Rows of the body queue and of its failure log, in both spellings of their columns."""

from collections.abc import Mapping, Sequence
from hashlib import sha256
from operator import attrgetter

import attrs

from eventsync_core.bodies import BodyKey, BodyUpload, UploadFailure
from eventsync_core.codec import read_document, write_document
from eventsync_core.legacy import RowKey, Why

BODIES, FAILURES = "body_upload_queue", "body_upload_failure_log"
_SECOND = 1_000_000
_LARGEST = (1 << 63) - 1
_OLD_NAMES = {"mission_slug": "feature_slug", "mission_type": "mission_key"}

Value = str | bytes | int | float | None
_PARTS = attrgetter(*(field.name for field in attrs.fields(BodyKey)))


@attrs.frozen
class BodyRow:
    """A row of one of the two tables with all its columns, as they stand there."""

    part: str
    row: int
    columns: Sequence[tuple[str, Value]]

    @property
    def raw(self) -> bytes:
        """All that it holds, as one JSON object; a text that is not UTF-8 stands as hex."""
        found = {
            name: {"hex": value.hex()} if isinstance(value, bytes) else _finite(value)
            for name, value in self.columns
        }
        return write_document(found).encode()

    @property
    def key(self) -> RowKey:
        """Which row it is, and with which content."""
        return RowKey(self.part, self.row, sha256(self.raw).digest())

    @property
    def size(self) -> int:
        """How much room its texts take, about."""
        return sum(len(value) for _, value in self.columns if isinstance(value, str | bytes))


@attrs.frozen
class JudgedBody:
    """What a row holds: a body, a failure, or why it holds neither, in a word and a line."""

    row: BodyRow
    key: RowKey
    upload: BodyUpload | None = None
    failure: UploadFailure | None = None
    why: Why | None = None
    detail: str = ""

    @property
    def name(self) -> str:
        """The stable key of the row; empty where it has none."""
        if self.failure is not None:
            return failure_name(self.failure)
        return "" if self.upload is None else name_of(self.upload.key)


def name_of(key: BodyKey) -> str:
    """Return the seven parts as one text."""
    return write_document(_PARTS(key))


def key_of(name: str) -> BodyKey:
    """Return the key that `name_of` wrote."""
    return BodyKey(
        **dict(zip((each.name for each in attrs.fields(BodyKey)), read_document(name), strict=True))
    )


def failure_name(failure: UploadFailure) -> str:
    """Return the key of a failure and its reason as one text."""
    return f"{name_of(failure.key)} {failure.reason}"


def judge_body(row: BodyRow) -> JudgedBody:
    """Read the body or the failure in *row*, or say why it holds none."""
    columns = {name.lower(): value for name, value in row.columns}
    try:
        key = _key(columns)
        if row.part == FAILURES:
            return JudgedBody(row, row.key, failure=_failure(key, columns))
        return JudgedBody(row, row.key, upload=_upload(key, columns))
    except _UnusableError as error:
        return JudgedBody(row, row.key, why=Why.NO_BODY, detail=str(error))


class _UnusableError(ValueError):
    """A column is missing, or holds something else."""


def _key(columns: Mapping[str, Value]) -> BodyKey:
    parts = {}
    for field in attrs.fields(BodyKey):
        old = _OLD_NAMES.get(field.name, field.name)
        parts[field.name] = _text(columns, field.name if field.name in columns else old)
    return BodyKey(**parts)


def _upload(key: BodyKey, columns: Mapping[str, Value]) -> BodyUpload:
    content = _text(columns, "content_body")
    return BodyUpload(
        key=key,
        content=content,
        size_bytes=_whole(columns, "size_bytes", len(content.encode())),
        created_at=_micros(columns, "created_at"),
        hash_algorithm=_text(columns, "hash_algorithm", "sha256"),
        retry_count=_whole(columns, "retry_count", 0),
        next_attempt_at=_micros(columns, "next_attempt_at"),
        last_error=_text(columns, "last_error", ""),
    )


def _failure(key: BodyKey, columns: Mapping[str, Value]) -> UploadFailure:
    return UploadFailure(
        key=key,
        reason=_text(columns, "failure_reason"),
        size_bytes=_whole(columns, "size_bytes", 0),
        first_failed_at=_micros(columns, "first_failed_at"),
        last_failed_at=_micros(columns, "last_failed_at"),
        count=max(1, _whole(columns, "failure_count", 1)),
        hash_algorithm=_text(columns, "hash_algorithm", "sha256"),
    )


def _text(columns: Mapping[str, Value], name: str, otherwise: str | None = None) -> str:
    value = columns.get(name)
    if isinstance(value, str):
        return value
    if value is None and otherwise is not None:
        return otherwise
    if isinstance(value, bytes):
        raise _UnusableError(f"{name} is not UTF-8")
    raise _UnusableError(f"{name} holds no text")


def _whole(columns: Mapping[str, Value], name: str, otherwise: int) -> int:
    value = columns.get(name)
    return value if isinstance(value, int) else otherwise


def _micros(columns: Mapping[str, Value], name: str) -> int:
    value = columns.get(name)
    if not isinstance(value, int | float):
        return 0
    try:
        found = int(value * _SECOND)
    except (ValueError, OverflowError):
        return 0
    return found if 0 <= found <= _LARGEST else 0


def _finite(value: str | float | None) -> str | int | float | None:
    """Return *value*, or its name where JSON has no number for it."""
    if isinstance(value, float) and (value != value or value in (float("inf"), -float("inf"))):
        return repr(value)
    return value
