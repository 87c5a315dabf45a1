import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

import attrs

from eventsync_cli.compose._external import External, faults_of, sendable
from eventsync_cli.compose._keeping import Keeping
from eventsync_cli.options import Chosen
from eventsync_core.errors import SettingsError
from eventsync_core.ids import Kind
from eventsync_core.policy import policy_of

if TYPE_CHECKING:
    from eventsync_adapters.files import HeldSecrets
    from eventsync_adapters.http import HeldReader, TeamspaceReceiver
    from eventsync_adapters.server import Serving
    from eventsync_cli.compose._examined import Surroundings
    from eventsync_core.bodies import BodyReceiver
    from eventsync_core.dispatch import Alongside
    from eventsync_core.receivers import DeliveryReceiver, Script
    from eventsync_core.targets import Deployment, Target


def _secrets() -> "HeldSecrets":
    from eventsync_adapters import machine
    from eventsync_adapters.files import HeldSecrets

    return HeldSecrets(machine.monotonic)


@attrs.define(kw_only=True)
class App(Keeping):
    """
    One command's surroundings: settings, store, and what reaches the target.

    `token_problem` is why the last look for a token found none, where one is configured.
    """

    secrets: "HeldSecrets" = attrs.field(init=False, repr=False, factory=_secrets)
    token_problem: SettingsError | None = attrs.field(init=False, default=None)

    @contextmanager
    def receiver(self, target: "Target") -> Iterator["DeliveryReceiver"]:
        """
        Return what reaches *target*, with its connections, for the length of the block.

        Raises:
            SettingsError: A reference to a secret leads to nothing, or a proxy or certificate
                is unusable.
        """
        from eventsync_adapters import machine
        from eventsync_adapters.http import Transport

        if target.kind is Kind.EXTERNAL:
            external = External(self.config, self.environment, self.secrets)
            external.check_secrets()
            proxies, verify = external.way()
            with Transport(
                monotonic=machine.monotonic, proxies=proxies, verify=verify
            ) as transport:
                yield external.receiver(target, transport, self.clock)
            return
        with self._teamspace(target) as receiver:
            yield receiver

    @contextmanager
    def body_receiver(self, target: "Target") -> Iterator["BodyReceiver"]:
        """
        Return what reaches *target* with bodies, for the length of the block.

        Only a Teamspace takes them; for any other the gate `endpoint_missing` is closed.

        Raises:
            SettingsError: A proxy or certificate is unusable.
        """
        if target.kind is not Kind.TEAMSPACE:
            from eventsync_cli.standins import NoBodies

            yield NoBodies(target.target_id)
            return
        with self._teamspace(target) as receiver:
            yield receiver

    @contextmanager
    def reader_of(self, target: "Target") -> Iterator["HeldReader"]:
        """Return what tells what *target* holds, for the length of the block."""
        from eventsync_adapters import machine
        from eventsync_adapters.http import HeldReader, Transport

        with Transport(monotonic=machine.monotonic) as transport:
            yield HeldReader(target.url, transport)

    @contextmanager
    def _teamspace(self, target: "Target") -> Iterator["TeamspaceReceiver"]:
        from eventsync_adapters import machine
        from eventsync_adapters.files.network import certificates, proxy_mounts
        from eventsync_adapters.http import TeamspaceReceiver, Transport

        with Transport(
            monotonic=machine.monotonic,
            proxies=proxy_mounts(self.environment.proxies),
            verify=certificates(self.environment),
        ) as transport:
            yield TeamspaceReceiver(
                target,
                transport,
                saas_enabled=self.environment.saas_enabled,
                token=self.token,
                forget=self.secrets.forget,
            )

    def examine(self) -> "Surroundings":
        """Look at what lies around the database; nothing is made."""
        from eventsync_cli.compose._examined import examine

        return examine(self)

    def make_private(self) -> int:
        """Let nobody else read what is the home's own; return how many were open to others."""
        from eventsync_cli.compose._examined import make_private

        return make_private(self)

    @property
    def alongside(self) -> "Alongside":
        """Runs a request while the next batch is made ready."""
        from eventsync_adapters.alongside import alongside

        return alongside

    def gates(self) -> tuple[str, ...]:
        """Return the words of the current target's closed gates; nobody is contacted or asked."""
        from eventsync_core.receivers import Gate

        target, kind = self.current_target(), policy_of(self.config.mode).delivery
        if kind is None:
            return ()
        if target is None:
            return (Gate.ENDPOINT_MISSING.value,)
        if kind is Kind.EXTERNAL:
            return ()
        from eventsync_adapters.http import TeamspaceReceiver
        from eventsync_cli.standins import NoNetwork

        receiver = TeamspaceReceiver(
            target,
            NoNetwork(),
            saas_enabled=self.environment.saas_enabled,
            # The gate wants to know only that there is one.
            token=lambda: self.config.token if self.has_token else None,
        )
        return tuple(gate.value for gate in receiver.closed_gates())

    def faults(self) -> list[SettingsError]:
        """
        Return what would keep a request to the current target from being made; nobody is asked.

        What is at hand is tried: proxies, certificates, headers and signing keys. A closed gate
        is no fault.
        """
        target = self.current_target()
        if target is None:
            return []
        if target.kind is Kind.EXTERNAL:
            return External(self.config, self.environment, self.secrets).faults()
        from eventsync_adapters.files.network import certificates, proxy_mounts

        tried = (
            lambda: proxy_mounts(self.environment.proxies),
            lambda: certificates(self.environment),
        )
        return faults_of(tried)

    def token(self) -> str | None:
        """
        Return the token for Teamspace as it is now, or None; for sending only.

        A program or keyring that holds it is asked, at most every 30 seconds; not while SaaS
        sync is disabled, for then nothing is sent.
        """
        self.token_problem = None
        if not self.config.token or not self.environment.saas_enabled:
            return None
        try:
            return sendable(self.config.token, self.secrets, source="token")
        except SettingsError as error:
            self.token_problem = error
        return None

    @property
    def has_token(self) -> bool:
        """A token is at hand, as far as can be told without asking a program or keyring."""
        from eventsync_adapters.files import is_at_hand
        from eventsync_core.targets import is_header_value

        token = self.config.token
        return bool(token) and is_at_hand(token, source="token", fits=is_header_value)

    def serve(
        self,
        inbox: Path | None,
        *,
        port: int = 0,
        script: "Script | None" = None,
        deployment: "Deployment | None" = None,
        talk: "TextIO | None" = None,
    ) -> AbstractContextManager["Serving"]:
        """
        Open a local receiver that keeps what it gets in the file *inbox*; see `serve`.

        One line per request goes to *talk*, if there is one.
        """
        from eventsync_adapters.logs import line_log
        from eventsync_adapters.server import serve

        log = line_log(talk, "serve") if talk else _nothing
        return serve(
            inbox, clock=self.clock, port=port, script=script, deployment=deployment, log=log
        )


def is_in_unit() -> bool:
    """Say whether this thread has a unit of work open; without a store none is."""
    # A signal can come while it is being imported.
    look = getattr(sys.modules.get("eventsync_adapters.sqlite"), "is_in_unit", None)
    return look is not None and bool(look())


def _nothing(*_: str) -> None:
    """Nobody listens."""


def assemble(chosen: Chosen) -> App:
    """Return the surroundings of a command for what was *chosen*; nothing is read yet."""
    return App(chosen=chosen)


def assemble_alone(home: Path, project: str | None = None) -> App:
    """Return an `App` for *home* that takes nothing from the environment."""
    from eventsync_adapters.files import Environment

    return App(chosen=Chosen(project=project), given=Environment(home=home))
