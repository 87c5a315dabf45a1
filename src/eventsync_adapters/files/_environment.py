import os
from collections.abc import Mapping
from pathlib import Path

import attrs

_TRUE = frozenset({"1", "true", "yes", "y", "on"})
VARIABLES: Mapping[str, str] = {
    "home": "SPEC_KITTY_HOME",
    "saas_url": "SPEC_KITTY_SAAS_URL",
    "saas_enabled": "SPEC_KITTY_ENABLE_SAAS_SYNC",
    "persistence": "PERSISTENCE",
    "persist_db_path": "PERSIST_DB_PATH",
    "no_color": "NO_COLOR",
    "ssl_cert_file": "SSL_CERT_FILE",
    "ssl_cert_dir": "SSL_CERT_DIR",
}
"""The variable of each field but `proxies`, which are named as they are."""

_VERBATIM = ("home", "persist_db_path", "no_color", "ssl_cert_file", "ssl_cert_dir")
_PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY")


@attrs.frozen(kw_only=True)
class Environment:
    """
    What the environment says, as it was when it was read.

    `home` is SPEC_KITTY_HOME verbatim, else the platform's default. `proxies` maps the
    upper-case names that are set (a lower-case spelling wins) to their values, which may hold
    passwords. `sources` names the variable of every field, and of every proxy, that was said.
    """

    home: Path
    saas_url: str = ""
    saas_enabled: bool = False
    persistence: str = "sqlite"
    persist_db_path: str = ""
    no_color: bool = False
    proxies: Mapping[str, str] = attrs.field(factory=dict, repr=False)
    ssl_cert_file: str = ""
    ssl_cert_dir: str = ""
    sources: Mapping[str, str] = attrs.field(factory=dict, eq=False)


def read_environment(variables: Mapping[str, str] | None = None) -> Environment:
    """Return what *variables* say; without them, what the process's own environment says."""
    seen = os.environ if variables is None else variables
    home = seen.get("SPEC_KITTY_HOME", "")
    return Environment(
        home=Path(home) if home else _default_home(),
        saas_url=_url(seen.get("SPEC_KITTY_SAAS_URL", "")),
        saas_enabled=seen.get("SPEC_KITTY_ENABLE_SAAS_SYNC", "").strip().lower() in _TRUE,
        persistence=seen.get("PERSISTENCE", "").strip().lower() or "sqlite",
        persist_db_path=seen.get("PERSIST_DB_PATH", ""),
        no_color=bool(seen.get("NO_COLOR")),
        proxies=_proxies(seen),
        ssl_cert_file=seen.get("SSL_CERT_FILE", ""),
        ssl_cert_dir=seen.get("SSL_CERT_DIR", ""),
        sources=_sources(seen),
    )


def variable(name: str) -> str | None:
    """Return the value of one variable as it is now; for references to secrets."""
    return os.environ.get(name)


def _default_home() -> Path:
    if os.name != "nt":
        return Path.home() / ".spec-kitty"
    from platformdirs import user_data_dir  # noqa: PLC0415

    return Path(user_data_dir("spec-kitty", appauthor=False, roaming=False))


def _sources(seen: Mapping[str, str]) -> dict[str, str]:
    texts = {field: seen.get(name, "") for field, name in VARIABLES.items()}
    said = {
        field: VARIABLES[field]
        for field, text in texts.items()
        if text.strip() or (text and field in _VERBATIM)
    }
    proxies = {name: name.lower() if seen.get(name.lower()) else name for name in _proxies(seen)}
    return said | proxies


def _proxies(seen: Mapping[str, str]) -> dict[str, str]:
    found = {}
    for name in _PROXIES:
        value = seen.get(name.lower()) or seen.get(name)
        if value:
            found[name] = value
    return found


def _url(text: str) -> str:
    if "@" not in text:
        return text.strip()
    from eventsync_core.targets import without_user_info  # noqa: PLC0415

    return without_user_info(text.strip())
