from eventsync_cli.acting import acting
from eventsync_cli.compose import App
from eventsync_cli.render import Result, table
from eventsync_core.codec import MOST_ITEMS
from eventsync_core.events import Family

_BUILT_IN = "built_in"
_MEANINGS = {
    Family.TARGET_BOUND: "goes to targets; OPT_OUT refuses it, or drops it on record",
    Family.LOCAL_ONLY: "is kept and offered to nobody; OPT_OUT drops it",
    Family.DISCARDABLE: "goes to targets; OPT_OUT drops it",
    Family.UNKNOWN: "any other type; as target_bound",
}


@acting("list")
def command(app: App) -> Result:
    """List the event types that have a family, built in or by [families] in config.toml."""
    named = [
        {
            "event_type": event_type,
            "family": family.value,
            "source": app.config.sources["families"]
            if event_type in app.config.families
            else _BUILT_IN,
        }
        for event_type, family in app.families()
    ]
    shown = named[:MOST_ITEMS]
    left = len(named) - len(shown)
    return Result(
        document={
            "families": shown,
            "families_count": len(named),
            "otherwise": Family.UNKNOWN.value,
        },
        lines=[
            *table([tuple(item.values()) for item in shown]),
            *([f"and {left} more"] if left else []),
            "",
            *table([(family.value, meaning) for family, meaning in _MEANINGS.items()]),
        ],
        talk=app.concerns(),
    )
