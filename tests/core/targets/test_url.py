"""One spelling for each URL."""

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eventsync_core.errors import TargetUrlError
from eventsync_core.targets import (
    canonical_url,
    holds_user_info,
    is_loopback,
    may_get_tokens,
    without_user_info,
)
from tests.effort import examples


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("HTTPS://Host:443/", "https://host"),
        ("http://host:80", "http://host"),
        ("http://host:443", "http://host:443"),
        ("https://host:8443/", "https://host:8443"),
        ("https://host:", "https://host"),
        ("  https://host/api/ \n", "https://host/api"),
        ("https://host//", "https://host"),
        ("https://host/Api/V1", "https://host/Api/V1"),
        ("https://user:secret@host/", "https://host"),
        ("https://host/a?x=1#part", "https://host/a"),
        ("https://[::1]:8080/", "https://[::1]:8080"),
        ("https://[0:0:0:0:0:0:0:1]/", "https://[::1]"),
        ("https://[2001:DB8::1]:443/", "https://[2001:db8::1]"),
        ("https://Bücher.example/", "https://xn--bcher-kva.example"),
        ("https://BÜCHER.example/", "https://xn--bcher-kva.example"),
        ("https://xn--bcher-kva.example/", "https://xn--bcher-kva.example"),
        ("http://127.0.0.1:8000", "http://127.0.0.1:8000"),
        ("https://host_1.example", "https://host_1.example"),
    ],
)
@pytest.mark.requirement("R5")
def test_equal_places_have_one_spelling(url: str, expected: str) -> None:
    """Case, default ports, slashes, user info, fragments, IPv6 and IDN."""
    assert expected == canonical_url(url)


def test_a_query_counts_only_where_it_is_kept() -> None:
    """An external endpoint may be told apart by it."""
    assert canonical_url("https://HOST/in/?key=A#x", keep_query=True) == "https://host/in?key=A"
    assert canonical_url("https://host/in?", keep_query=True) == "https://host/in"


@pytest.mark.requirement("R7")
@pytest.mark.parametrize(
    "url",
    [
        "",
        " ",
        "host",
        "host.example/path",
        "//host",
        "ftp://host",
        "file:///etc/passwd",
        "javascript:alert(1)",
        "https://",
        "https:///path",
        "https://:443",
        "https://host:port",
        "https://host:99999",
        "https://host:-1",
        "https://a b",
        "https://host/a b",
        "https://host\\@other",
        "https://ho\nst",
        "https://ho\x00st",
        "https://[::1",
        "https://::1/",
        "https://[nonsense]/",
        "http://[::1]x/",
        "http://x[::1]/",
        "http://[::1]:80x/",
        "http://[::1][::1]/",
        "http://u@x[::1]/",
        "https://☃.example",
        "https://a..b",
        "https://.host",
        "https://ex%61mple.com",
        "https://host,other",
        "https://" + "ü" * 70 + ".example",
    ],
)
def test_what_cannot_name_a_target_is_an_error(url: str) -> None:
    """Empty, relative, of another scheme, with a bad port, host or character."""
    with pytest.raises(TargetUrlError):
        canonical_url(url)


@settings(max_examples=examples(300), deadline=None)
@given(st.text(alphabet="abü.-:/@[]?#%1x ", max_size=20).map(lambda rest: f"https://{rest}"))
def test_the_one_spelling_is_its_own(url: str) -> None:
    """Whatever is accepted is accepted again and stays; anything else is our error."""
    try:
        once = canonical_url(url, keep_query=True)
    except TargetUrlError:
        return

    assert once == canonical_url(once, keep_query=True)


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("http://localhost:8000", True),
        ("http://127.9.9.9", True),
        ("http://[::1]:8000", True),
        ("http://localhost.example", False),
        ("http://10.0.0.1", False),
        ("https://host", False),
    ],
)
def test_this_machine_is_known(url: str, *, expected: bool) -> None:
    """By the name localhost or a loopback address."""
    assert expected == is_loopback(url)


@pytest.mark.parametrize(
    ("url", "without"),
    [
        ("https://me:secret@host/a", "https://host/a"),
        ("https://me@host?u=a@b", "https://host?u=a@b"),
        ("https://a@b@host", "https://host"),
        ("me:secret@host:3128", "host:3128"),
        ("https://host?u=a@b", None),
        ("https://host/@a", None),
        ("https://host#@a", None),
        ("", None),
    ],
)
def test_a_user_is_told_from_other_marks(url: str, without: str | None) -> None:
    """Only before the host; a path or a query may hold the same mark."""
    assert holds_user_info(url) is (without is not None)
    assert without_user_info(url) == (without or url)


@pytest.mark.parametrize("host", ["straße.example", "βόλος.example", "a。ü.example", "ÄÖ.example"])
def test_the_host_on_record_is_the_one_that_is_contacted(host: str) -> None:
    """Spelt as the transport spells it; Python's own codec leads elsewhere."""
    assert (
        canonical_url(f"http://{host}") == f"http://{httpx.URL(f'http://{host}').raw_host.decode()}"
    )


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://far.example", True),
        ("http://127.0.0.1:1", True),
        ("http://far.example", False),
        ("far.example", False),
        ("", False),
    ],
)
def test_tokens_go_where_nobody_reads_them_on_the_way(url: str, *, expected: bool) -> None:
    """TLS, or this machine."""
    assert may_get_tokens(url) == expected


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://user:CANARY@b.example/x?y", "https://b.example/x?y"),
        ("https://user:CANARY@x@b.example", "https://b.example"),
        ("https://b.example/@team", "https://b.example/@team"),
        ("user:CANARY@b.example", "b.example"),
        ("user:CANARY@b.example/x", "b.example/x"),
        ("b.example", "b.example"),
        ("https:/user:CANARY@b.example", "<a URL that cannot be read>"),
        ("//user:CANARY@b.example", "<a URL that cannot be read>"),
        ("https://user:CAN/ARY@b.example", "<a URL that cannot be read>"),
        ("user:CAN/ARY@b.example", "<a URL that cannot be read>"),
    ],
)
def test_nothing_is_shown_of_credentials(url: str, expected: str) -> None:
    """However the URL around them is spelt."""
    assert without_user_info(url) == expected
