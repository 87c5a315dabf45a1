"""Which server: claims in, one target or a conflict out."""

import json
from hashlib import sha256

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from eventsync_core.authority import Claim, Claims, Login, ResolvedTarget, resolve

_A, _B = "https://a.example", "https://b.example"
_CONFIG, _VARIABLE = "config.toml [sync] server_url", "SPEC_KITTY_SAAS_URL"
_LOGIN = Login(
    server=Claim(f"{_A}:443/", "credentials [server] url"),
    user=Claim("u@e", "credentials [user] username"),
    team=Claim("t", "credentials [user] team_slug"),
)


def _claims(configured: str = "", env: str = "", **more: str | Login) -> Claims:
    """Return claims as they are read; words become claims of a source named like their field."""
    others = {
        name: value if isinstance(value, Login) else Claim(value, name)
        for name, value in more.items()
    }
    return Claims(
        configured_server=Claim(configured, _CONFIG),
        env_server=Claim(env, _VARIABLE),
        **others,  # type: ignore[arg-type]
    )


def _resolve(claims: Claims, *, process_wide: bool = False) -> ResolvedTarget:
    return resolve(claims, home="/home", process_wide=process_wide)


@pytest.mark.requirement("T1")
@pytest.mark.requirement("T2")
@pytest.mark.requirement("T3")
@pytest.mark.requirement("T7")
@pytest.mark.parametrize("process_wide", [False, True])
@pytest.mark.parametrize(
    ("configured", "env", "expected"),
    [(_A, _A, _A), (_A, "", _A), ("", _A, _A), ("", "", None), (_A, "  ", _A)],
)
def test_claims_that_agree(
    configured: str, env: str, expected: str | None, *, process_wide: bool
) -> None:
    """One that says nothing agrees with anything; there is no built-in server."""
    target = _resolve(_claims(configured, env), process_wide=process_wide)

    assert (target.override_mode, target.resolved_server_url) == ("none", expected)
    assert target.env_server_url == (env.strip() or None)
    assert not target.is_conflict
    assert target.conflict is None


@pytest.mark.requirement("T5")
def test_claims_that_differ_resolve_to_nothing() -> None:
    """Both are named, none wins; the error names both and both ways out."""
    target = _resolve(_claims(_A, _B))

    assert (target.override_mode, target.resolved_server_url) == ("setup_only", None)
    assert (target.configured_server_url, target.env_server_url) == (_A, _B)
    assert target.is_conflict
    assert target.conflict is not None
    assert (target.conflict.configured, target.conflict.env) == (_A, _B)
    for words in (_A, _B, "unset SPEC_KITTY_SAAS_URL", f"eventsync sync server {_B}"):
        assert words in target.conflict.message
    assert target.conflict.fix_argv == ("eventsync", "sync", "server", _B)


@pytest.mark.requirement("T5")
@pytest.mark.parametrize("env", ["http://far.example", "nowhere"])
def test_a_conflict_with_what_no_command_accepts(env: str) -> None:
    """The ways out are words."""
    conflict = _resolve(_claims(_A, env)).conflict

    assert conflict is not None
    assert conflict.fix_argv == ()
    assert "unset SPEC_KITTY_SAAS_URL" in conflict.fix_text
    assert "eventsync sync server URL" in conflict.fix_text


@pytest.mark.requirement("T4")
def test_a_host_may_ask_for_the_environment() -> None:
    """In all of its process: everything is derived from the environment's server."""
    claims = _claims(_A, _B, login=_LOGIN)
    only_b = _resolve(_claims(env=_B, login=_LOGIN))

    target = _resolve(claims, process_wide=True)

    assert (target.override_mode, target.resolved_server_url) == ("process_override", _B)
    assert target.conflict is None
    assert target.derived_queue_scope == only_b.derived_queue_scope == f"{_B}||"
    assert target.queue_db_path == only_b.queue_db_path
    assert (target.configured_server_url, target.user_id) == (_A, None)


@pytest.mark.requirement("T8")
@pytest.mark.parametrize("process_wide", [False, True])
@pytest.mark.parametrize("env", [f" {_A}/ ", "HTTPS://A.example:443", f"{_A}/#x"])
def test_another_spelling_is_no_difference(env: str, *, process_wide: bool) -> None:
    """URLs are compared in canonical form, and resolved to it."""
    target = _resolve(_claims(_A, env), process_wide=process_wide)

    assert (target.override_mode, target.resolved_server_url) == ("none", _A)


def test_a_url_that_names_nothing_still_compares() -> None:
    """It is shown as it stands; who uses it will refuse it."""
    assert _resolve(_claims("nowhere", "nowhere")).resolved_server_url == "nowhere"


def test_no_url_is_shown_with_a_user() -> None:
    """Whoever hands it in."""
    target = _resolve(_claims("https://u:pw@a.example", "u:pw@b.example"))

    assert "pw" not in json.dumps(target.document()) + str(target.conflict)


@pytest.mark.requirement("T9")
def test_another_part_is_another_scope() -> None:
    """Server, user, team count for scope and path; equal claims give equal ones."""
    base = _claims(_A, user="u@e", team="t")
    others = [
        _claims(_B, user="u@e", team="t"),
        _claims(_A, user="v@e", team="t"),
        _claims(_A, user="u@e", team="s"),
    ]

    found = [_resolve(claims) for claims in (base, base, *others)]

    assert found[0] == found[1]
    assert len({target.derived_queue_scope for target in found}) == 4
    assert len({target.queue_db_path for target in found}) == 4


@pytest.mark.requirement("T10")
def test_without_a_user_there_is_still_a_scope() -> None:
    """Its parts are empty."""
    target = _resolve(_claims(_A))

    assert target.derived_queue_scope == f"{_A}||"
    assert (target.user_id, target.team_slug) == (None, None)


@pytest.mark.requirement("T11")
def test_a_scope_is_ascii() -> None:
    """Other characters stand as their codes."""
    target = _resolve(_claims(_A, user="zoë@e", team="équipe"))

    assert target.derived_queue_scope == f"{_A}|zo_u00eb_@e|_u00e9_quipe"


@pytest.mark.requirement("T11")
@given(st.text(), st.text(), st.text())
def test_any_words_have_a_scope(server: str, user: str, team: str) -> None:
    """In ASCII, and the same each time."""
    claims = _claims(server, user=user, team=team)

    target = _resolve(claims)

    assert target.derived_queue_scope.isascii()
    assert target == _resolve(claims)


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
    silent = _resolve(_claims(_A, user="u@e", team="t"))

    target = _resolve(_claims(_A, user="u@e", team="t", cached_scope=cached))

    assert target.active_queue_scope_status == expected
    assert target.derived_queue_scope == f"{_A}|u@e|t"
    assert target.queue_db_path == silent.queue_db_path


@pytest.mark.requirement("T12")
def test_without_a_note_the_login_tells_the_scope_of_old() -> None:
    """As an old program spelt it: the server as typed, and a word where there is no team."""
    typed = attrs.evolve(_LOGIN, server=Claim(f"{_A}/", "credentials"))
    nobody = attrs.evolve(typed, team=Claim())

    found = [_resolve(_claims(_A, login=login)) for login in (typed, _LOGIN, nobody)]

    assert [target.active_queue_scope_status for target in found] == [
        "matches",
        "stale_non_authoritative",
        "stale_non_authoritative",
    ]
    noted = _resolve(_claims(_A, login=typed, cached_scope="x"))
    assert noted.active_queue_scope_status == "stale_non_authoritative"


def test_a_login_counts_at_its_own_server_only() -> None:
    """And only where the configuration is silent."""
    at_home = _resolve(_claims(_A, login=_LOGIN))
    mixed = _resolve(_claims(_A, team="mine", login=_LOGIN))
    elsewhere = _resolve(_claims(_B, login=_LOGIN))
    nowhere = _resolve(_claims(login=_LOGIN))

    assert (at_home.user_id, at_home.team_slug) == ("u@e", "t")
    assert at_home.provenance["user_id"] == "credentials [user] username"
    assert (mixed.user_id, mixed.team_slug) == ("u@e", "mine")
    assert mixed.provenance["team_slug"] == "team"
    for target in (elsewhere, nowhere):
        assert (target.user_id, target.team_slug) == (None, None)


@pytest.mark.requirement("T13")
@pytest.mark.parametrize("env", ["", _B])
def test_its_nine_fields_are_the_keys_of_the_report(env: str) -> None:
    """In plain values, each with its source in words."""
    target = _resolve(_claims(_A, env))

    document = json.loads(json.dumps(target.document()))

    assert list(document) == [
        "configured_server_url",
        "env_server_url",
        "override_mode",
        "resolved_server_url",
        "user_id",
        "team_slug",
        "derived_queue_scope",
        "queue_db_path",
        "active_queue_scope_status",
    ]
    assert all(value is None or isinstance(value, str) for value in document.values())
    assert list(target.provenance) == list(document)
    assert all(target.provenance.values())


def test_the_source_of_the_server_is_named() -> None:
    """The one that was used, or both that disagree."""
    found = {
        (configured, env): _resolve(_claims(configured, env)).provenance["resolved_server_url"]
        for configured, env in [(_A, ""), ("", _B), (_A, _A), (_A, _B), ("", "")]
    }

    assert list(found.values()) == [
        _CONFIG,
        _VARIABLE,
        _CONFIG,
        f"{_CONFIG} and {_VARIABLE} disagree",
        "default",
    ]


@pytest.mark.requirement("T14")
def test_the_old_queue_file_is_found() -> None:
    """Scope in lower case without the last slash, 16 hex digits of its digest."""
    target = _resolve(_claims("HTTPS://X/", user="U@E ", team="no-team"))

    scope = target.derived_queue_scope
    digest = sha256(scope.encode()).hexdigest()[:16]
    assert scope == "https://x|u@e|no-team"
    assert target.queue_db_path == f"/home/queues/queue-{digest}.db"


@pytest.mark.parametrize(
    ("home", "expected"),
    [("/", "/queues/queue-"), ("a/b/", "a/b/queues/queue-"), ("C:\\h", "C:\\h\\queues\\queue-")],
)
def test_the_path_is_below_the_home(home: str, expected: str) -> None:
    """With the separator of the home."""
    assert resolve(Claims(), home=home).queue_db_path.startswith(expected)
