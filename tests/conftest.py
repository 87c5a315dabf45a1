"""What all tests share."""

import os
import sys

import pytest

from tests import effort

__all__ = ["effort"]

pytest.register_assert_rewrite("eventsync_core.testing")


def pytest_configure(config: pytest.Config) -> None:
    """
    Keep compiled code in the cache of pytest where the environment wants none beside the sources.

    The tests start about a thousand processes, and each would compile the whole program.
    """
    if not config.pluginmanager.hasplugin("cacheprovider"):
        return
    if not os.environ.pop("PYTHONDONTWRITEBYTECODE", ""):
        return
    place = str(config.cache.mkdir("bytecode"))
    os.environ["PYTHONPYCACHEPREFIX"] = sys.pycache_prefix = place
    sys.dont_write_bytecode = False
