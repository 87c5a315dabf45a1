"""A new database made once: a thousand tests need not make the same tables a thousand times."""

from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from eventsync_adapters import machine
from eventsync_adapters.sqlite import open_stores

__all__ = ["put_new_database"]


@cache
def _made() -> bytes:
    with TemporaryDirectory() as place:
        path = Path(place) / "new.db"
        open_stores(path).close()
        return path.read_bytes()


def put_new_database(path: Path) -> None:
    """Let a database as `open_stores` makes it be at *path*, where nothing is yet."""
    if path.exists():
        return
    machine.make_private_folder(path.parent)
    machine.create_private_file(path)
    path.write_bytes(_made())
