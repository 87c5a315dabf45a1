from collections.abc import Callable, Mapping
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import attrs

from eventsync_cli.options import Chosen
from eventsync_core.errors import (
    EventSyncError,
    SettingsError,
    TargetConflictError,
    TargetUrlError,
)
from eventsync_core.ids import Kind, stream_key
from eventsync_core.policy import policy_of

if TYPE_CHECKING:
    from eventsync_adapters.files import Config, ConfigChange, Environment
    from eventsync_core.authority import Claims, QueueFile, ResolvedTarget
    from eventsync_core.capture import CaptureRules
    from eventsync_core.events import Families, Producer
    from eventsync_core.ledger import Holder
    from eventsync_core.targets import Target


@attrs.define(kw_only=True)
class Settings:
    """
    One command's settings, and the target they choose.

    Each source is read when it is first asked for, and then once. `given` stands for the
    environment where that of the process does not count.
    """

    chosen: Chosen
    given: "Environment | None" = None

    @cached_property
    def environment(self) -> "Environment":
        """What the environment says."""
        if self.given is not None:
            return self.given
        from eventsync_adapters.files import read_environment

        return read_environment()

    @cached_property
    def home(self) -> Path:
        """The home that was named on the command line, else the environment's."""
        return Path(self.chosen.home) if self.chosen.home else self.environment.home

    @cached_property
    def config(self) -> "Config":
        """What the home's configuration says."""
        from eventsync_adapters.files import config_file, read_config

        return read_config(config_file(self.home))

    @cached_property
    def claims(self) -> "Claims":
        """What is said of the server, and by whom."""
        from eventsync_adapters.files.claims import read_claims

        return read_claims(self.home, self.config, self.environment)

    @cached_property
    def authority(self) -> "ResolvedTarget":
        """Which server configuration and environment agree on."""
        from eventsync_core.authority import resolve

        return resolve(self.claims, home=str(self.home))

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
        Return what the configuration wants of captures; see `eventsync_adapters.files.rules`.
        """
        from eventsync_adapters.files.rules import rules_of

        return rules_of(self.config, coalesce=coalesce, validate=validate, producer=producer)

    def families(self) -> "Families":
        """Return the built-in families with those of the configuration, which win."""
        from eventsync_adapters.files.rules import families_of

        return families_of(self.config)

    def queue_files(self) -> "tuple[QueueFile, ...] | None":
        """Return the old queues found in the home, and whose each is; None: nobody can tell."""
        from eventsync_adapters.files.claims import queue_files
        from eventsync_core.authority import QueueFile, hypotheses, match_digest

        paths = queue_files(self.home)
        if not paths:
            return None if paths is None else ()
        tried = hypotheses(self.claims)
        digests = [path.stem.removeprefix("queue-") for path in paths]
        return tuple(
            QueueFile(str(path), digest, match_digest(digest, tried))
            for path, digest in zip(paths, digests, strict=True)
        )

    def reread(self) -> Self:
        """Return the same surroundings, for which everything is read again."""
        return attrs.evolve(self)

    def conflict(self) -> TargetConflictError | None:
        """Return the conflict between configuration and environment, if there is one."""
        if not (self.config.server_url and self.environment.saas_url):
            return None
        return self.authority.conflict

    def require_usable(self) -> None:
        """
        Let only pass what may choose or contact a target.

        Raises:
            SettingsError: The configuration could not be understood.
            TargetConflictError: It names another server than the environment.
        """
        for error in self.problems():
            raise error

    def problems(self) -> list[EventSyncError]:
        """Return what keeps a target from being chosen or contacted; the configuration's first."""
        found = (self.config.problem, self.conflict())
        return [error for error in found if error is not None]

    def concerns(self) -> list[str]:
        """Return one line for each thing that is wrong around a command that works anyway."""
        lines = [_line(error) for error in self.problems()]
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

    def target_at(
        self, kind: Kind, place: str, *, team: str | None = None, user: str | None = None
    ) -> "Target":
        """
        Return the target of *kind* at *place*, for the team and user who are known there.

        At a Teamspace server *team* and *user*, where given, stand for the configured ones.

        Raises:
            SettingsError: *place* cannot name a target.
        """
        from eventsync_core.targets import make_target

        try:
            if kind is not Kind.TEAMSPACE:
                return make_target(kind, place)
            who = self._resolved_at(place, team, user)
            return make_target(kind, place, team=who.team_slug or "", user=who.user_id or "")
        except TargetUrlError as error:
            raise SettingsError(
                f"{self.config.path} or the environment: {error}",
                source=str(self.config.path),
                code="target_url_invalid",
            ) from error

    def _resolved_at(self, place: str, team: str | None, user: str | None) -> "ResolvedTarget":
        """Return what would be resolved if the configuration named *place*, and nothing else."""
        from eventsync_core.authority import Claim, resolve

        said = self.claims
        claims = attrs.evolve(
            said,
            configured_server=Claim(place, said.configured_server.source),
            env_server=Claim(),
            team=said.team if team is None else Claim(team, said.team.source),
            user=said.user if user is None else Claim(user, said.user.source),
        )
        return resolve(claims, home=str(self.home))

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


def _line(error: EventSyncError) -> str:
    fix = f"; {error.fix_text}" if error.fix_text and error.fix_text not in error.message else ""
    return f"eventsync: {error.message} [{error.code}]{fix}"
