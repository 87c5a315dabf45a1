from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property
from itertools import product

import attrs

from eventsync_core.authority._model import Claim, Claims
from eventsync_core.authority._resolve import place
from eventsync_core.authority._scope import escaped, queue_digest, scope_of

_NO_TEAM = Claim("no-team", "no-team")
_NOTHING = Claim("", "empty")


@attrs.frozen(kw_only=True)
class Match:
    """
    The spelling whose digest was looked for: where each part is from, and how it is written.

    `letters` is `raw`, `escaped` (characters beyond ASCII as their codes, then lower case) or
    `lowered_escaped` (the same in the other order).
    """

    server: str
    user: str
    team: str
    letters: str

    @property
    def spelling(self) -> str:
        """One line without the values themselves, which may hold what is not for showing."""
        return f"server: {self.server}; user: {self.user}; team: {self.team}; {self.letters}"


@attrs.frozen(kw_only=True)
class Hypotheses:
    """The servers, users and teams that an old queue may have been of, likeliest first."""

    servers: tuple[Claim, ...]
    users: tuple[Claim, ...]
    teams: tuple[Claim, ...]

    @cached_property
    def by_digest(self) -> Mapping[str, Match]:
        """Every spelling of every hypothesis by its digest; of equal ones the likeliest."""
        found: dict[str, Match] = {}
        for server, user, team in product(self.servers, self.users, self.teams):
            for letters, scope in _scopes(server.text, user.text, team.text):
                match = Match(
                    server=server.source, user=user.source, team=team.source, letters=letters
                )
                found.setdefault(queue_digest(scope), match)
        return found


@attrs.frozen
class QueueFile:
    """A queue that an old program left: the digest in its name, and whose it is, where known."""

    path: str
    digest: str
    match: Match | None = None


def hypotheses(claims: Claims) -> Hypotheses:
    """
    Return what *claims* let an old queue be of.

    Servers as they are typed and in canonical form; the users named, and nobody; the teams
    named, the private team where its id is known, and both ways to say that there is none.
    """
    typed = [claims.configured_server, claims.env_server, claims.login.server]
    canonical = [
        Claim(place(each.text), f"{each.source} in canonical form") for each in typed if each.text
    ]
    return Hypotheses(
        servers=_said([*typed, *canonical]),
        users=(*_said([claims.user, claims.login.user]), _NOTHING),
        teams=(*_said([claims.team, claims.login.team, claims.private_team]), _NO_TEAM, _NOTHING),
    )


def match_digest(digest: str, tried: Hypotheses) -> Match | None:
    """Return which spelling of which hypothesis *digest* is of; None: it is of none of them."""
    return tried.by_digest.get(digest)


def _said(claims: Iterable[Claim]) -> tuple[Claim, ...]:
    """Return those that say something, and none that only repeats an earlier one."""
    found: dict[str, Claim] = {}
    for claim in claims:
        if claim.text:
            found.setdefault(claim.text, claim)
    return tuple(found.values())


def _scopes(server: str, user: str, team: str) -> Iterator[tuple[str, str]]:
    raw = scope_of(server, user, team)
    yield "raw", raw
    yield "escaped", scope_of(escaped(server), escaped(user), escaped(team))
    yield "lowered_escaped", escaped(raw)
