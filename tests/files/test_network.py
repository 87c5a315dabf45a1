"""The proxies of the environment, as the transport takes them."""

import httpx
import pytest

from eventsync_adapters.files.network import proxy_mounts
from eventsync_adapters.http import Transport
from eventsync_core.errors import SettingsError

PROXY = "http://proxy:1"


@pytest.mark.parametrize(
    ("entry", "direct", "not_direct"),
    [
        ("::1", "http://[::1]:80/", "http://[::2]/"),
        ("[::1]", "http://[::1]/", "http://[::2]/"),
        ("[::1]:81", "http://[::1]:81/", "http://[::1]:82/"),
        ("::1/128", "http://[::1]/", "http://[::2]/"),
        ("10.0.0.1", "http://10.0.0.1/", "http://10.0.0.2/"),
        ("10.0.0.1/32", "http://10.0.0.1/", "http://10.0.0.2/"),
        ("localhost,127.0.0.1,::1", "http://localhost/", "http://a.example/"),
        ("ü.de", "http://www.ü.de/", "http://u.de/"),
        ("*.example", "http://a.example/", "http://example.org/"),
        ("a.example:81", "http://a.example:81/", "http://a.example/"),
        ("https://a.example", "https://a.example/", "http://a.example/"),
        ("://a.example", "https://a.example/", "http://b.example/"),
        (".", "", "http://a.example/"),
        ("<local>,192.168.*", "", "http://a.example/"),
    ],
)
def test_what_is_exempt_is_reached_directly(entry: str, direct: str, not_direct: str) -> None:
    """Addresses, names, ports and networks of one address, in any spelling in use."""
    mounts = proxy_mounts({"ALL_PROXY": PROXY, "NO_PROXY": entry})

    with Transport(monotonic=lambda: 0.0, proxies=mounts) as transport:
        client = transport._client
        assert client._transport_for_url(httpx.URL(not_direct)) is not client._transport
        if direct:
            assert client._transport_for_url(httpx.URL(direct)) is client._transport


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("NO_PROXY", "x:notaport"),
        ("NO_PROXY", "x\x07"),
        ("NO_PROXY", "http://x:notaport"),
        ("NO_PROXY", "☃☃\udcff"),
        ("HTTP_PROXY", "http://[::1]x"),
        ("HTTP_PROXY", "http://me:hunter22@[::1]x"),
        ("HTTPS_PROXY", "http://p:x"),
        ("ALL_PROXY", "http://p/" + "x" * 70_000),
        ("ALL_PROXY", "http://p/\udcff"),
    ],
)
def test_what_cannot_be_read_is_named(name: str, text: str) -> None:
    """By its variable, without a password."""
    with pytest.raises(SettingsError) as caught:
        proxy_mounts({"ALL_PROXY": PROXY, name: text})

    assert (caught.value.code, caught.value.source) == ("proxy_invalid", name)
    assert "hunter22" not in caught.value.message
