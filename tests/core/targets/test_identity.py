"""Who a target is."""

import attrs
import pytest

from eventsync_core.errors import TargetUrlError
from eventsync_core.targets import Deployment, Kind, make_target, merge

_ONE = make_target(Kind.TEAMSPACE, "https://one.example", team="t", user="u@e")


@pytest.mark.requirement("R1")
@pytest.mark.requirement("R3")
@pytest.mark.requirement("R6")
@pytest.mark.parametrize(
    "other",
    [
        make_target(Kind.TEAMSPACE, "https://two.example", team="t", user="u@e"),
        make_target(Kind.TEAMSPACE, "https://one.example", team="T", user="u@e"),
        make_target(Kind.TEAMSPACE, "https://one.example", team="t", user="v@e"),
        make_target(Kind.TEAMSPACE, "https://one.example:444", team="t", user="u@e"),
        make_target(Kind.EXTERNAL, "https://one.example", team="t", user="u@e"),
    ],
)
def test_another_part_is_another_target(other: object) -> None:
    """URL, port, team, user and kind all count."""
    assert other != _ONE
    assert getattr(other, "target_id", None) != _ONE.target_id


@pytest.mark.requirement("R4")
def test_no_team_and_a_blank_one_are_the_same() -> None:
    """The same holds for the user."""
    plain = make_target(Kind.TEAMSPACE, "https://one.example")

    assert plain == make_target(Kind.TEAMSPACE, "https://one.example", team=" ", user="\t")
    assert (plain.team, plain.user) == ("", "")


@pytest.mark.requirement("R5")
def test_spelling_does_not_make_a_target() -> None:
    """Equal places, teams and users give equal ids."""
    assert make_target(Kind.TEAMSPACE, "HTTPS://One.example:443/", team=" t ", user="U@E ") == _ONE


@pytest.mark.requirement("R10")
def test_a_deployment_is_no_part_of_it() -> None:
    """What is deployed there, or a pause, changes neither id nor equality."""
    deployed = attrs.evolve(_ONE, deployment=Deployment(git_sha="x"), paused="gone")

    assert deployed == _ONE


def test_the_query_counts_for_an_external_receiver_only() -> None:
    """Teamspace is a server, an external receiver an endpoint."""
    plain, asked = (f"https://one.example/in{query}" for query in ("", "?key=1"))

    assert make_target(Kind.TEAMSPACE, plain) == make_target(Kind.TEAMSPACE, asked)
    assert make_target(Kind.EXTERNAL, plain) != make_target(Kind.EXTERNAL, asked)
    assert make_target(Kind.EXTERNAL, asked).url == "https://one.example/in?key=1"


@pytest.mark.requirement("R11")
@pytest.mark.parametrize("kind", list(Kind))
def test_an_address_in_brackets_stays_one(kind: Kind) -> None:
    """The URL of the target names the same target again, its port outside the brackets."""
    target = make_target(kind, "https://[2001:DB8:0::1]:8443/in/")

    assert target.url == "https://[2001:db8::1]:8443/in"
    assert make_target(kind, target.url) == target
    assert make_target(kind, "https://[2001:db8::1]/in") != target


@pytest.mark.requirement("R5")
def test_an_international_name_is_its_ascii_form() -> None:
    """In upper or lower case, or written in ASCII to begin with."""
    spellings = (
        "https://BÜCHER.example",
        "https://bücher.example/",
        "https://xn--bcher-kva.example",
    )

    assert len({make_target(Kind.EXTERNAL, url).target_id for url in spellings}) == 1


@pytest.mark.requirement("R7")
def test_a_bad_url_makes_no_target() -> None:
    """The error is that of the URL."""
    with pytest.raises(TargetUrlError):
        make_target(Kind.STUB, "nowhere")


@pytest.mark.requirement("R9")
def test_facts_not_named_stay() -> None:
    """Merging nothing, or into nothing, keeps what there is."""
    old = Deployment(server_instance_id="s", deployment_id="d")

    assert old == merge(old, None) == merge(None, old) == merge(old, Deployment())
    assert merge(None, None) is None
    assert merge(old, Deployment(deployment_id="e")) == Deployment(
        server_instance_id="s", deployment_id="e"
    )
