"""What a configuration wants of every capture."""

from eventsync_adapters.files._config import Config
from eventsync_core.capture import CaptureRules
from eventsync_core.events import DOSSIER_KEYS, FAMILIES, Families, Producer, strict_envelope

__all__ = ["families_of", "rules_of"]


def rules_of(
    config: Config,
    *,
    coalesce: bool = False,
    validate: str | None = None,
    producer: Producer | None = None,
) -> CaptureRules:
    """
    Return what *config* wants of captures.

    With *coalesce*, superseding too; *validate* (`strict` or `off`) and what *producer* says win.
    """
    said, usual = producer or Producer(), config.producer or Producer()
    who = Producer(
        user=said.user or usual.user,
        team=said.team or usual.team,
        installation=said.installation or usual.installation,
    )
    return CaptureRules(
        mode=config.mode,
        on_discard=config.on_discard,
        families=families_of(config),
        keys=DOSSIER_KEYS if coalesce or config.coalesce else None,
        validate=strict_envelope if (validate or config.validate) == "strict" else None,
        producer=None if who == Producer() else who,
    )


def families_of(config: Config) -> Families:
    """Return the built-in families with those of *config*, which win."""
    return FAMILIES.extended(config.families)
