from collections.abc import Iterable

import attrs


@attrs.frozen
class Retained:
    """How many payloads a stream keeps, and their bytes in UTF-8."""

    stream: str
    count: int
    size_bytes: int


def total(parts: Iterable[Retained]) -> Retained:
    """Return all *parts* as one, which is of no stream; a miscounted one is never below zero."""
    found = list(parts)
    size_bytes = sum(max(part.size_bytes, 0) for part in found)
    return Retained("", sum(max(part.count, 0) for part in found), size_bytes)


@attrs.frozen(kw_only=True)
class Storage:
    """
    How a store lies on disk.

    `free_pages` of `page_bytes` each hold nothing and are used again; `wal_bytes` is what
    stands beside the file and is not in it yet, 0 without WAL.
    """

    journal_mode: str
    file_bytes: int
    free_pages: int
    page_bytes: int
    wal_bytes: int

    @property
    def free_bytes(self) -> int:
        """The bytes of all free pages."""
        return self.free_pages * self.page_bytes
