"""A receiver that runs, and a client for it."""

import ssl
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from eventsync_adapters.server import Serving, serve
from eventsync_core.targets import Deployment


@pytest.fixture(params=["memory", "file"])
def serving(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Serving]:
    """Return a receiver that keeps what it gets in memory, then one that uses a file."""
    path = tmp_path / "received.db" if request.param == "file" else None
    with serve(path, clock=lambda: 7, deployment=Deployment(git_sha="abc")) as opened:
        opened.start()
        yield opened


@pytest.fixture(scope="session")
def trust() -> ssl.SSLContext:
    """Return one context for all clients: reading the certificates takes 20 ms each time."""
    return ssl.create_default_context()


@pytest.fixture
def client(serving: Serving, trust: ssl.SSLContext) -> Iterator[httpx.Client]:
    """Return a client that talks to it."""
    with httpx.Client(base_url=serving.url, trust_env=False, verify=trust) as opened:
        yield opened
