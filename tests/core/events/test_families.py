"""Which types stay here, and which may be dropped."""

import pytest

from eventsync_core.events import FAMILIES, Families, Family


@pytest.mark.requirement("F8")
@pytest.mark.parametrize("event_type", ["Mine", "wpcreated", "WPCreated ", "", None])
def test_what_is_not_named_is_unknown(event_type: str | None) -> None:
    """A type is its exact text; an event without one has no family that is known."""
    assert FAMILIES.of(event_type) is Family.UNKNOWN


def test_the_built_in_families() -> None:
    """What the older command line emits; few are local, and heartbeats may be dropped."""
    named = dict(FAMILIES)

    assert FAMILIES.of("WPStatusChanged") is Family.TARGET_BOUND
    assert {name for name, family in named.items() if family is Family.LOCAL_ONLY} == {
        "FollowUpRecorded",
        "MissionReopened",
    }
    assert {name for name, family in named.items() if family is Family.DISCARDABLE} == {
        "BuildHeartbeat",
        "PresenceHeartbeat",
    }
    assert Family.UNKNOWN not in named.values()


def test_a_host_adds_and_changes_families() -> None:
    """What it names wins; the built-in ones stay as they are."""
    mine = FAMILIES.extended({"Mine": Family.DISCARDABLE, "WPCreated": Family.LOCAL_ONLY})

    assert mine.of("Mine") is Family.DISCARDABLE
    assert mine.of("WPCreated") is Family.LOCAL_ONLY
    assert mine.of("WPAssigned") is Family.TARGET_BOUND
    assert FAMILIES.of("WPCreated") is Family.TARGET_BOUND
    assert FAMILIES.of("Mine") is Family.UNKNOWN


def test_a_type_may_be_unknown_again() -> None:
    """It is then treated as bound for a target."""
    assert FAMILIES.extended({"BuildHeartbeat": Family.UNKNOWN}).of("BuildHeartbeat") is (
        Family.UNKNOWN
    )


def test_a_family_may_be_named_by_its_word() -> None:
    """A word is the family itself; one that is none is an error, never `unknown`."""
    assert Families({"Mine": "local_only"}).of("Mine") is Family.LOCAL_ONLY
    with pytest.raises(ValueError, match="local-only"):
        FAMILIES.extended({"Mine": "local-only"})


def test_a_mapping_that_changes_later_changes_nothing() -> None:
    """What was classified once stays so."""
    table = {"Mine": Family.LOCAL_ONLY}
    families = Families(table)

    table["Mine"] = Family.DISCARDABLE

    assert families.of("Mine") is Family.LOCAL_ONLY


def test_types_are_listed_in_order_of_their_names() -> None:
    """Each once."""
    names = [name for name, _ in FAMILIES.extended({"Aa": Family.LOCAL_ONLY})]

    assert names == sorted(set(names))
    assert names[0] == "Aa"
