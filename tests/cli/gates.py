"""What can keep events on this machine: how each gate is closed, and opened again."""

import sqlite3
from collections.abc import Callable
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import attrs
import pytest

from eventsync_adapters import machine
from eventsync_adapters.server import Serving
from eventsync_adapters.sqlite import open_stores
from eventsync_core.ledger import Lease
from eventsync_core.receivers import Gate
from tests.cli.conftest import Run

EXTERNAL = ("sync", "mode", "EXTERNAL_RECEIVER", "--endpoint")


@attrs.define
class Scene:
    """A home, a server that would take everything, and a way to change the surroundings."""

    run: Run
    home: Path
    server: Serving
    environment: pytest.MonkeyPatch
    later: ExitStack

    @property
    def database(self) -> Path:
        """Where the events are."""
        return self.home / "eventsync" / "eventsync.db"

    @property
    def token_file(self) -> Path:
        """Where a token may lie."""
        return self.home.parent / "token"

    def log_in(self, *more: str) -> None:
        """Choose the server, with SaaS enabled and a token, as *more* says."""
        self.environment.setenv("SPEC_KITTY_ENABLE_SAAS_SYNC", "1")
        self.environment.setenv("ES_TOKEN", "opens nothing")
        words = more or ("--team", "t", "--token", "env:ES_TOKEN")
        assert self.run("sync", "server", self.server.url, *words).code == 0

    def status(self) -> Any:
        """Return what `sync status --json` says."""
        return self.run("sync", "status", "--json").document

    def content(self) -> list[str]:
        """Return every row of the store as a text."""
        with closing(sqlite3.connect(self.database)) as connection:
            return list(connection.iterdump())


Open = Callable[[], object]


def _saas_disabled(scene: Scene) -> Open:
    scene.log_in()
    scene.environment.delenv("SPEC_KITTY_ENABLE_SAAS_SYNC")
    return lambda: scene.environment.setenv("SPEC_KITTY_ENABLE_SAAS_SYNC", "1")


def no_reference(scene: Scene) -> Open:
    scene.log_in("--team", "t")
    return lambda: scene.log_in("--token", "env:ES_TOKEN")


def _no_variable(scene: Scene) -> Open:
    scene.log_in()
    scene.environment.delenv("ES_TOKEN")
    return lambda: scene.environment.setenv("ES_TOKEN", "opens nothing")


def _no_file(scene: Scene) -> Open:
    scene.log_in("--team", "t", "--token", f"file:{scene.token_file}")
    return lambda: scene.token_file.write_text("opens nothing\n")


def _no_team(scene: Scene) -> Open:
    scene.log_in("--token", "env:ES_TOKEN")
    return lambda: scene.log_in("--team", "t")


def _no_endpoint(scene: Scene) -> Open:
    scene.home.mkdir(parents=True)
    (scene.home / "config.toml").write_text('[event_sync]\nmode = "external_receiver"\n')
    return lambda: scene.run(*EXTERNAL, scene.server.url)


def _no_server(scene: Scene) -> Open:
    scene.log_in()
    (scene.home / "config.toml").write_text('[event_sync]\nmode = "teamspace"\n')
    return lambda: scene.log_in()


def _no_grant(scene: Scene) -> Open:
    scene.run(*EXTERNAL, scene.server.url)
    scene.run("target", "revoke")
    return lambda: scene.run("target", "grant")


def another_drain(scene: Scene) -> Open:
    target_id = scene.run(*EXTERNAL, scene.server.url, "--json").document["target"]["target_id"]
    stores = scene.later.enter_context(open_stores(scene.database))
    holder = machine.this_process()
    lease = stores.leases.acquire(target_id, "default", holder, at=machine.now())
    assert isinstance(lease, Lease)
    return lambda: stores.leases.release(lease)


CAUSES = {
    "saas_disabled": (_saas_disabled, Gate.SAAS_DISABLED),
    "no token is named": (no_reference, Gate.MISSING_AUTH),
    "the variable is not set": (_no_variable, Gate.MISSING_AUTH),
    "the file is gone": (_no_file, Gate.MISSING_AUTH),
    "no team": (_no_team, Gate.MISSING_TEAM),
    "no endpoint": (_no_endpoint, Gate.ENDPOINT_MISSING),
    "no server": (_no_server, Gate.ENDPOINT_MISSING),
    "no grant": (_no_grant, Gate.NO_GRANT),
    "another drain": (another_drain, Gate.STORE_LOCKED),
}
