"""Which payloads are meant: the options of `sync gc` and `sync archive`."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import click

from eventsync_cli.compose import App
from eventsync_cli.times import age
from eventsync_core.codec import MOST_ITEMS
from eventsync_core.retention import Choice, Collected, Stay

if TYPE_CHECKING:
    from eventsync_cli.compose import Space

__all__ = [
    "choice_of",
    "collected_document",
    "owed_lines",
    "payload_options",
    "size_words",
    "sizes_of",
    "wanted_stream",
]

_MOST = 10**18
_MOST_TARGETS = 20


def payload_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options to a command; `choice_of` reads them."""
    for option in reversed(
        (
            click.option(
                "--target",
                "target_ids",
                multiple=True,
                metavar="ID",
                help="What these targets have; default: all known ones.",
            ),
            click.option("--type", "types", multiple=True, help="Only events of this type."),
            click.option(
                "--older-than", metavar="AGE", help="Only those captured longer ago, as 12h or 7d."
            ),
            click.option(
                "--larger-than",
                metavar="BYTES",
                type=click.IntRange(min=0, max=_MOST),
                default=0,
                help="Only payloads of at least so many bytes.",
            ),
            click.option(
                "--keep",
                metavar="COUNT",
                type=click.IntRange(min=0, max=_MOST),
                default=0,
                help="Not the last so many events of each stream.",
            ),
        )
    ):
        function = option(function)
    return function


def choice_of(
    app: App,
    *,
    target_ids: tuple[str, ...],
    types: tuple[str, ...],
    older_than: str | None,
    larger_than: int,
    keep: int,
) -> Choice:
    """
    Return what the options mean.

    Raises:
        UsageProblemError: The age is none.
    """
    before = None if older_than is None else app.clock() - age(older_than, "--older-than")
    return Choice(
        targets=frozenset(target_ids) or None,
        types=frozenset(types),
        captured_before=before,
        at_least=larger_than,
        keep=keep,
    )


def wanted_stream(app: App) -> str | None:
    """Return the stream of --project, or None: every stream is meant."""
    return None if app.chosen.project is None else app.stream


def collected_document(found: Collected) -> dict[str, Any]:
    """Return, as JSON, why payloads stay, of which streams others go, and who has to have them."""
    targets = sorted(found.targets)
    return {
        "skipped": found.stayed.total(),
        "stayed": {why.value: found.stayed[why] for why in Stay},
        "streams": dict(found.streams.most_common(MOST_ITEMS)),
        "streams_count": len(found.streams),
        "targets": targets[:MOST_ITEMS],
        "targets_count": len(targets),
        "owed_targets": dict(found.owed.most_common(MOST_ITEMS)),
        "owed_targets_count": len(found.owed),
    }


def owed_lines(found: Collected, *, is_done: bool) -> list[str]:
    """Say which targets are still owed some of what goes, or were owed what went."""
    verb = "was" if is_done else "is"
    lines = [
        f"  target {target_id} {verb} still owed {count} of them, and gets them only after "
        "journal import brought them back"
        for target_id, count in found.owed.most_common(_MOST_TARGETS)
    ]
    more = len(found.owed) - len(lines)
    return [*lines, f"  and {more} more targets"] if more else lines


def sizes_of(
    journal: tuple[int, int], before: "Space | None", after: "Space | None", *, is_known: bool
) -> dict[str, int | None]:
    """
    Return, as JSON, how large what is retained and the database's file were and are.

    Where it is not *is_known* how large the file will be, that is None.
    """
    return {
        "journal_size_bytes_before": journal[0],
        "journal_size_bytes_after": journal[1],
        "file_bytes_before": 0 if before is None else before.after,
        "file_bytes_after": (0 if after is None else after.after) if is_known else None,
    }


def size_words(sizes: Mapping[str, int | None]) -> str:
    """Return how large what is retained and the file were and are, as far as it is known."""
    journal = f"{sizes['journal_size_bytes_before']} -> {sizes['journal_size_bytes_after']}"
    after = sizes["file_bytes_after"]
    to = "" if after is None else f" -> {after}"
    return f"journal {journal} bytes, file {sizes['file_bytes_before']}{to} bytes"
