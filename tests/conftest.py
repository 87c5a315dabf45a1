"""What all tests share."""

import os
import sys

import pytest

from tests import effort

__all__ = ["effort"]

pytest.register_assert_rewrite("eventsync_core.testing")


def pytest_configure(config: pytest.Config) -> None:
    """
    Leave out of every test, and of the processes it starts, what this environment wants.

    Certificates that the environment names are read by each command that may send: 40 ms.
    Compiled code is kept in the cache of pytest where the environment wants none beside the
    sources: the tests start about a thousand processes, and each would compile the whole program.
    """
    for name in ("SSL_CERT_FILE", "SSL_CERT_DIR"):
        os.environ.pop(name, None)
    if not config.pluginmanager.hasplugin("cacheprovider"):
        return
    if not os.environ.pop("PYTHONDONTWRITEBYTECODE", ""):
        return
    place = str(config.cache.mkdir("bytecode"))
    os.environ["PYTHONPYCACHEPREFIX"] = sys.pycache_prefix = place
    sys.dont_write_bytecode = False
