from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import attrs
import click

from eventsync_cli.absent import absent_lines
from eventsync_cli.acting import acting
from eventsync_cli.compose import App
from eventsync_cli.damage import damage_document, damage_lines, left_reason
from eventsync_cli.exits import ExitCode
from eventsync_cli.lines import LONGEST_OWN_LINE, BrokeOffError, Splitter, pieces
from eventsync_cli.render import Progress, Result
from eventsync_cli.selecting import (
    choice_of,
    collected_document,
    owed_lines,
    payload_options,
    size_words,
    sizes_of,
    wanted_stream,
)
from eventsync_core.errors import OutputLostError, OutputUnusableError, Reason, StoreError
from eventsync_core.measures import Retained, total
from eventsync_core.payloads import Act, Deed
from eventsync_core.retention import (
    Archived,
    ArchiveFile,
    Choice,
    Collected,
    archive,
    plan_archive,
)
from eventsync_core.stores import Stores


@attrs.frozen(kw_only=True)
class _Wish:
    file: Path
    choice: Choice
    stream: str | None
    include_undelivered: bool
    dry_run: bool


@attrs.define
class _Done:
    archived: Archived
    retained: Retained
    is_refused: bool = False
    is_made: bool = False


@acting("archive")
@click.argument("file", type=click.Path(path_type=Path))
@payload_options
@click.option(
    "--include-undelivered", is_flag=True, help="Take along what a target does not have yet."
)
@click.option("--dry-run", is_flag=True, help="Count, but change nothing.")
def command(
    app: App, file: Path, *, include_undelivered: bool, dry_run: bool, **filters: Any
) -> Result:
    """
    Move payloads into the new compressed file FILE; `journal import` brings them back.

    All of it is read back before anything goes here. Ids, digests and what every target said
    stay for ever.
    """
    wish = _Wish(
        file=file,
        choice=choice_of(app, **filters),
        stream=wanted_stream(app),
        include_undelivered=include_undelivered,
        dry_run=dry_run,
    )
    app.check_outside(file)
    done = _Done(Archived(Collected(frozenset())), total(()))
    with app.reading() as stores:
        absent = absent_lines(app, stores)
        if stores is not None:
            plan = plan_archive(stores, wish.choice, wish.stream, at=app.clock())
            done = _Done(plan, _retained(stores))
    before = app.space()
    size, going = done.retained.size_bytes, done.archived.collected
    done.is_refused = bool(done.archived.undelivered) and not include_undelivered
    after = before
    is_meant = bool(going.purged) and not done.is_refused
    if is_meant and not dry_run:
        with app.stores() as opened:
            done = _Done(_archive(app, opened, wish), _retained(opened), is_made=True)
        after = app.give_back()
    elif is_meant:
        kept = done.retained.count - going.purged
        done.retained = total((Retained("", kept, size - going.size),))
    left = done.retained.size_bytes
    is_known = not (dry_run and is_meant)
    sizes = sizes_of((size, left), before, after, is_known=is_known)
    result = _result(app, wish, done, sizes)
    return attrs.evolve(result, talk=[*absent, *result.talk])


def _retained(stores: Stores) -> Retained:
    return total(stores.measures.retained())


def _archive(app: App, stores: Stores, wish: _Wish) -> Archived:
    deed = Deed(act=Act.ARCHIVE, actor="cli", at=app.clock(), detail=str(wish.file.absolute()))
    file = ArchiveFile(opened=lambda: _opened(app, wish.file), read_back=lambda: _lines(wish.file))
    try:
        with Progress("archiving", app.clock, total=None, no_color=app.no_color) as bar:
            return archive(
                stores,
                wish.choice,
                wish.stream,
                deed,
                app.clock,
                file,
                include_undelivered=wish.include_undelivered,
                progress=bar.reach,
            )
    except StoreError as error:
        if wish.file.exists():
            error.fix_text = (
                f"{wish.file} is whole, and what is gone here is in it; "
                f"{error.fix_text}, with another file for the rest"
            )
        raise


@contextmanager
def _opened(app: App, path: Path) -> Iterator[Callable[[str], object]]:
    try:
        with app.zipped_file(path) as zipped:
            yield zipped.write
    except OutputUnusableError as error:
        # It may be the only copy of what went: no option replaces an archive.
        error.fix_text = "name another file"
        raise


def _lines(path: Path) -> Iterator[str]:
    splitter = Splitter(LONGEST_OWN_LINE)
    try:
        with path.open("rb") as file:
            for piece in pieces(file):
                yield from (raw.decode() for _, raw in splitter.feed(piece) if raw is not None)
    except (OSError, BrokeOffError) as error:
        raise OutputLostError(f"{path} cannot be read back: {error}; nothing is gone") from error
    yield from (raw.decode() for _, raw in splitter.end() if raw is not None)


def _result(app: App, wish: _Wish, done: _Done, sizes: dict[str, int | None]) -> Result:
    found = done.archived.collected
    is_done = not (wish.dry_run or done.is_refused)
    document = {
        "operation": "archive",
        "file": str(wish.file) if done.is_made else None,
        "archived": 0 if done.is_refused else found.purged,
        "archived_bytes": 0 if done.is_refused else found.size,
        "written": 0 if done.is_refused else done.archived.written,
        "undelivered": done.archived.undelivered,
        "retained": done.retained.count,
        **collected_document(
            attrs.evolve(found, streams=Counter(), owed=Counter()) if done.is_refused else found
        ),
        "damaged": damage_document(done.archived.damaged.first),
        "damaged_count": done.archived.damaged.count,
        **sizes,
        "dry_run": wish.dry_run,
    }
    would = "would be " if wish.dry_run else ""
    place = f" to {wish.file}" if done.is_made else ""
    counts = f"archived {document['archived']} ({document['archived_bytes']} bytes){place}"
    line = (
        f"{would}{counts}  undelivered {done.archived.undelivered}  skipped "
        f"{found.stayed.total()}  ({size_words(sizes)})"
    )
    reason = left_reason(done.archived.damaged, "archived")
    code = ExitCode.OK if reason is None else ExitCode.INCOMPLETE
    if done.is_refused:
        reason, code = _refusal(done.archived), ExitCode.REFUSED
    return Result(
        document=document,
        lines=[
            line,
            *_file_lines(wish.file, done),
            *([] if done.is_refused else owed_lines(found, is_done=is_done)),
            *damage_lines(done.archived.damaged.first),
        ],
        talk=app.concerns(),
        code=code,
        reason=reason,
        is_act=is_done,
    )


def _file_lines(file: Path, done: _Done) -> list[str]:
    """Say what FILE holds where that is not what went."""
    written, purged = done.archived.written, done.archived.collected.purged
    if not done.is_made or 0 < written == purged:
        return []
    more = written - purged
    return [f"  {file} holds {written} events; {more} of them stayed here or went another way"]


def _refusal(found: Archived) -> Reason:
    return Reason(
        code="undelivered",
        message=f"{found.undelivered} of {found.collected.purged} events were not delivered to "
        "every target; nothing is archived",
        fix_text="deliver them first with eventsync sync now, name the targets that matter with "
        "--target, or take them along with --include-undelivered",
    )
