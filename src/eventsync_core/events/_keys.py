from collections.abc import Iterable, Mapping

from eventsync_core.codec import read_words, write_document
from eventsync_core.events._model import Event

Paths = tuple[str, ...]

KeyRules = Mapping[str, tuple[Paths, ...]]
"""
Event types to the parts of their key; of a part's dotted paths the first that leads to text counts.
"""

_PROJECT = ("namespace.project_uuid", "project_uuid")
_MISSION = ("namespace.mission_slug", "mission_slug", "feature_slug")
_ARTIFACT = ("artifact_id.path", "relative_path", "artifact_key")

DOSSIER_KEYS: KeyRules = {
    "MissionDossierArtifactIndexed": (_PROJECT, _MISSION, _ARTIFACT),
    "MissionDossierSnapshotComputed": (_PROJECT, _MISSION),
}
"""What is said again and again of a mission's dossier: of each artifact, and of the whole."""


def coalesce_key(event: Event, rules: KeyRules) -> str | None:
    """
    Return the key of *event*: a JSON array of its type and every part, or None.

    A part is looked up by each of its paths in turn, in the envelope first, then in `payload`;
    only text that is not empty counts. An event whose type *rules* do not name, that lacks a
    part or that is held has no key.
    """
    parts = rules.get(event.event_type or "")
    if parts is None or event.hold is not None:
        return None
    envelope = read_words(event.text)
    places = (envelope, envelope.get("payload"))
    found = [_first(places, paths) for paths in parts]
    return write_document([event.event_type, *found]) if all(found) else None


def _first(places: Iterable[object], paths: Paths) -> str:
    """Return the first text that one of *paths* leads to, or an empty one."""
    for path in paths:
        for place in places:
            value = _at(place, path)
            if isinstance(value, str) and value:
                return value
    return ""


def _at(place: object, path: str) -> object:
    for name in path.split("."):
        if not isinstance(place, Mapping):
            return None
        place = place.get(name)
    return place
