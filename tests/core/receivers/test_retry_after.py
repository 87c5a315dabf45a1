"""How long a server asks to wait, in every form it may say so."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eventsync_core.clock import DAY, SECOND
from eventsync_core.receivers import Answer, Next, Verdict, interpret

_AT = 784_111_777 * SECOND  # 1994-11-06 08:49:37
_FIXED = "Sun, 06 Nov 1994 08:49:37 GMT"


def _told(header: str | None, *, status: int = 429, body: Any = None, date: str = "") -> Verdict:
    headers = {"Retry-After": header, "Date": date} if header is not None else {"Date": date}
    return interpret(["a"], Answer(status=status, headers=headers, body=json.dumps(body).encode()))


@pytest.mark.requirement("D12")
@pytest.mark.parametrize("status", [401, 403, 408, 429, 500, 502, 503, 504])
def test_every_answer_that_makes_the_drain_stop_and_wait_may_say_how_long(status: int) -> None:
    """In microseconds, whatever the status."""
    verdict = _told("7", status=status)

    assert (verdict.next, verdict.retry_after, verdict.retry_at) == (
        Next.BACK_OFF,
        7 * SECOND,
        None,
    )


@pytest.mark.parametrize("status", [200, 204, 301, 400, 404, 410, 412, 413, 422])
def test_no_other_answer_does(status: int) -> None:
    """There is nothing to wait for."""
    verdict = _told("7", status=status)

    assert (verdict.retry_after, verdict.retry_at) == (None, None)


@pytest.mark.requirement("D12")
@pytest.mark.parametrize(
    "date", [_FIXED, "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994"]
)
def test_all_three_forms_of_a_date_are_read(date: str) -> None:
    """As a time, where the server does not say what its clock shows."""
    verdict = _told(date)

    assert (verdict.retry_after, verdict.retry_at) == (None, _AT)


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        ("Sun, 06 Nov 1994 08:49:07 GMT", 30 * SECOND),
        ("Sunday, 06-Nov-94 08:48:37 GMT", 60 * SECOND),
        (_FIXED, 0),
        ("Mon, 07 Nov 1994 08:49:37 GMT", 0),
        ("Sun, 06 Nov 1904 08:49:37 GMT", 365 * DAY),
    ],
)
def test_a_date_counts_from_the_server_s_own_clock(now: str, expected: int) -> None:
    """However wrong ours and theirs are; a date that is over asks for no wait."""
    verdict = _told(_FIXED, date=now)

    assert (verdict.retry_after, verdict.retry_at) == (expected, None)


def test_a_clock_that_makes_no_sense_is_ignored() -> None:
    """The date then stands as it is."""
    assert _told(_FIXED, date="yesterday").retry_at == _AT


@pytest.mark.parametrize("year", [70, 99])
def test_a_year_of_two_digits_is_of_the_last_century(year: int) -> None:
    """From 70 on; below that of this one."""
    last, this = (_told(f"Sunday, 06-Nov-{short} 08:49:37 GMT") for short in (year, "00"))

    assert (last.retry_at or 0) < (this.retry_at or 0)


@pytest.mark.parametrize(
    "header",
    [
        "",
        " ",
        "-5",
        "+5",
        "1.5",
        "5 s",
        "5, 7",
        "soon",
        "\u0665",
        "Sun, 31 Feb 1994 08:49:37 GMT",
        "Sun, 06 Nov 1994 28:49:37 GMT",
        "Sun, 06 Nov 0000 08:49:37 GMT",
        "Sun, 06 Nov 1994 08:49:37 CET",
        "Sun, 6 Nov 1994 08:49:37 GMT",
        "1994-11-06T08:49:37Z",
    ],
)
def test_nonsense_asks_for_nothing(header: str) -> None:
    """It is no error either."""
    verdict = _told(header)

    assert (verdict.retry_after, verdict.retry_at) == (None, None)


@pytest.mark.parametrize("header", ["31536001", "9" * 30, "9" * 5_000, "0" * 5_000 + "9" * 20])
def test_a_year_is_the_longest_wait(header: str) -> None:
    """However many digits are written."""
    assert _told(header).retry_after == 365 * DAY


@pytest.mark.parametrize("header", ["0", "000"])
def test_no_wait_may_be_asked_for(header: str) -> None:
    """Which is not the same as asking for nothing."""
    assert _told(header).retry_after == 0


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (7, 7 * SECOND),
        (1.5, 1_500_000),
        (0, 0),
        (1e300, 365 * DAY),
        (float("inf"), 365 * DAY),
        (10**400, 365 * DAY),
        (float("nan"), None),
        (-1, None),
        (True, None),
        ("7", None),
        (None, None),
    ],
)
def test_the_body_may_say_it(value: Any, expected: int | None) -> None:
    """Where no header does; anything but a number says nothing."""
    assert _told(None, body={"retry_after_seconds": value}).retry_after == expected
    assert _told("9", body={"retry_after_seconds": value}).retry_after == 9 * SECOND


@given(st.text(), st.text(), st.one_of(st.floats(), st.integers(), st.text()))
def test_whatever_is_asked_for_can_be_heeded(header: str, date: str, value: Any) -> None:
    """Never a negative wait, nor one beyond a year."""
    verdict = _told(header, date=date, body={"retry_after_seconds": value})

    assert 0 <= (verdict.retry_after or 0) <= 365 * DAY
    assert 0 <= (verdict.retry_at or 0) < 2**63


@given(st.datetimes())
def test_a_date_of_any_year_is_read(when: Any) -> None:
    """To the second."""
    days = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
    months = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
    text = (
        f"{days[when.weekday()]}, {when.day:02} {months[when.month - 1]} {when.year:04}"
        f" {when:%H:%M:%S} GMT"
    )
    since = (when.replace(microsecond=0) - when.__class__(1970, 1, 1)).total_seconds()

    assert _told(text).retry_at == max(int(since) * SECOND, 0)
