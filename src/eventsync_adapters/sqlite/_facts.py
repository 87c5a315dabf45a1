import attrs


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
