from pathlib import Path

import attrs

_WAL = b"\x02\x02"


@attrs.frozen(kw_only=True)
class StorageFacts:
    """
    How a database is stored; `is_exposed`: this SQLite can corrupt it in WAL mode.

    `journal_mode` is what SQLite says it uses, `configured_mode` what it is told to use.
    """

    path: str
    sqlite_version: str
    is_exposed: bool
    journal_mode: str
    configured_mode: str
    file_bytes: int


def configured_mode(path: Path) -> str:
    """Return `wal` where the file says so; else `truncate`, which every writer asks for."""
    with path.open("rb") as file:
        header = file.read(20)
    return "wal" if header[18:] == _WAL else "truncate"
