from collections.abc import Mapping
from pathlib import Path

from eventsync_adapters.files import config_file, read_config, read_environment
from eventsync_adapters.files.claims import read_claims
from eventsync_adapters.files.rules import rules_of
from eventsync_core.authority import ResolvedTarget, resolve
from eventsync_core.capture import CaptureRules


def resolve_target(
    home: Path, *, environ: Mapping[str, str], process_wide: bool = False
) -> ResolvedTarget:
    """
    Return the Teamspace server that the home's files and *environ* agree on, and who is known
    there, with the source of each field; no socket is opened.

    Two different servers resolve to nothing: `is_conflict` is true and `conflict` the error that
    names both. With *process_wide* the one of *environ* wins. *environ* is what the host wants
    to be heard of its environment: `os.environ`, a part of it, or nothing.

    Raises:
        SettingsError: The configuration cannot be read or understood.
    """
    environment = read_environment({**environ, "SPEC_KITTY_HOME": str(home)})
    config = read_config(config_file(home))
    if config.problem is not None:
        raise config.problem
    claims = read_claims(home, config, environment)
    return resolve(claims, home=str(home), process_wide=process_wide)


def read_rules(home: Path) -> CaptureRules:
    """
    Return what the home's configuration wants of captures, as `eventsync capture` heeds it.

    A host adds its own with `attrs.evolve`. A configuration that cannot be understood prevents no
    capture: the mode is then LOCAL_RETENTION, and `resolve_target` raises what is wrong.
    """
    return rules_of(read_config(config_file(home)))
