"""Removing what everybody has is suggested where it is worth while."""

import attrs
import pytest

from eventsync_core.measures import Retained
from eventsync_core.status import Status, as_document, collect
from tests.core.status.test_status import AT, FIRST, SECOND, SETTING, _stores

_MIB = 1024 * 1024


def _journal(status: Status, size: int) -> dict[str, object]:
    large = attrs.evolve(status, retained=(Retained("default", 3, size),))
    found: dict[str, object] = as_document(large, (), exit_code=0)["event_journal"]
    assert found["journal_size_bytes"] == size
    return found


@pytest.mark.requirement("S6")
@pytest.mark.parametrize(("size", "suggested"), [(50 * _MIB - 1, False), (50 * _MIB, True)])
def test_it_is_suggested_from_fifty_mebibytes_on(size: int, *, suggested: bool) -> None:
    """The boundary is among them, and the suggestion says how much there is."""
    found = _journal(collect(_stores(3, FIRST, SECOND), SETTING, at=AT), size)

    assert found["gc_suggested"] is suggested
    keys = {"reason", "retained_event_count", "journal_size_bytes"}
    suggestion = found["gc_suggestion"]
    assert (set(suggestion) if isinstance(suggestion, dict) else None) == (
        keys if suggested else None
    )


@pytest.mark.requirement("S6")
def test_it_is_never_suggested_without_a_target() -> None:
    """However much there is."""
    assert _journal(collect(_stores(3), SETTING, at=AT), 900 * _MIB)["gc_suggested"] is False


@pytest.mark.requirement("S6")
def test_it_is_not_suggested_while_a_known_target_lacks_anything() -> None:
    """One that was never granted anything counts too."""
    stores = _stores(3, FIRST)
    stores.targets.register(SECOND, at=AT)

    assert _journal(collect(stores, SETTING, at=AT), 900 * _MIB)["gc_suggested"] is False
