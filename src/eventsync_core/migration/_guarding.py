"""What nobody foresaw in one source stands in the way of no other."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from eventsync_core.errors import EventSyncError, SourceError
from eventsync_core.legacy import Became, Brought, RowKey, Source
from eventsync_core.migration._model import OnRow

_Row = TypeVar("_Row")
_KEEP = "keep the file as it is, and report this: nothing of it is deleted"


class _ToldError(Exception):
    """Whoever is told of rows raised `error`."""

    def __init__(self, error: Exception) -> None:
        super().__init__(str(error))
        self.error = error


def telling(on_row: OnRow) -> OnRow:
    """Return *on_row*, of which no error is taken for one of a source."""

    def told(source: Source, key: RowKey, name: str, became: Became | Brought) -> None:
        try:
            on_row(source, key, name, became)
        except Exception as error:
            raise _ToldError(error) from error

    return told


@contextmanager
def letting_through() -> Iterator[None]:
    """Run what tells of rows; what goes wrong with that comes out of it as it was raised."""
    error: Exception | None = None
    try:
        yield
    except _ToldError as told:
        error = told.error
    if error is not None:
        # Out here it keeps its own cause.
        raise error


@contextmanager
def guarding(source: Source) -> Iterator[None]:
    """
    Run what depends on the content of *source*.

    Raises:
        SourceError: Something went wrong that is no error of this library.
    """
    try:
        yield
    except (EventSyncError, _ToldError):
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
