"""What old programs left belongs to a project only by its whole name."""

import pytest

from eventsync_core.legacy import RowKey, SetAside, Why, belongs, row_belongs

UUID = "0f8fad5b-d9cb-469f-a165-70867728950e"


def aside(event_id: str = "x") -> SetAside:
    key = RowKey("queue", 1, b"")
    return SetAside(
        path="/q.db", key=key, event_id=event_id, why=Why.NOT_JSON, detail="", size=0, at=1
    )


@pytest.mark.parametrize(
    ("event_id", "stream", "project", "is_its"),
    [
        ("api-e3", None, "api", False),
        ("api-e3", "api", "api", True),
        ('["Alpha","m"]', None, "alpha", True),
        ('["alpha2","m"] refused', None, "alpha", False),
        ('["alpha","m"]', "beta", "alpha", False),
        ('["\\u00e9","m"]', None, "é", True),
    ],
)
def test_what_came_from_where(
    event_id: str, stream: str | None, project: str, *, is_its: bool
) -> None:
    """The stream of a known event decides, else the name of a body."""
    assert belongs(event_id, stream, project) is is_its


@pytest.mark.parametrize(
    ("raw", "stream", "project", "is_its"),
    [
        (b'{"project_uuid": "Alpha"}', None, "alpha", True),
        (b'{"project_uuid": "alpha2"}', None, "alpha", False),
        (b'{"project_uuid": "beta", "x": "alpha"}', "alpha", "alpha", False),
        (b'{"a": {"project_uuid": "alpha"}}', None, "alpha", True),
        (b'[{"project_uuid": "alpha"}]', None, "alpha", True),
        (b'"{\\"project_uuid\\": \\"alpha\\"}"', None, "alpha", True),
        (b'{"project_uuid": ["alpha"]}', None, "alpha", True),
        (b'{"project_uuid": ["alpha", "beta"]}', None, "alpha", False),
        (b'{\\"project_uuid\\": \\"alpha\\", oops', None, "alpha", True),
        (b'{"projectUuid": "beta", "x": "' + UUID.encode() + b'", oops', None, UUID, False),
        (b"\xff feature-" + UUID.encode(), None, UUID, False),
        (f"\ufffd {UUID} {UUID[::-1]}".encode() + b"\xff", None, UUID, True),
        (b'{"a": {"project_uuid": "beta"}}', "alpha", "alpha", True),
        (b'{"event_type": "WPStatusChanged", "x": NaN}', None, "wp", False),
        (b'{"project_uuid" : "alpha", "oops', None, "alpha", True),
        (b'{"project_uuid": "alpha2", "oops', None, "alpha", False),
        (b'{"project_uuid": "alpha", "a": {"project_uuid": "beta", "oops', None, "alpha", False),
        (b'{"project_uuid": "alpha", "a": {"project_uuid": "beta", "oops', "alpha", "alpha", False),
        (b'{"status": "alpha", "oops', None, "status", False),
        (b'{"status": "alpha", "oops', None, "alpha", False),
        (b"\xff words" + UUID.upper().encode(), None, UUID, True),
        (b"\xff words", "alpha", "alpha", True),
        (b'{"project_uuid": ["alpha"]}', "default", "default", True),
        (b"default words", None, "default", False),
    ],
)
def test_what_was_set_aside(raw: bytes, stream: str | None, project: str, *, is_its: bool) -> None:
    """What its bytes say decides, and only then its event."""
    assert row_belongs(aside(), raw, stream, project) is is_its


def test_a_body_that_was_set_aside() -> None:
    """It goes by the beginning of its name."""
    assert row_belongs(aside('["alpha","m"]'), b"\xff", None, "alpha")


def test_of_two_projects_in_one_row() -> None:
    """Broken bytes that name two streams are of neither."""
    raw, other = (
        b"\xff " + UUID.encode() + b" " + UUID.replace("0", "1").encode(),
        UUID.replace("0", "1"),
    )

    assert row_belongs(aside(), raw, None, UUID)
    assert not row_belongs(aside(), raw, None, UUID, {other})
