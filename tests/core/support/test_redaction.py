"""What may be shown: nothing that a user, a host or a server could have written."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eventsync_core.support import Redaction

_ANYTHING = st.recursive(
    st.text(max_size=30) | st.from_regex(r"https?://[a-z@/?]{0,9}", fullmatch=True),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner),
    max_leaves=9,
)


def mark(text: str) -> str:
    """Return a mark that has nothing of *text*."""
    return f"#{len(text)}"


def _texts(value: Any) -> list[str]:
    if isinstance(value, dict):
        return [text for each in value.values() for text in _texts(each)]
    if isinstance(value, list):
        return [text for each in value for text in _texts(each)]
    return [value]


@given(_ANYTHING)
def test_a_text_of_others_is_a_mark(value: Any) -> None:
    """Under any key that is not ours, however deep it stands."""
    shown = Redaction(mark).show({"message": value, "reason": value, "event_id": value})

    nested = [each for each in shown.values() if not isinstance(each, dict)]
    assert all(text == "" or text.startswith("#") for each in nested for text in _texts(each))


@pytest.mark.parametrize(
    ("key", "value", "shown"),
    [
        ("count", 3, 3),
        ("is_current", True, True),
        ("seconds", None, None),
        ("mode", "TEAMSPACE", "TEAMSPACE"),
        ("mode", "no word / at all", "#16"),
        ("at", "2026-11-21T10:20:34.151668+00:00", "2026-11-21T10:20:34.151668+00:00"),
        ("at", "2026-11-21T10:20:34Z and more", "#29"),
        ("positions", "1-240,243", "1-240,243"),
        ("positions", "1-240 secret", "#12"),
        ("url", "https://me:pw@host:8080", "https://host:8080"),
        ("url", "https://host/", "https://host"),
        ("url", "https://host/T00/B00?token=x#y", "https://host/#18"),
        ("url", "https://p w@h", "https://h"),
        ("url", "https://a b", "https://#3"),
        ("url", "me:pw@host", "#10"),
        ("message", "https://host", "#12"),
        ("stream", "project", "#7"),
        ("words", ["sync"], ["#4"]),
        (
            "argv",
            ["sync", "mode", "x", "--project", "mode"],
            ["sync", "mode", "#1", "--project", "#4"],
        ),
        (
            "server_url_provenance",
            {"any": "config.toml [sync] url"},
            {"any": "config.toml [sync] url"},
        ),
    ],
)
def test_what_is_shown(key: str, value: Any, shown: Any) -> None:
    """Numbers, times, our own words, those of commands too; of an address scheme, host and port."""
    words = frozenset({"sync", "mode", "--project"})

    assert Redaction(mark, words=words).show({key: value}) == {key: shown}


def test_a_key_of_others_is_a_mark() -> None:
    """Where a user's word is a key."""
    assert Redaction(mark).show({"My Project": 1}) == {"#10": 1}


def test_names_if_they_are_asked_for() -> None:
    """Of projects, teams and users; nothing else."""
    document = {"stream": "p", "team": "t", "user_email": "u@x", "message": "m"}

    shown = Redaction(mark, with_names=True).show(document)

    assert shown == {"stream": "p", "team": "t", "user_email": "u@x", "message": "#1"}
