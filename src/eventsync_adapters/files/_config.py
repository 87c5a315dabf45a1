from collections.abc import Mapping
from pathlib import Path
from typing import Any

import attrs

from eventsync_adapters.files._families import check_families, families
from eventsync_adapters.files._reading import config_bytes
from eventsync_adapters.files._secrets import check_reference, is_reference
from eventsync_core.errors import SettingsError
from eventsync_core.events import Family, Producer
from eventsync_core.policy import Mode, OnDiscard, read_mode

FORMATS = ("eventsync", "cloudevents")
VALIDATIONS = ("off", "strict")
STALL_AFTER = 3_600
KEYS: Mapping[str, tuple[str, str]] = {
    "mode": ("event_sync", "mode"),
    "external_endpoint": ("event_sync", "external_endpoint"),
    "external_headers": ("event_sync", "external_headers"),
    "external_signing": ("event_sync", "external_signing"),
    "external_format": ("event_sync", "external_format"),
    "external_ca": ("event_sync", "external_ca"),
    "external_cert": ("event_sync", "external_cert"),
    "external_cert_key": ("event_sync", "external_cert_key"),
    "external_proxy": ("event_sync", "external_proxy"),
    "server_url": ("sync", "server_url"),
    "team": ("sync", "team"),
    "user": ("sync", "user"),
    "token": ("sync", "token"),
    "private_team_id": ("sync", "private_team_id"),
    "coalesce": ("capture", "coalesce"),
    "on_discard": ("event_sync", "on_discard"),
    "families": ("families", ""),
    "validate": ("capture", "validate"),
    "producer": ("producer", ""),
    "stall_after": ("status", "stall_after"),
}
"""Table and key of each field; an empty key stands for the whole table."""

_NAME = "config.toml"
_LONGEST = 2**31


@attrs.frozen(kw_only=True)
class Config:
    """
    What a home's config.toml says; absent text is empty.

    With `coalesce`, captured events supersede earlier ones with their key; `validate` says whether
    they must be strict envelopes; `producer` is kept with them.
    `stall_after` is in seconds, 0 for never.
    `token`, `external_signing` and the values of `external_headers` are references, never
    secrets; `external_proxy` is one, or a URL without a password. `problem` is set when the
    file, or our part of it, could not be understood: then `mode` is LOCAL_RETENTION, only places
    and `families` are known, not what is sent to them, and nothing may be contacted before it is
    corrected. A type whose family could not be understood is then local only; `validate` and
    `producer` stay as they are, unless they or a place are at fault. `sources` names table and
    key of every field that the file says.
    """

    path: Path
    mode: Mode = Mode.LOCAL_RETENTION
    external_endpoint: str = ""
    external_headers: Mapping[str, str] = attrs.field(factory=dict)
    external_signing: tuple[str, ...] = ()
    external_format: str = FORMATS[0]
    external_ca: str = ""
    external_cert: str = ""
    external_cert_key: str = ""
    external_proxy: str = ""
    server_url: str = ""
    team: str = ""
    user: str = ""
    token: str = ""
    private_team_id: str = ""
    coalesce: bool = False
    on_discard: OnDiscard = OnDiscard.REFUSE
    families: Mapping[str, Family] = attrs.field(factory=dict)
    validate: str = VALIDATIONS[0]
    producer: Producer | None = None
    stall_after: int = STALL_AFTER
    problem: SettingsError | None = None
    sources: Mapping[str, str] = attrs.field(factory=dict, eq=False)


def config_file(home: Path) -> Path:
    """Return where the configuration of *home* is, or would be."""
    return home / _NAME


def source_of(field: str) -> str:
    """Return the words for where *field* of a `Config` stands in the file."""
    table, key = KEYS[field]
    return f"{_NAME} [{table}] {key}".rstrip()


def read_config(path: Path) -> Config:
    """Return what the file at *path* says; without one, the defaults. Never raises."""
    found: Mapping[str, Family] = {}
    try:
        document = _parse(path)
        if document is None:
            return Config(path=path)
        found = families(document)
        config = attrs.evolve(_understand(path, document), families=found)
    except SettingsError as error:
        sources = {"families": source_of("families")} if found else {}
        return Config(path=path, families=found, problem=error, sources=sources)
    return attrs.evolve(config, sources=_sources(config, document))


def _parse(path: Path) -> Mapping[str, Any] | None:
    raw = config_bytes(path)
    if raw is None:
        return None
    import tomllib  # noqa: PLC0415

    try:
        return tomllib.loads(raw.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        raise SettingsError(f"{path} is not TOML: {error}", source=str(path)) from error


def _understand(path: Path, document: Mapping[str, Any]) -> Config:
    events, sync = _table(document, "event_sync", path), _table(document, "sync", path)
    base = Config(
        path=path,
        server_url=_place(sync, "server_url", path),
        team=_text(sync, "team", path),
        user=_text(sync, "user", path),
        private_team_id=_text(sync, "private_team_id", path),
    )
    word = _text(events, "mode", path)
    try:
        base = attrs.evolve(base, external_endpoint=_place(events, "external_endpoint", path))
        capture = _table(document, "capture", path)
        base = attrs.evolve(base, validate=_one_of(capture, "validate", VALIDATIONS, path))
        base = attrs.evolve(base, producer=_producer(_table(document, "producer", path), path))
        check_families(document, path)
        told = attrs.evolve(
            base,
            mode=read_mode(word, source=str(path)) if word else Mode.LOCAL_RETENTION,
            external_headers=_headers(events, path),
            external_signing=_signing(events, path),
            external_format=_one_of(events, "external_format", FORMATS, path),
            external_ca=_text(events, "external_ca", path),
            external_cert=_text(events, "external_cert", path),
            external_cert_key=_text(events, "external_cert_key", path),
            external_proxy=_proxy(events, path),
            token=_token(sync, path),
            on_discard=_on_discard(events, path),
            coalesce=_flag(capture, "coalesce", path),
            stall_after=_stall_after(_table(document, "status", path), path),
        )
        _require_coherent(told)
    except SettingsError as error:
        return attrs.evolve(base, problem=error)
    return told


def _require_coherent(config: Config) -> None:
    """Let only pass what can be sent as it is asked for; the command line lets pass no more."""
    flaw = ""
    if config.external_cert_key and not config.external_cert:
        flaw = "external_cert_key needs external_cert"
    if config.external_headers:
        from eventsync_core.targets import header_flaw  # noqa: PLC0415

        is_signed = bool(config.external_signing)
        flaws = (header_flaw(name, is_signed=is_signed) for name in config.external_headers)
        flaw = flaw or next(filter(None, flaws), "")
    if flaw:
        raise SettingsError(f"{config.path}: {flaw}", source=str(config.path))


def _sources(config: Config, document: Mapping[str, Any]) -> dict[str, str]:
    silent = Config(path=config.path)
    found = {}
    for field, (name, key) in KEYS.items():
        table = document.get(name)
        is_said = isinstance(table, Mapping) and (not key or key in table)
        is_used = config.problem is None or getattr(config, field) != getattr(silent, field)
        if is_said and is_used:
            found[field] = source_of(field)
    return found


def _table(document: Mapping[str, Any], name: str, path: Path) -> Mapping[str, Any]:
    value = document.get(name, {})
    if not isinstance(value, Mapping):
        raise SettingsError(f"{path}: {name} is not a table", source=str(path))
    return value


def _text(table: Mapping[str, Any], key: str, path: Path) -> str:
    value = table.get(key, "")
    if not isinstance(value, str):
        raise SettingsError(f"{path}: {key} is not text", source=str(path))
    return value.strip()


def _flag(table: Mapping[str, Any], key: str, path: Path) -> bool:
    value = table.get(key, False)
    if not isinstance(value, bool):
        raise SettingsError(f"{path}: {key} is neither true nor false", source=str(path))
    return value


def _stall_after(table: Mapping[str, Any], path: Path) -> int:
    value = table.get("stall_after", STALL_AFTER)
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= _LONGEST:
        raise SettingsError(
            f"{path}: stall_after is no whole number of seconds from 0", source=str(path)
        )
    return value


def _place(table: Mapping[str, Any], key: str, path: Path) -> str:
    return _without_credentials(_text(table, key, path), key, path)


def _without_credentials(url: str, key: str, path: Path) -> str:
    if "@" in url and _holds_user_info(url):
        raise _holds_credentials(key, path)
    return url


def _holds_user_info(url: str) -> bool:
    from eventsync_core.targets import holds_user_info  # noqa: PLC0415

    return holds_user_info(url)


def _holds_credentials(key: str, path: Path) -> SettingsError:
    return SettingsError(
        f"{path}: {key} holds credentials; name a header, token or proxy by reference instead",
        source=str(path),
        code="secret_not_a_reference",
    )


def _headers(table: Mapping[str, Any], path: Path) -> dict[str, str]:
    found = _table(table, "external_headers", path)
    source = f"external_headers in {path}"
    return {name: check_reference(_text(found, name, path), source=source) for name in found}


def _signing(table: Mapping[str, Any], path: Path) -> tuple[str, ...]:
    found = table.get("external_signing", [])
    if not isinstance(found, list) or not all(isinstance(text, str) for text in found):
        raise SettingsError(f"{path}: external_signing is no list of texts", source=str(path))
    source = f"external_signing in {path}"
    return tuple(check_reference(text, source=source) for text in found)


def _one_of(table: Mapping[str, Any], key: str, words: tuple[str, ...], path: Path) -> str:
    """Return the word under *key*; the first of *words* is the default."""
    word = _text(table, key, path) or words[0]
    if word not in words:
        raise SettingsError(f"{path}: {key} is none of {', '.join(words)}", source=str(path))
    return word


def _on_discard(table: Mapping[str, Any], path: Path) -> OnDiscard:
    word = _text(table, "on_discard", path)
    try:
        return OnDiscard(word) if word else OnDiscard.REFUSE
    except ValueError:
        words = ", ".join(OnDiscard)
        raise SettingsError(f"{path}: on_discard is none of {words}", source=str(path)) from None


def _producer(table: Mapping[str, Any], path: Path) -> Producer | None:
    parts = {key: _text(table, key, path) for key in ("user", "team", "installation")}
    try:
        return Producer(**parts) if any(parts.values()) else None
    except ValueError as error:
        raise SettingsError(f"{path}: producer: {error}", source=str(path)) from error


def _proxy(table: Mapping[str, Any], path: Path) -> str:
    text = _text(table, "external_proxy", path)
    if is_reference(text):
        return check_reference(text, source=f"external_proxy in {path}")
    if "@" in text:
        raise _holds_credentials("external_proxy", path)
    return text


def _token(table: Mapping[str, Any], path: Path) -> str:
    text = _text(table, "token", path)
    return check_reference(text, source=f"token in {path}") if text else ""
