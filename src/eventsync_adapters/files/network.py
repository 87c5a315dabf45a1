"""What the environment says about reaching the network: proxies and certificates."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from eventsync_adapters.files._environment import Environment
from eventsync_core.errors import SettingsError, TargetUrlError
from eventsync_core.targets import canonical_url

if TYPE_CHECKING:
    import ssl

__all__ = ["certificates", "proxy_mounts"]


def proxy_mounts(proxies: Mapping[str, str]) -> dict[str, str | None]:
    """
    Return URL patterns with the proxy for each, None for a direct connection.

    *proxies* holds HTTP_PROXY, HTTPS_PROXY, ALL_PROXY and NO_PROXY as far as they are set.

    Raises:
        SettingsError: One names no proxy; code `proxy_invalid`.
    """
    names = {"HTTP_PROXY": "http://", "HTTPS_PROXY": "https://", "ALL_PROXY": "all://"}
    found: dict[str, str | None] = {}
    for name, pattern in names.items():
        if name in proxies:
            found[pattern] = _proxy(name, proxies[name])
    exempt = [host.strip() for host in proxies.get("NO_PROXY", "").split(",") if host.strip()]
    if "*" in exempt:
        return {}
    for host in exempt if found else ():
        bare = host.removeprefix("*").removeprefix(".")
        found[f"all://{bare}"] = None
        if not bare.replace(".", "").isdigit():
            found[f"all://*.{bare}"] = None
    return found


def _proxy(name: str, text: str) -> str:
    place = text if "://" in text else f"http://{text}"
    try:
        canonical_url(place)
    except TargetUrlError as error:
        # Its text is not repeated: it may hold a password.
        raise SettingsError(
            f"{name} is no proxy that can be used: {error}", source=name, code="proxy_invalid"
        ) from None
    return place


def certificates(environment: Environment) -> "ssl.SSLContext | bool":
    """
    Return what to trust: the files the environment names, else True, the usual ones.

    Raises:
        SettingsError: They cannot be used; code `certificates_unreadable`.
    """
    file, folder = environment.ssl_cert_file, environment.ssl_cert_dir
    if not file and not folder:
        return True
    import ssl  # noqa: PLC0415

    try:
        return ssl.create_default_context(cafile=file or None, capath=folder or None)
    except OSError as error:
        raise SettingsError(
            f"SSL_CERT_FILE or SSL_CERT_DIR cannot be used: {error.strerror}",
            source="SSL_CERT_FILE",
            code="certificates_unreadable",
        ) from error
