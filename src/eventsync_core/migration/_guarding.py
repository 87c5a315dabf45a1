"""What nobody foresaw in one source stands in the way of no other."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from eventsync_core.errors import EventSyncError, SourceError
from eventsync_core.legacy import Source

_Row = TypeVar("_Row")
_KEEP = "keep the file as it is, and report this: nothing of it is deleted"


@contextmanager
def guarding(source: Source) -> Iterator[None]:
    """
    Run what depends on the content of *source*.

    Raises:
        SourceError: Something went wrong that is no error of this library.
    """
    try:
        yield
    except EventSyncError:
        raise
    except Exception as error:
        raise _unforeseen(source, error) from error


def each_of(source: Source, rows: Iterable[_Row]) -> Iterator[_Row]:
    """
    Yield *rows*, which are made of the content of *source*.

    Raises:
        SourceError: As `guarding` does.
    """
    # What goes wrong with whoever takes the rows does not come this way.
    try:
        yield from rows
    except EventSyncError:
        raise
    except Exception as error:
        raise _unforeseen(source, error) from error


def _unforeseen(source: Source, error: Exception) -> SourceError:
    said = f"{type(error).__name__}: {error}"
    return SourceError(f"{source.path} holds what cannot be understood: {said}", fix=_KEEP)
