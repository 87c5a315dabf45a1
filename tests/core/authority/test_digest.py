"""Whose an old queue is: digests by hypothesis."""

from hashlib import sha256

import attrs
import pytest

from eventsync_core.authority import Claim, Claims, Login, hypotheses, match_digest

_CLAIMS = Claims(
    configured_server=Claim("HTTPS://Host:443/", "config"),
    env_server=Claim("https://other", "variable"),
    user=Claim("ÉVA@e", "config user"),
    login=Login(
        server=Claim("https://Old/x/", "credentials"),
        user=Claim("u@e", "credentials user"),
        team=Claim("t", "credentials team"),
    ),
)
_WITH_ID = attrs.evolve(_CLAIMS, private_team=Claim("PTID-1", "the id of the private team"))


def _digest(scope: str) -> str:
    return sha256(scope.encode()).hexdigest()[:16]


@pytest.mark.requirement("T14")
@pytest.mark.parametrize(
    ("scope", "spelling"),
    [
        ("https://host:443|u@e|t", ("config", "credentials user", "credentials team", "raw")),
        ("https://host|u@e|t", ("config in canonical form", "credentials user")),
        ("https://other|u@e|no-team", ("variable", "credentials user", "no-team", "raw")),
        ("https://old/x|u@e|", ("credentials", "credentials user", "empty", "raw")),
        ("https://other|u@e|ptid-1", ("variable", "credentials user", "the id of", "raw")),
        ("https://other|éva@e|t", ("variable", "config user", "credentials team", "raw")),
        ("https://other|_u00c9_va@e|t", ("config user", "credentials team", "; escaped")),
        ("https://other|_u00e9_va@e|t", ("config user", "credentials team", "lowered_escaped")),
        ("https://other||", ("variable", "empty", "raw")),
    ],
)
def test_every_spelling_of_old_is_tried(scope: str, spelling: tuple[str, ...]) -> None:
    """And the one that hit is named."""
    match = match_digest(_digest(scope), hypotheses(_WITH_ID))

    assert match is not None
    assert all(words in match.spelling for words in spelling)


@pytest.mark.parametrize("scope", ["https://other|u@e|ptid-1", "https://third|u@e|t", ""])
def test_what_nothing_here_names_is_of_nobody(scope: str) -> None:
    """A private team only where its id is known."""
    assert match_digest(_digest(scope), hypotheses(_CLAIMS)) is None


def test_a_home_that_says_nothing_matches_nothing() -> None:
    """No server is built in."""
    assert match_digest(_digest("||"), hypotheses(Claims())) is None


def test_the_spelling_tells_no_value() -> None:
    """A URL of old may hold a password."""
    claims = Claims(env_server=Claim("https://u:pw@host", "variable"))

    match = match_digest(_digest("https://u:pw@host||"), hypotheses(claims))

    assert match is not None
    assert "pw" not in match.spelling
