from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import attrs

from eventsync_cli.failures import TargetConflictError
from eventsync_cli.options import Chosen
from eventsync_core.errors import SettingsError, TargetUrlError
from eventsync_core.ids import Kind, stream_key
from eventsync_core.policy import policy_of

if TYPE_CHECKING:
    from eventsync_adapters.files import Config, ConfigChange, Environment
    from eventsync_core.authority import ResolvedTarget
    from eventsync_core.capture import CaptureRules
    from eventsync_core.events import Producer
    from eventsync_core.ledger import Holder
    from eventsync_core.targets import Target


@attrs.define(kw_only=True)
class Settings:
    """One command's settings as they were read, and the target they choose."""

    chosen: Chosen
    home: Path
    environment: "Environment"
    config: "Config"

    @property
    def stream(self) -> str:
        """The stream of the project named on the command line, else `default`."""
        return stream_key(None, self.chosen.project)

    @property
    def clock(self) -> Callable[[], int]:
        """The time in microseconds since 1970 UTC."""
        from eventsync_adapters import machine

        return machine.now

    @property
    def chance(self) -> Callable[[], float]:
        """Numbers from 0 up to 1, for the jitter of waits."""
        from eventsync_adapters import machine

        return machine.chance

    def sleep(self, seconds: float) -> None:
        """Wait that long; an interrupt ends it."""
        from eventsync_adapters import machine

        machine.sleep(seconds)

    @property
    def no_color(self) -> bool:
        """Colours are not wanted."""
        return self.chosen.no_color or self.environment.no_color

    def holder(self) -> "Holder":
        """Name this process."""
        from eventsync_adapters import machine

        return machine.this_process()

    def capture_rules(
        self,
        *,
        coalesce: bool = False,
        validate: str | None = None,
        producer: "Producer | None" = None,
    ) -> "CaptureRules":
        """
        Return what the configuration wants of captures.

        With *coalesce*, superseding too; *validate* and what *producer* says win.
        """
        from eventsync_core.capture import CaptureRules
        from eventsync_core.events import DOSSIER_KEYS, Producer, strict_envelope

        said, usual = producer or Producer(), self.config.producer
        who = Producer(
            user=said.user or usual.user,
            team=said.team or usual.team,
            installation=said.installation or usual.installation,
        )
        return CaptureRules(
            mode=self.config.mode,
            keys=DOSSIER_KEYS if coalesce or self.config.coalesce else None,
            validate=strict_envelope if (validate or self.config.validate) == "strict" else None,
            producer=None if who == Producer() else who,
        )

    @property
    def authority(self) -> "ResolvedTarget":
        """Which server configuration and environment agree on."""
        from eventsync_core.authority import Claims, resolve

        scope = ""
        with suppress(OSError, ValueError):
            scope = (self.home / "active_queue_scope").read_text(encoding="utf-8")
        return resolve(
            Claims(
                configured_server_url=self.config.server_url,
                env_server_url=self.environment.saas_url,
                user=self.config.user,
                team=self.config.team,
                cached_scope=scope,
            )
        )

    @property
    def queue_path(self) -> str:
        """Where the old queue of the present scope would be."""
        from eventsync_core.authority import queue_file_name

        return str(self.home / "queues" / queue_file_name(self.authority.derived_queue_scope))

    def reread(self) -> Self:
        """Return the same surroundings with the configuration as it stands now."""
        from eventsync_adapters.files import read_config

        return attrs.evolve(self, config=read_config(self.config.path))

    def conflict(self) -> TargetConflictError | None:
        """Return the conflict between configuration and environment, if there is one."""
        if not (self.config.server_url and self.environment.saas_url):
            return None
        authority = self.authority
        if not authority.is_conflict:
            return None
        return TargetConflictError(authority.configured_server_url, authority.env_server_url)

    def require_usable(self) -> None:
        """
        Let only pass what may choose or contact a target.

        Raises:
            SettingsError: The configuration could not be understood.
            TargetConflictError: It names another server than the environment.
        """
        if self.config.problem is not None:
            raise self.config.problem
        conflict = self.conflict()
        if conflict is not None:
            raise conflict

    def concerns(self) -> list[str]:
        """Return one line for each thing that is wrong around a command that works anyway."""
        found = [error for error in (self.config.problem, self.conflict()) if error is not None]
        lines = [f"eventsync: {error.message} [{error.code}]; {error.fix_text}" for error in found]
        if self.environment.persistence == "memory":
            lines.append("eventsync: PERSISTENCE=memory keeps nothing beyond this command")
        return lines

    def current_target(self) -> "Target | None":
        """
        Return the target that is chosen now, registered or not; None: nobody is to be told.

        Raises:
            SettingsError: What is configured cannot name a target, or is a Teamspace server on
                another machine without TLS.
        """
        from eventsync_core.targets import may_get_tokens

        target = self.named_target()
        if target is not None and target.kind is Kind.TEAMSPACE and not may_get_tokens(target.url):
            source = str(self.config.path) if self.config.server_url else "SPEC_KITTY_SAAS_URL"
            raise SettingsError(
                f"{source}: a server on another machine is reached by https:// only",
                source=source,
                code="target_url_invalid",
            )
        return target

    def named_target(self) -> "Target | None":
        """
        Return the same, though what is sent there could be read on the way.

        Raises:
            SettingsError: What is configured cannot name a target.
        """
        kind = policy_of(self.config.mode).delivery
        place = self.config.external_endpoint
        if kind is Kind.TEAMSPACE:
            place = self.authority.resolved_server_url or ""
        if kind is None or not place:
            return None
        return self.target_at(kind, place)

    def target_at(self, kind: Kind, place: str) -> "Target":
        """
        Return the target of *kind* at *place* for the configured team and user.

        Raises:
            SettingsError: *place* cannot name a target.
        """
        from eventsync_core.targets import make_target

        is_ours = kind is Kind.TEAMSPACE
        try:
            return make_target(
                kind,
                place,
                team=self.config.team if is_ours else "",
                user=self.config.user if is_ours else "",
            )
        except TargetUrlError as error:
            raise SettingsError(
                f"{self.config.path} or the environment: {error}",
                source=str(self.config.path),
                code="target_url_invalid",
            ) from error

    def change_config(self, changes: Mapping[str, Mapping[str, Any]]) -> "ConfigChange":
        """Write *changes* into config.toml; see `eventsync_adapters.files.change_config`."""
        from eventsync_adapters.files import change_config

        return change_config(self.config.path, changes)

    def check_reference(self, text: str, source: str) -> str:
        """Return a reference to a secret; see `eventsync_adapters.files.check_reference`."""
        from eventsync_adapters.files import check_reference

        return check_reference(text, source=source)

    def is_reference(self, text: str) -> bool:
        """Say whether *text* is spelt like a reference to a secret."""
        from eventsync_adapters.files import is_reference

        return is_reference(text)
