"""
The home: its configuration file, the environment around it, and references to secrets.

The modules `claims`, `network` and `revoked` are imported by themselves: a capture needs none.
"""

from eventsync_adapters.files._change import ConfigChange, change_config
from eventsync_adapters.files._config import Config, config_file, read_config
from eventsync_adapters.files._environment import Environment, read_environment
from eventsync_adapters.files._held import HeldSecrets
from eventsync_adapters.files._secrets import (
    check_reference,
    is_at_hand,
    is_reference,
    resolve_secret,
)

__all__ = [
    "Config",
    "ConfigChange",
    "Environment",
    "HeldSecrets",
    "change_config",
    "check_reference",
    "config_file",
    "is_at_hand",
    "is_reference",
    "read_config",
    "read_environment",
    "resolve_secret",
]
