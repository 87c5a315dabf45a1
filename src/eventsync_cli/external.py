"""What the command line says of an external receiver, as it is written to config.toml."""

from collections.abc import Mapping
from typing import Any

import attrs

from eventsync_cli.choosing import REFERENCES, absolute, reference_given
from eventsync_cli.compose import App
from eventsync_cli.failures import UsageProblemError
from eventsync_core.errors import TargetUrlError
from eventsync_core.targets import Target, canonical_url, header_flaw, is_header_name

__all__ = ["ExternalChoice", "external_document", "external_pairs"]

_NO_HEADER = "leave it out; --header NAME= takes one away"
_WORDS = {
    "external_headers": "headers",
    "external_signing": "signing keys",
    "external_format": "format",
    "external_ca": "CA",
    "external_cert": "certificate",
    "external_cert_key": "certificate key",
    "external_proxy": "proxy",
}


@attrs.frozen(kw_only=True)
class ExternalChoice:
    """The options of `sync mode` for an external receiver; None or nothing where not given."""

    endpoint: str | None
    headers: tuple[str, ...]
    sign: tuple[str, ...]
    body_format: str | None
    ca: str | None
    cert: str | None
    cert_key: str | None
    proxy: str | None

    @property
    def is_given(self) -> bool:
        """At least one option was given."""
        values = attrs.astuple(self)
        return any(value not in (None, ()) for value in values)

    def changes(self, app: App, target: Target) -> tuple[dict[str, Any], tuple[str, ...]]:
        """
        Return what changes beside the endpoint, None to remove, and what to say of it.

        What was configured for another endpoint and is not named again is dropped; all of it,
        where the configuration cannot be understood and may hold more than is known.

        Raises:
            UsageProblemError: An option makes no sense, or holds a secret.
        """
        is_same = app.config.problem is None and _is_same(target, app.config.external_endpoint)
        before = external_document(app) if is_same else {}
        named = self._named(app, before.get("external_headers", {}))
        _require_coherent({**before, **named})
        if is_same:
            return named, ()
        present = _WORDS if app.config.problem is not None else external_document(app)
        dropped = [key for key in present if key not in named]
        talk = ", ".join(_WORDS[key] for key in dropped)
        whose = "of the previous endpoint, not used for this one"
        if app.config.problem is not None:
            whose = "config.toml could not be understood; removed, if it was there"
        lines = (f"eventsync: {whose}: {talk}",)
        return {**named, **dict.fromkeys(dropped)}, lines if dropped else ()

    def _named(self, app: App, headers: Mapping[str, str]) -> dict[str, Any]:
        found: dict[str, Any] = {}
        if self.headers:
            found["external_headers"] = _headers(app, self.headers, headers)
        if self.sign:
            keys = [reference_given(app, text, "a signing key") for text in self.sign if text]
            found["external_signing"] = keys or None
        if self.body_format is not None:
            found["external_format"] = self.body_format
        for key, text in (("ca", self.ca), ("cert", self.cert), ("cert_key", self.cert_key)):
            if text is not None:
                found[f"external_{key}"] = _file(text)
        if self.proxy is not None:
            found["external_proxy"] = _proxy(app, self.proxy)
        return found


def external_document(app: App) -> dict[str, Any]:
    """Return what is configured for the external receiver, by key; references, no secrets."""
    config = app.config
    found = {key: getattr(config, key) for key in _WORDS}
    found["external_signing"] = list(config.external_signing)
    if config.external_format == "eventsync":
        found["external_format"] = ""
    return {key: value for key, value in found.items() if value}


def external_pairs(app: App) -> list[tuple[str, str]]:
    """Return the same as lines for a person."""
    return [
        (_WORDS[key][:1].upper() + _WORDS[key][1:], _line(value))
        for key, value in external_document(app).items()
    ]


def _line(value: object) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name}={reference}" for name, reference in value.items())
    return ", ".join(value) if isinstance(value, list) else str(value)


def _is_same(target: Target, place: str) -> bool:
    try:
        return bool(place) and canonical_url(place, keep_query=True) == target.url
    except TargetUrlError:
        return False


def _require_coherent(after: Mapping[str, Any]) -> None:
    """Let only pass what can be sent as it is asked for."""
    if after.get("external_cert_key") and not after.get("external_cert"):
        raise UsageProblemError("--cert-key needs --cert", fix_text="name both files")
    for name in after.get("external_headers") or {}:
        flaw = header_flaw(name, is_signed=bool(after.get("external_signing")))
        if flaw:
            raise UsageProblemError(flaw, fix_text=_NO_HEADER)


def _headers(app: App, given: tuple[str, ...], present: Mapping[str, str]) -> dict[str, str]:
    """Return all headers as they are to be: those that are named, else those left of *present*."""
    found: dict[str, str] = {}
    gone: set[str] = set()
    for text in given:
        if not text.strip():
            gone.update(name.lower() for name in present)
            continue
        name, mark, reference = text.partition("=")
        name = name.strip()
        if not mark or not is_header_name(name):
            raise UsageProblemError(
                "--header is NAME=REF", fix_text="for instance --header X-Key=env:MY_KEY"
            )
        if reference.strip():
            # What stands before the sign may be part of a secret too, not a name.
            found[name] = reference_given(app, reference, "a header")
        gone.add(name.lower())
    left = {name: value for name, value in present.items() if name.lower() not in gone}
    return found or left


def _file(text: str) -> str | None:
    return absolute(text) if text.strip() else None


def _proxy(app: App, text: str) -> str | None:
    if not text.strip():
        return None
    if app.is_reference(text):
        return reference_given(app, text, "the proxy")
    place = text.strip() if "://" in text else f"http://{text.strip()}"
    if "@" in place:
        raise UsageProblemError(
            "the URL of the proxy holds credentials",
            code="secret_not_a_reference",
            fix_text=f"name the whole URL as {REFERENCES}",
        )
    canonical_url(place)
    return place
