"""Pairs ports with adapters; the only module that knows them, each imported when needed."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import attrs

from eventsync_cli.failures import TargetConflictError
from eventsync_cli.options import Chosen
from eventsync_core.errors import SettingsError, TargetUrlError
from eventsync_core.ids import Kind, stream_key
from eventsync_core.policy import policy_of

if TYPE_CHECKING:
    from eventsync_adapters.files import Config, ConfigChange, Environment
    from eventsync_adapters.files.revoked import Revocations
    from eventsync_adapters.server import Serving as Serving
    from eventsync_adapters.sqlite import StorageFacts
    from eventsync_core.authority import ResolvedTarget
    from eventsync_core.ledger import Holder
    from eventsync_core.receivers import DeliveryReceiver, Script
    from eventsync_core.stores import Stores
    from eventsync_core.targets import Target

__all__ = ["App", "assemble", "assemble_alone"]

_WAL_FIX = "eventsync sync doctor --journal-mode truncate"


@attrs.define(kw_only=True)
class App:
    """
    One command's surroundings: settings that were read, and the adapters they choose.

    `storage` describes the database once one was opened.
    """

    chosen: Chosen
    home: Path
    environment: "Environment"
    config: "Config"
    storage: "StorageFacts | None" = None

    @property
    def database(self) -> Path:
        """Where the database is, or would be."""
        named = self.environment.persist_db_path
        return Path(named) if named else self.home / "eventsync" / "eventsync.db"

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
    def no_color(self) -> bool:
        """Colours are not wanted."""
        return self.chosen.no_color or self.environment.no_color

    def holder(self) -> "Holder":
        """Name this process."""
        from eventsync_adapters import machine

        return machine.this_process()

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

    def reread(self) -> "App":
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

    def require_settled(self) -> None:
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
        return [f"eventsync: {error.message} [{error.code}]; {error.fix_text}" for error in found]

    def current_target(self) -> "Target | None":
        """
        Return the target that is chosen now, registered or not; None: nobody is to be told.

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

    @property
    def has_store(self) -> bool:
        """There is a database already; one in memory never is."""
        if self.environment.persistence == "memory":
            return False
        try:
            return self.database.stat().st_size > 0
        except OSError:
            return False

    @contextmanager
    def stores(self) -> Iterator["Stores"]:
        """
        Open the store for writing, made if it is missing, for the length of the block.

        Raises:
            StoreError: It cannot be opened.
            SettingsError: PERSISTENCE names no store.
        """
        if self.environment.persistence == "memory":
            from eventsync_core.stores import MemoryStores

            yield MemoryStores()
            return
        self._require_sqlite()
        from eventsync_adapters.sqlite import open_stores

        with open_stores(self.database) as opened:
            self.storage = opened.storage()
            yield opened

    @contextmanager
    def sending_stores(self) -> Iterator["Stores"]:
        """Open the store as `stores` does, revocations by file included."""
        from eventsync_adapters.files.revoked import RevokedGrants
        from eventsync_cli.standins import GrantedStores

        with self.stores() as opened:
            folder = self.revocations()
            for target_id, stream in folder.pending():
                opened.grants.revoke(target_id, stream, at=self.clock())
                folder.remove(target_id, stream)
            yield GrantedStores(opened, RevokedGrants(opened.grants, folder))

    @contextmanager
    def reading(self) -> Iterator["Stores | None"]:
        """
        Open the store for reading for the length of the block; None: there is none.

        Raises:
            StoreError: It exists, but cannot be read.
        """
        if self.environment.persistence == "memory":
            yield None
            return
        self._require_sqlite()
        from eventsync_adapters.files.revoked import RevokedGrants
        from eventsync_adapters.sqlite import open_for_reading
        from eventsync_cli.standins import GrantedStores

        opened = open_for_reading(self.database)
        if opened is None:
            yield None
            return
        with opened:
            self.storage = opened.storage()
            yield GrantedStores(opened, RevokedGrants(opened.grants, self.revocations()))

    def _require_sqlite(self) -> None:
        named = self.environment.persistence
        if named != "sqlite":
            raise SettingsError(
                f"PERSISTENCE={named[:40]!r} is not available; sqlite and memory are",
                source="PERSISTENCE",
                code="persistence_unknown",
            )

    def revocations(self) -> "Revocations":
        """Return the folder of revocations."""
        from eventsync_adapters.files.revoked import Revocations

        return Revocations(self.home / "eventsync" / "revoked")

    def change_config(self, changes: Mapping[str, Mapping[str, Any]]) -> "ConfigChange":
        """Write *changes* into config.toml; see `eventsync_adapters.files.change_config`."""
        from eventsync_adapters.files import change_config

        return change_config(self.config.path, changes)

    def check_reference(self, text: str, source: str) -> str:
        """Return a reference to a secret; see `eventsync_adapters.files.check_reference`."""
        from eventsync_adapters.files import check_reference

        return check_reference(text, source=source)

    @contextmanager
    def receiver(self, target: "Target") -> Iterator["DeliveryReceiver"]:
        """
        Return what reaches *target*, with its connections, for the length of the block.

        Raises:
            SettingsError: A reference to a secret leads to nothing, or a proxy is unusable.
        """
        from eventsync_adapters.files.network import certificates, proxy_mounts
        from eventsync_adapters.http import ExternalReceiver, TeamspaceReceiver, Transport

        headers = self.external_headers if target.kind is Kind.EXTERNAL else dict
        headers()
        with Transport(
            monotonic=lambda: self.clock() / 1_000_000,
            proxies=proxy_mounts(self.environment.proxies),
            verify=certificates(self.environment),
        ) as transport:
            if target.kind is Kind.EXTERNAL:
                # Who the target is ends without a slash; where it listens may end with one.
                exact = attrs.evolve(target, url=self.config.external_endpoint or target.url)
                yield ExternalReceiver(exact, transport, headers=headers)
            else:
                yield TeamspaceReceiver(
                    target,
                    transport,
                    saas_enabled=self.environment.saas_enabled,
                    token=self.token,
                )

    def gates(self) -> tuple[str, ...]:
        """Return the words of the current target's closed gates, without any connection."""
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
            target, NoNetwork(), saas_enabled=self.environment.saas_enabled, token=self.token
        )
        return tuple(gate.value for gate in receiver.closed_gates())

    def token(self) -> str | None:
        """Return the token for Teamspace as it is now, or None."""
        if not self.config.token:
            return None
        from eventsync_adapters.files import resolve_secret

        with suppress(SettingsError):
            return resolve_secret(self.config.token, source="token")
        return None

    def external_headers(self) -> dict[str, str]:
        """Return the headers for the external receiver with their present values."""
        from eventsync_adapters.files import resolve_secret

        return {
            name: resolve_secret(reference, source=f"header {name}")
            for name, reference in self.config.external_headers.items()
        }

    def closing_lines(self) -> list[str]:
        """Return what every command says at its end while the storage is at risk."""
        facts = self.storage
        if facts is None or not facts.is_exposed or facts.journal_mode != "wal":
            return []
        risk = f"SQLite {facts.sqlite_version} can damage a database in WAL mode"
        return [f"eventsync: {risk}; run: {_WAL_FIX}"]

    def library(self) -> tuple[str, bool]:
        """Return SQLite's version, and whether it is exposed in WAL mode."""
        import sqlite3

        from eventsync_adapters.sqlite import is_exposed

        return sqlite3.sqlite_version, is_exposed(sqlite3.sqlite_version_info)

    def set_journal_mode(self, mode: str) -> "StorageFacts":
        """Change the database's journal mode; see the sqlite adapter."""
        self._require_sqlite()
        from eventsync_adapters.sqlite import set_journal_mode

        self.storage = set_journal_mode(self.database, mode)
        return self.storage

    def serve(
        self,
        inbox: Path | None,
        *,
        port: int = 0,
        script: "Script | None" = None,
        log: Callable[[str], None] = lambda _: None,
    ) -> AbstractContextManager["Serving"]:
        """Open a local receiver that keeps what it gets in the file *inbox*; see `serve`."""
        from eventsync_adapters.server import serve

        return serve(inbox, clock=self.clock, port=port, script=script, log=log)


def assemble(chosen: Chosen) -> App:
    """Read environment and configuration for what was *chosen* on the command line."""
    from eventsync_adapters.files import read_config, read_environment

    environment = read_environment()
    home = Path(chosen.home) if chosen.home else environment.home
    return App(
        chosen=chosen,
        home=home,
        environment=environment,
        config=read_config(home / "config.toml"),
    )


def assemble_alone(home: Path, project: str | None = None) -> App:
    """Return an `App` for *home* that takes nothing from the environment."""
    from eventsync_adapters.files import Environment, read_config

    return App(
        chosen=Chosen(project=project),
        home=home,
        environment=Environment(home=home),
        config=read_config(home / "config.toml"),
    )
