import re
from collections.abc import Collection, Iterator
from contextlib import suppress

from eventsync_core.codec import read_document, write_document
from eventsync_core.ids import lower_name
from eventsync_core.legacy._model import SetAside

_KEY = "project_uuid"
_UUID = re.compile(r"(?<![0-9a-f-])[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}(?![0-9a-f-])")
_SAID = re.compile(r'"project_?uuid\\*"\s*:\s*\\*"([^"\\]*)\\*"', re.IGNORECASE)


def body_names(project: str) -> str:
    """Return how the names of all bodies of *project* begin, in lower case."""
    return write_document([project])[:-1]


def belongs(event_id: str, stream: str | None, project: str) -> bool:
    """
    Say whether what came from an old program under *event_id* is of *project*, a stream's name.

    Where an event is stored under it, *stream* is its own and decides; without, the id is the
    name of a body, which begins with its project.
    """
    if stream is not None:
        return stream == project
    return lower_name(event_id).startswith(body_names(project))


def row_belongs(
    row: SetAside, raw: bytes, stream: str | None, project: str, streams: Collection[str] = ()
) -> bool:
    """
    Say whether a row that was set aside with the bytes *raw* is of *project*, a stream's name.

    The project that the row names decides, whole: of JSON its `project_uuid`, or the only one
    that stands deeper in it where its event is not known; of bytes that are no JSON what they say
    beside it, or a UUID that stands alone in them, if it is the only one of *streams*. What names
    none is judged by its `event_id`, see `belongs`.
    """
    try:
        named = _named(read_document(raw), is_known=stream is not None)
    except ValueError:
        named = _said(raw, {project, *streams})
    return project in named if named else belongs(row.event_id, stream, project)


def _said(raw: bytes, streams: Collection[str]) -> set[str]:
    """Return the project that broken bytes name; one that is not certain is as if it were none."""
    text = raw.decode(errors="replace").lower()
    found = {lower_name(name) for name in _SAID.findall(text)} - {""}
    found = found or {name for name in _UUID.findall(text) if name in streams}
    return found if len(found) < 2 else {""}


def _named(content: object, *, is_known: bool) -> set[str]:
    """Return the project that JSON names; one that is not certain is as if it were none."""
    named = content.get(_KEY) if isinstance(content, dict) else None
    if isinstance(named, str):
        return {lower_name(named)} - {""}
    found = set() if is_known else {lower_name(name) for name in _deeper(content)} - {""}
    return found if len(found) < 2 else {""}


def _deeper(content: object) -> Iterator[str]:
    """Yield every project that is named anywhere in it, also in JSON that is text in it."""
    left = [content]
    while left:
        each = left.pop()
        if isinstance(each, str) and _KEY in each:
            with suppress(ValueError):
                left.append(read_document(each))
        elif isinstance(each, list):
            left += each
        elif isinstance(each, dict):
            left += each.values()
            named = each.get(_KEY)
            names = named if isinstance(named, list) else [named]
            yield from (name for name in names if isinstance(name, str))
