import re

from eventsync_core.codec import read_document, write_document
from eventsync_core.ids import lower_name
from eventsync_core.legacy._model import SetAside

_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_SAID = re.compile(r'"project_uuid"\s*:\s*"([^"\\]*)"')


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


def row_belongs(row: SetAside, raw: bytes, stream: str | None, project: str) -> bool:
    """
    Say whether a row that was set aside with the bytes *raw* is of *project*, a stream's name.

    The project that the row names decides, whole; of bytes that are no JSON what they say beside
    `project_uuid`, or a UUID that stands anywhere in them. What names none is judged by its
    `event_id`, see `belongs`.
    """
    named = _named(raw, project)
    return project in named if named else belongs(row.event_id, stream, project)


def _named(raw: bytes, project: str) -> set[str]:
    """Return the projects that the bytes name; one that is not certain is as if it were none."""
    try:
        content = read_document(raw)
    except ValueError:
        text = raw.decode(errors="replace")
        found = {lower_name(name) for name in _SAID.findall(text)} - {""}
        if not found and _UUID.fullmatch(project) and project in text.lower():
            return {project}
        return found if len(found) < 2 else {""}
    named = content.get("project_uuid") if isinstance(content, dict) else None
    return {lower_name(named)} - {""} if isinstance(named, str) else set()
