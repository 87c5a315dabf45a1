"""The external receiver as it is configured; its secrets are resolved when they are needed."""

from functools import partial
from typing import TYPE_CHECKING

import attrs

from eventsync_core.errors import SettingsError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from ssl import SSLContext

    from eventsync_adapters.files import Config, Environment, HeldSecrets
    from eventsync_adapters.http import ExternalReceiver, Transport
    from eventsync_core.clock import Clock
    from eventsync_core.targets import Target


@attrs.frozen
class External:
    """What *config* and *environment* say of the external receiver; *secrets* leads to the rest."""

    config: "Config"
    environment: "Environment"
    secrets: "HeldSecrets"

    def check_secrets(self) -> None:
        """
        Resolve every secret, before anything is sent.

        Raises:
            SettingsError: A reference leads to nothing, to what no header can carry, or to no
                signing key.
        """
        self.headers()
        self.signing_secrets()

    def faults(self) -> list[SettingsError]:
        """Return what of it is missing or unusable, as far as can be told without asking anyone."""
        from eventsync_adapters.files.network import external_certificates

        return faults_of(
            (
                *(
                    partial(self._try_header, name, reference)
                    for name, reference in self.config.external_headers.items()
                ),
                *(partial(self._try_key, each) for each in self.config.external_signing),
                self._try_proxy,
                lambda: external_certificates(self.config, self.environment),
            )
        )

    def _try_header(self, name: str, reference: str) -> None:
        found = self.secrets.at_hand(reference, source=f"header {name}")
        if found is not None:
            _require_sendable(found, reference, source=f"header {name}")

    def _try_key(self, reference: str) -> None:
        from eventsync_adapters.http import read_signing_key

        secret = self.secrets.at_hand(reference, source="signing key")
        if secret is not None:
            read_signing_key(secret, source=f"signing key {reference}")

    def _try_proxy(self) -> None:
        from eventsync_adapters.files import is_reference
        from eventsync_adapters.files.network import external_proxy, proxy_mounts

        text = self.config.external_proxy
        if is_reference(text) and self.secrets.at_hand(text, source="external_proxy") is None:
            return
        if not external_proxy(self.config, self.secrets):
            proxy_mounts(self.environment.proxies)

    def way(self) -> "tuple[Mapping[str, str | None], SSLContext | bool]":
        """
        Return the proxies and certificates on the way there.

        Raises:
            SettingsError: One of them cannot be used.
        """
        from eventsync_adapters.files.network import (
            external_certificates,
            external_proxy,
            proxy_mounts,
        )

        proxies = external_proxy(self.config, self.secrets) or proxy_mounts(
            self.environment.proxies
        )
        return proxies, external_certificates(self.config, self.environment)

    def receiver(
        self, target: "Target", transport: "Transport", clock: "Clock"
    ) -> "ExternalReceiver":
        """Return what reaches *target* through *transport*."""
        from eventsync_adapters.http import ExternalReceiver, Signing
        from eventsync_core.receivers import BodyFormat

        # Who the target is ends without a slash; where it listens may end with one.
        exact = attrs.evolve(target, url=self.config.external_endpoint or target.url)
        is_signed = bool(self.config.external_signing)
        return ExternalReceiver(
            exact,
            transport,
            headers=self.headers,
            signing=Signing(self.signing_secrets, clock) if is_signed else None,
            body_format=BodyFormat(self.config.external_format),
            forget=self.secrets.forget,
        )

    def headers(self) -> dict[str, str]:
        """Return the headers with their present values."""
        return {
            name: sendable(reference, self.secrets, source=f"header {name}")
            for name, reference in self.config.external_headers.items()
        }

    def signing_secrets(self) -> list[str]:
        """Return the signing secrets as they are now, each of them usable."""
        from eventsync_adapters.http import read_signing_key

        found = []
        for reference in self.config.external_signing:
            secret = self.secrets.resolve(reference, source="signing key")
            read_signing_key(secret, source=f"signing key {reference}")
            found.append(secret)
        return found


def sendable(reference: str, secrets: "HeldSecrets", *, source: str) -> str:
    """
    Return what *reference* stands for, as it is sent in a header.

    Raises:
        SettingsError: It leads to nothing, code `secret_missing`, or to what no header can carry,
            code `header_invalid`; the reference is named only.
    """
    found = secrets.resolve(reference, source=source)
    _require_sendable(found, reference, source=source)
    return found


def _require_sendable(found: str, reference: str, *, source: str) -> None:
    from eventsync_core.targets import is_header_value

    if is_header_value(found):
        return
    error = SettingsError(
        f"{source}: {reference} holds what no header can carry",
        source=source,
        code="header_invalid",
    )
    error.fix_text = "it has to be printable ASCII in one line"
    raise error


def faults_of(tried: "Iterable[Callable[[], object]]") -> list[SettingsError]:
    """Try each of *tried*, and return the errors that came."""
    found = []
    for each in tried:
        try:
            each()
        except SettingsError as error:
            found.append(error)
    return found
