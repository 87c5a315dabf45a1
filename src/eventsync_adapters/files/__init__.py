"""The home: its configuration file, the environment around it, and references to secrets."""

from eventsync_adapters.files._config import (
    Config,
    ConfigChange,
    change_config,
    read_config,
)
from eventsync_adapters.files._environment import Environment, read_environment
from eventsync_adapters.files._network import certificates, proxy_mounts
from eventsync_adapters.files._revoked import Revocations, RevokedGrants
from eventsync_adapters.files._secrets import check_reference, resolve_secret

__all__ = [
    "Config",
    "ConfigChange",
    "Environment",
    "Revocations",
    "RevokedGrants",
    "certificates",
    "change_config",
    "check_reference",
    "proxy_mounts",
    "read_config",
    "read_environment",
    "resolve_secret",
]
