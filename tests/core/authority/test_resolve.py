"""Which server: claims in, one target or a conflict out."""

from hashlib import sha256

import attrs
import pytest

from eventsync_core.authority import Claims, queue_file_name, resolve

_A, _B = "https://a.example", "https://b.example"


@pytest.mark.requirement("T1")
@pytest.mark.parametrize(
    ("configured", "env", "expected"),
    [(_A, _A, _A), (_A, "", _A), ("", _A, _A), ("", "", None), (_A, "  ", _A)],
)
def test_claims_that_agree(configured: str, env: str, expected: str | None) -> None:
    """One that says nothing agrees with anything; there is no built-in server."""
    target = resolve(Claims(configured_server_url=configured, env_server_url=env))

    assert (target.override_mode, target.resolved_server_url) == ("none", expected)
    assert not target.is_conflict


@pytest.mark.requirement("T5")
def test_claims_that_differ_resolve_to_nothing() -> None:
    """Both are named, none wins."""
    target = resolve(Claims(configured_server_url=_A, env_server_url=_B))

    assert (target.override_mode, target.resolved_server_url) == ("setup_only", None)
    assert (target.configured_server_url, target.env_server_url) == (_A, _B)
    assert target.is_conflict


@pytest.mark.requirement("T8")
@pytest.mark.parametrize("env", [f" {_A}/ ", "HTTPS://A.example:443", f"{_A}/#x"])
def test_another_spelling_is_no_difference(env: str) -> None:
    """URLs are compared in canonical form, and resolved to it."""
    target = resolve(Claims(configured_server_url=_A, env_server_url=env))

    assert (target.override_mode, target.resolved_server_url) == ("none", _A)


def test_a_url_that_names_nothing_still_compares() -> None:
    """It is shown as it stands; who uses it will refuse it."""
    target = resolve(Claims(configured_server_url="nowhere", env_server_url="nowhere"))

    assert target.resolved_server_url == "nowhere"


@pytest.mark.requirement("T9")
def test_another_part_is_another_scope() -> None:
    """Server, user and team count; equal claims give equal scopes."""
    base = Claims(configured_server_url=_A, user="u@e", team="t")
    others = [
        attrs.evolve(base, configured_server_url=_B),
        attrs.evolve(base, user="v@e"),
        attrs.evolve(base, team="s"),
    ]

    scopes = [resolve(claims).derived_queue_scope for claims in (base, base, *others)]

    assert scopes[0] == scopes[1]
    assert len(set(scopes)) == 4


@pytest.mark.requirement("T10")
def test_without_a_user_there_is_still_a_scope() -> None:
    """Its parts are empty."""
    target = resolve(Claims(configured_server_url=_A))

    assert target.derived_queue_scope == f"{_A}||"
    assert (target.user_id, target.team_slug) == (None, None)


@pytest.mark.requirement("T11")
def test_a_scope_is_ascii() -> None:
    """Whatever the names."""
    target = resolve(Claims(configured_server_url=_A, user="zoë@e", team="équipe"))

    assert target.derived_queue_scope.isascii()


@pytest.mark.requirement("T12")
@pytest.mark.parametrize(
    ("cached", "expected"),
    [
        ("", "absent"),
        (f"{_A}|u@e|t\n", "matches"),
        (f"{_B}|u@e|t", "stale_non_authoritative"),
    ],
)
def test_a_cached_scope_is_only_compared(cached: str, expected: str) -> None:
    """It never changes what is derived."""
    claims = Claims(configured_server_url=_A, user="u@e", team="t", cached_scope=cached)

    target = resolve(claims)

    assert target.active_queue_scope_status == expected
    assert target.derived_queue_scope == f"{_A}|u@e|t"


@pytest.mark.requirement("T13")
def test_its_fields_are_the_keys_of_the_report() -> None:
    """All but the path of the old queue, in plain values."""
    fields = attrs.asdict(resolve(Claims()))

    assert set(fields) == {
        "configured_server_url",
        "env_server_url",
        "override_mode",
        "resolved_server_url",
        "user_id",
        "team_slug",
        "derived_queue_scope",
        "active_queue_scope_status",
    }
    assert all(value is None or isinstance(value, str) for value in fields.values())


@pytest.mark.requirement("T14")
def test_the_old_queue_file_is_found() -> None:
    """Scope in lower case without the last slash, 16 hex digits of its digest."""
    claims = Claims(configured_server_url="HTTPS://X/", user="U@E ", team="no-team")

    scope = resolve(claims).derived_queue_scope

    assert scope == "https://x|u@e|no-team"
    assert queue_file_name(scope) == f"queue-{sha256(scope.encode()).hexdigest()[:16]}.db"
