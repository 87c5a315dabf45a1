"""What an old ledger says, and what stands here because of it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eventsync_core.errors import TargetUrlError
from eventsync_core.ids import Kind
from eventsync_core.ledger import LedgerEntry
from eventsync_core.legacy import (
    PAST_STATUSES,
    OldDelivery,
    OldTarget,
    PastDelivery,
    RowKey,
    read_error,
    read_fact,
    read_status,
    read_time,
    recompute,
    settle_past,
)
from eventsync_core.receivers import Outcome

_BROUGHT = {
    "success": LedgerEntry(outcome=Outcome.SUCCESS, attempts=3, seen=True),
    "duplicate": LedgerEntry(outcome=Outcome.DUPLICATE, attempts=3, seen=True),
    "terminal_failed": LedgerEntry(outcome=Outcome.TERMINAL_FAILED, attempts=3, seen=True),
}
_OWED = LedgerEntry(outcome=None, due_at=7)
_RETRIED = LedgerEntry(outcome=None, attempts=3, seen=True, due_at=7)


def _past(status: str, attempts: int = 3) -> PastDelivery:
    return PastDelivery(
        path="/old/ledger.db",
        old=OldDelivery(
            key=RowKey("delivery_ledger", 1, b""),
            event_id="e1",
            alias="tgt_old",
            status=status,
            attempts=attempts,
        ),
        target_id="tgt_new",
        stream="default",
        position=1,
        taken_at=5,
    )


@pytest.mark.parametrize("status", PAST_STATUSES)
@pytest.mark.parametrize("before", [None, _OWED])
def test_of_what_was_never_offered_here(status: str, before: LedgerEntry | None) -> None:
    """What is settled is settled; anything else stays as it was."""
    meant = "terminal_failed" if status == "failed_permanent" else status

    assert settle_past(before, _past(status), is_carried=False) == _BROUGHT.get(meant)


@pytest.mark.parametrize("outcome", [*Outcome, None])
@pytest.mark.parametrize("status", PAST_STATUSES)
def test_of_what_a_request_from_here_carried(status: str, outcome: Outcome | None) -> None:
    """Nothing changes."""
    before = LedgerEntry(outcome=outcome, request_id=4, attempts=1)

    assert settle_past(before, _past(status), is_carried=False) is None


@pytest.mark.parametrize(
    "before",
    [
        _BROUGHT["success"],
        _BROUGHT["duplicate"],
        LedgerEntry(outcome=None, round=2, attempts=3, due_at=7),
    ],
)
@pytest.mark.parametrize("status", PAST_STATUSES)
def test_of_what_was_delivered_or_asked_for_again(before: LedgerEntry, status: str) -> None:
    """Nothing changes."""
    assert settle_past(before, _past(status), is_carried=False) is None


@pytest.mark.parametrize("before", [_BROUGHT["terminal_failed"], _RETRIED])
def test_a_delivery_wins_over_a_failure(before: LedgerEntry) -> None:
    """And a failure over nothing that is known."""
    assert settle_past(before, _past("success"), is_carried=False) == _BROUGHT["success"]
    assert settle_past(before, _past("terminal_failed"), is_carried=False) is None


def test_what_is_on_its_way_does_not_fail() -> None:
    """It may still arrive; that it did before is true in any case."""
    assert settle_past(None, _past("terminal_failed"), is_carried=True) is None
    assert settle_past(None, _past("success"), is_carried=True) == _BROUGHT["success"]


def test_what_was_delivered_was_attempted() -> None:
    """Once at least."""
    settled = settle_past(None, _past("success", attempts=0), is_carried=False)

    assert settled is not None
    assert settled.attempts == 1


_ROWS = st.builds(
    LedgerEntry,
    outcome=st.none() | st.sampled_from(Outcome),
    request_id=st.integers(0, 2),
    attempts=st.integers(0, 3),
    round=st.integers(1, 2),
    due_at=st.none() | st.integers(0, 9),
)


@given(
    entry=st.none() | _ROWS,
    statuses=st.lists(st.sampled_from(sorted(PAST_STATUSES))),
    is_carried=st.booleans(),
)
def test_nothing_delivered_is_ever_undone(
    *, entry: LedgerEntry | None, statuses: list[str], is_carried: bool
) -> None:
    """Whatever old ledgers say, in any order and number, and it comes to rest."""
    for status in [*statuses, *statuses]:
        after = settle_past(entry, _past(status), is_carried=is_carried)
        if entry is not None and entry.outcome is not None and entry.outcome.is_delivered:
            assert after is None
        assert after is None or (after.is_settled and after.due_at is None)
        entry = after or entry
    assert all(settle_past(entry, _past(s), is_carried=is_carried) is None for s in statuses)


def test_targets_are_recomputed() -> None:
    """By the rules that count here; the old id says nothing."""
    old = OldTarget(alias="tgt_x", url="HTTPS://A.example:443/", team="T", user="U@X.org")
    other = OldTarget(alias="tgt_y", url="https://a.example", team="T", user="u@x.org")

    assert recompute(old).target_id == recompute(other).target_id
    assert recompute(old).kind is Kind.TEAMSPACE
    for url in ("ftp://h", "https://::1:8443/x", "https://ho st", ""):
        with pytest.raises(TargetUrlError):
            recompute(OldTarget(alias="tgt_z", url=url, team="", user=""))


@pytest.mark.parametrize(
    ("value", "micros"),
    [
        ("1970-01-01T00:00:01.000002+00:00", 1_000_002),
        ("1970-01-01T01:00:00+01:00", 0),
        ("1970-01-01 00:00:01", 1_000_000),
        ("1970-01-01T00:00:01Z", 1_000_000),
        (1.5, 1_500_000),
        (2, 2_000_000),
        ("soon", None),
        ("", None),
        (None, None),
        (b"1", None),
        (-1, None),
        (float("nan"), None),
        (float("inf"), None),
        ("1969-12-31T23:59:59", None),
        ("0001-01-01T00:00:00+14:00", None),
        (10**30, None),
    ],
)
def test_times(value: object, micros: int | None) -> None:
    """In ISO 8601 or in seconds; anything else is none."""
    assert read_time(value) == micros


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("HTTP 500\n  at once", "HTTP 500"),
        ("HTTP/1.1 413 Payload Too Large: Bearer abc.def-123", "HTTP 413, too large"),
        ("connection refused by user:pw@host", "refused"),
        ("read timed out", "timeout"),
        ("Cookie: session=abc", "an error whose words are not kept"),
        (" \n", ""),
        ("", ""),
    ],
)
def test_errors_keep_none_of_their_words(text: str, kept: str) -> None:
    """Only the status, and words of ours."""
    assert read_error(text) == kept
    assert len(read_error(text * 1_000)) <= 200


@given(
    st.text(alphabet="ghjkqvxyz", min_size=6), st.sampled_from(["{}", "token {}", "HTTP 400 {}"])
)
def test_no_secret_survives(secret: str, said: str) -> None:
    """Wherever it stands, and whatever stands before it."""
    assert secret not in read_error(said.format(secret))


@pytest.mark.parametrize("word", ["production", "i-0abc.9", "0b1d:f2/3+4"])
def test_facts_that_are_one_word(word: str) -> None:
    """Are kept."""
    assert read_fact(word) == word


@pytest.mark.parametrize(
    "word", ["", "Bearer abc", "\x1b[2J", "x" * 201, "u:p@host", "eyJhbGci.eyJz.x", "whsec_a"]
)
def test_facts_that_are_no_word(word: str) -> None:
    """Are not."""
    assert read_fact(word) is None


def test_words_have_one_spelling() -> None:
    """As the old programs read them."""
    assert read_status(" Failed-Transient\n") == "failed_transient"
