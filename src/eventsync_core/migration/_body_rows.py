"""Rows of the body queue and of its failure log, in both spellings of their columns."""

import re
from collections.abc import Callable
from typing import TypeVar

import attrs

from eventsync_core.bodies import BodyKey, BodyUpload, UploadFailure
from eventsync_core.codec import read_document
from eventsync_core.legacy import RowKey, Why
from eventsync_core.migration._columns import (
    TableRow,
    Value,
    columns_text,
    folded,
    micros_of,
    whole_of,
)

BODIES, FAILURES = "body_upload_queue", "body_upload_failure_log"
_OLD_NAMES = {"mission_slug": "feature_slug", "mission_type": "mission_key"}
_ROW_NUMBER = "id"
_TEXT = r'"(?:[^"\\]|\\.)*"'
_NAME = re.compile(rf"(\[{_TEXT}(?:,{_TEXT})*\])(?: (.*))?", re.DOTALL)
_Read = TypeVar("_Read")


@attrs.frozen
class JudgedBody:
    """
    What a row holds: a body, a failure, or why it holds neither, in a word and a line.

    `beside` has those columns of a body or failure that mean nothing here, or hold something
    else than they should, as JSON; empty where there are none.
    """

    row: TableRow
    key: RowKey
    upload: BodyUpload | None = None
    failure: UploadFailure | None = None
    why: Why | None = None
    detail: str = ""
    beside: str = ""

    @property
    def name(self) -> str:
        """The stable key of the row; empty where it has none."""
        if self.failure is not None:
            return failure_name(self.failure)
        return "" if self.upload is None else self.upload.key.name


def read_name(name: str) -> tuple[BodyKey, str]:
    """
    Return the key that `BodyKey.name` or `failure_name` wrote, and the reason, empty of a body.

    Raises:
        ValueError: Neither wrote it.
    """
    found = _NAME.fullmatch(name)
    if found is None:
        raise ValueError("the name is not that of a body")
    names = (each.name for each in attrs.fields(BodyKey))
    key = BodyKey(**dict(zip(names, read_document(found[1]), strict=True)))
    return key, found[2] or ""


def failure_name(failure: UploadFailure) -> str:
    """Return the key of a failure and its reason as one text."""
    return f"{failure.key.name} {failure.reason}"


def judge_body(row: TableRow) -> JudgedBody:
    """Read the body or the failure in *row*, or say why it holds none."""
    read = _Columns(row)
    try:
        key = read.key()
        if row.part == FAILURES:
            failure = read.failure(key)
            return JudgedBody(row, row.key, failure=failure, beside=read.beside())
        upload = read.upload(key)
        return JudgedBody(row, row.key, upload=upload, beside=read.beside())
    except _UnusableError as error:
        return JudgedBody(row, row.key, why=Why.NO_BODY, detail=str(error))


class _UnusableError(ValueError):
    """A column is missing, or holds something else."""


class _Columns:
    """The columns of a row, of which it is known which were read."""

    def __init__(self, row: TableRow) -> None:
        self._row = row
        self._values = {folded(name): value for name, value in row.columns}
        self._read: set[str] = set()

    def key(self) -> BodyKey:
        """Return which body it is of."""
        parts = {}
        for field in attrs.fields(BodyKey):
            old = _OLD_NAMES.get(field.name, field.name)
            parts[field.name] = self._text(field.name if self._has(field.name) else old)
        return BodyKey(**parts)

    def upload(self, key: BodyKey) -> BodyUpload:
        """Return the body."""
        content = self._text("content_body")
        size = self._or("size_bytes", whole_of, None)
        return BodyUpload(
            key=key,
            content=content,
            size_bytes=len(content.encode()) if size is None else size,
            created_at=self._or("created_at", micros_of, 0),
            hash_algorithm=self._text("hash_algorithm", "sha256"),
            retry_count=self._or("retry_count", whole_of, 0),
            next_attempt_at=self._or("next_attempt_at", micros_of, 0),
            last_error=self._text("last_error", ""),
        )

    def failure(self, key: BodyKey) -> UploadFailure:
        """Return the failure; one that cannot be told from another, or be counted, is none."""
        first = self._or("first_failed_at", micros_of, None)
        count = self._or("failure_count", whole_of, None if self._has("failure_count") else 1)
        if count == 0:
            # A failure that is on record happened; what the row says stays beside it.
            self._read.discard("failure_count")
        if first is None or count is None:
            name = "first_failed_at" if first is None else "failure_count"
            raise _UnusableError(f"{name} holds no number that counts")
        return UploadFailure(
            key=key,
            reason=self._text("failure_reason"),
            size_bytes=self._or("size_bytes", whole_of, 0),
            first_failed_at=first,
            last_failed_at=self._or("last_failed_at", micros_of, first),
            count=max(1, count),
            hash_algorithm=self._text("hash_algorithm", "sha256"),
        )

    def beside(self) -> str:
        """Return what was not read, as JSON; the row's own number is no news."""
        left = [
            (name, value)
            for name, value in self._row.columns
            if value is not None
            and folded(name) not in self._read
            and (folded(name), value) != (_ROW_NUMBER, self._row.row)
        ]
        return columns_text(left) if left else ""

    def _has(self, name: str) -> bool:
        return self._values.get(name) is not None

    def _or(self, name: str, read: Callable[[Value], int | None], otherwise: _Read) -> int | _Read:
        found = read(self._values.get(name))
        if found is None:
            return otherwise
        self._read.add(name)
        return found

    def _text(self, name: str, otherwise: str | None = None) -> str:
        value = self._values.get(name)
        if isinstance(value, str):
            self._read.add(name)
            return value
        if value is None and otherwise is not None:
            return otherwise
        if isinstance(value, bytes):
            raise _UnusableError(f"{name} is not UTF-8")
        raise _UnusableError(f"{name} holds no text")
