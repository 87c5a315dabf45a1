"""How the network is reached: proxies and certificates, by environment or configuration."""

from collections.abc import Mapping
from ipaddress import ip_address
from typing import TYPE_CHECKING

from eventsync_adapters.files._config import Config
from eventsync_adapters.files._environment import Environment
from eventsync_adapters.files._held import HeldSecrets
from eventsync_adapters.files._secrets import is_reference
from eventsync_core.errors import SettingsError, TargetUrlError
from eventsync_core.targets import canonical_url

if TYPE_CHECKING:
    import ssl

__all__ = ["certificates", "external_certificates", "external_proxy", "proxy_mounts"]

_BRACKETED = 6


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
        found.update(dict.fromkeys(_direct(host)))
    return found


def _direct(host: str) -> list[str]:
    """Return the patterns of what an entry of NO_PROXY names; an address has nothing below it."""
    import httpx  # noqa: PLC0415

    address = _address(host)
    bare = host if "://" in host else address or host.removeprefix("*").removeprefix(".")
    if not bare:
        return []
    try:
        if "://" in bare:
            return [f"{httpx.URL(bare).scheme or 'all'}://{bare.partition('://')[2]}"]
        # Of its own accord httpx spells no international host below a star.
        place = httpx.URL(f"all://{bare}").netloc.decode("ascii")
    except (httpx.InvalidURL, ValueError):
        shown = "it holds credentials" if "@" in host else repr(host)
        raise SettingsError(
            f"NO_PROXY names what is no host: {shown}", source="NO_PROXY", code="proxy_invalid"
        ) from None
    found = [f"all://{place}"]
    return found if address or place.startswith("[") else [*found, f"all://*.{place}"]


def _address(host: str) -> str:
    """Return an IP address as it stands in a URL, of a network its first; else nothing."""
    try:
        address = ip_address(host.partition("/")[0].removeprefix("[").removesuffix("]"))
    except ValueError:
        return ""
    return f"[{address}]" if address.version == _BRACKETED else str(address)


def _proxy(name: str, text: str) -> str:
    place = text if "://" in text else f"http://{text}"
    why = _flaw(place)
    if why:
        # Raised outside of what caught the cause: that may hold the text, and it a password.
        raise SettingsError(
            f"{name} is no proxy that can be used: {why}", source=name, code="proxy_invalid"
        )
    return place


def _flaw(place: str) -> str:
    import httpx  # noqa: PLC0415

    try:
        canonical_url(place)
        httpx.URL(place)
    except TargetUrlError as error:
        return str(error)
    except (httpx.InvalidURL, ValueError):
        return "not a URL that can be read"
    return ""


def external_proxy(config: Config, secrets: HeldSecrets) -> dict[str, str | None]:
    """
    Return the proxy that is configured for the external receiver, as `proxy_mounts` does.

    *secrets* is asked for it where it is a reference.

    Raises:
        SettingsError: It names no proxy, or its reference leads to nothing.
    """
    text = config.external_proxy
    if is_reference(text):
        text = secrets.resolve(text, source="external_proxy")
    return {"all://": _proxy("external_proxy", text)} if text else {}


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


def external_certificates(config: Config, environment: Environment) -> "ssl.SSLContext | bool":
    """
    Return what to trust and to show at the external receiver.

    The configured CA is trusted alone; without one, what `certificates` returns.

    Raises:
        SettingsError: A file cannot be used; code `certificates_unreadable`.
    """
    if not (config.external_ca or config.external_cert):
        return certificates(environment)
    context = _trusting(config.external_ca, environment)
    if config.external_cert:
        _show(context, config.external_cert, config.external_cert_key)
    return context


def _trusting(file: str, environment: Environment) -> "ssl.SSLContext":
    import ssl  # noqa: PLC0415

    if not file:
        import httpx  # noqa: PLC0415

        usual = certificates(environment)
        return httpx.create_ssl_context(trust_env=False) if isinstance(usual, bool) else usual
    try:
        return ssl.create_default_context(cafile=file)
    except (OSError, ValueError) as error:
        raise _unreadable(f"external_ca {file}", error) from error


def _show(context: "ssl.SSLContext", file: str, key: str) -> None:
    place = f"external_cert {file}" + (f" with external_cert_key {key}" if key else "")
    try:
        # Without the function OpenSSL would ask on the terminal.
        context.load_cert_chain(file, key or None, password=_no_password)
    except (OSError, ValueError) as error:
        raise _unreadable(place, error) from error


def _no_password() -> str:
    raise ValueError("the key is encrypted")


def _unreadable(place: str, error: Exception) -> SettingsError:
    why = getattr(error, "strerror", None) or str(error)
    return SettingsError(
        f"{place} cannot be used: {why}", source=place, code="certificates_unreadable"
    )
