from pathlib import Path, PurePosixPath
from typing import Any

import attrs
import click

from eventsync_cli.acting import acting
from eventsync_cli.compose import App
from eventsync_cli.exits import ExitCode
from eventsync_cli.failures import UsageProblemError
from eventsync_cli.render import Result
from eventsync_core.bodies import (
    MOST_BYTES,
    Added,
    BodyKey,
    BodyUpload,
    hash_of,
    skip_reason,
)
from eventsync_core.codec import MOST_ITEMS
from eventsync_core.errors import Reason

_REASONS = {
    Added.STORED: ("queued", "enqueued"),
    Added.KNOWN: ("queued", "already_in_queue"),
    Added.CONFLICT: ("skipped", "content_conflict"),
}


@attrs.frozen
class _Read:
    """One file: its path in the mission, and its text or why it is skipped."""

    file: str
    path: str
    text: str = attrs.field(default="", repr=False)
    skipped: str = ""


@acting("add")
@click.argument("files", nargs=-1, required=True)
@click.option("--mission", "mission_slug", required=True, help="The mission's slug.")
@click.option("--mission-type", required=True, help="Its type, as software-dev.")
@click.option("--manifest-version", required=True, help="The version of its manifest.")
@click.option("--branch", "target_branch", default="main", show_default=True, help="Its branch.")
@click.option("--root", metavar="DIR", help="The folder of the mission; else paths are as given.")
def command(app: App, files: tuple[str, ...], root: str | None, **namespace: Any) -> Result:
    """
    Keep FILES, which are artifacts of one mission of --project, to be uploaded.

    A file that is no artifact, too large, or no text in UTF-8 is skipped, with the reason.
    """
    project = (app.chosen.project or "").strip()
    if not project:
        raise UsageProblemError(
            "a body belongs to a project",
            code="project_missing",
            fix_text="name it: --project UUID",
        )
    read = [_read(file, root) for file in files]
    key = BodyKey(project_uuid=project, artifact_path="", content_hash="", **_named(namespace))
    items: list[dict[str, Any]] = []
    if any(not each.skipped for each in read):
        with app.stores() as stores, stores.atomic():
            items = [_item(each, _add(app, stores.bodies.add, key, each)) for each in read]
    else:
        items = [_item(each, None) for each in read]
    return _result(app, items)


def _named(namespace: dict[str, Any]) -> dict[str, str]:
    named = {name: str(value).strip() for name, value in namespace.items()}
    for name, value in named.items():
        if not (value and value.isprintable()):
            option = {"mission_slug": "mission", "target_branch": "branch"}.get(name, name)
            raise UsageProblemError(
                f"--{option.replace('_', '-')} is empty or holds what cannot be printed",
                fix_argv=("eventsync", "body", "add", "--help"),
            )
    return named


def _read(file: str, root: str | None) -> _Read:
    try:
        place = Path(file)
        path = _artifact_path(place, root)
        reason = skip_reason(path) if path else "unsupported_surface"
        if not place.exists():
            return _Read(file, path, skipped=f"not_present: {path or file}")
        if reason:
            return _Read(file, path, skipped=reason)
        with place.open("rb") as opened:
            raw = opened.read(MOST_BYTES + 1)
            if len(raw) > MOST_BYTES:
                size = place.stat().st_size
                return _Read(file, path, skipped=f"oversized: {size} bytes > {MOST_BYTES} limit")
        return _Read(file, path, raw.decode())
    except UnicodeDecodeError:
        return _Read(file, path, skipped="not_valid_utf8")
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or type(error).__name__
        return _Read(file, "", skipped=f"read_error: {reason}")


def _artifact_path(place: Path, root: str | None) -> str:
    """Return the path of the file in the folder of its mission; empty where it is outside."""
    if root is None:
        return PurePosixPath(*place.parts).as_posix()
    folder, found = Path(root).resolve(), place.resolve()
    return found.relative_to(folder).as_posix() if found.is_relative_to(folder) else ""


def _add(app: App, add: Any, key: BodyKey, read: _Read) -> Added | None:
    if read.skipped:
        return None
    own = attrs.evolve(key, artifact_path=read.path, content_hash=hash_of(read.text))
    at = app.clock()
    body = BodyUpload(key=own, content=read.text, size_bytes=len(read.text.encode()), created_at=at)
    added: Added = add(app.stream, body, at=at)
    return added


def _item(read: _Read, added: Added | None) -> dict[str, Any]:
    status, reason = ("skipped", read.skipped) if added is None else _REASONS[added]
    return {"file": read.file, "artifact_path": read.path, "status": status, "reason": reason}


def _result(app: App, items: list[dict[str, Any]]) -> Result:
    def count(word: str, *, by: str = "reason") -> int:
        return sum(item[by] == word for item in items)

    new, known, skipped = (
        count("enqueued"),
        count("already_in_queue"),
        count("skipped", by="status"),
    )
    reason = None
    if skipped:
        first = next(item for item in items if item["status"] == "skipped")
        reason = Reason(
            code="files_skipped",
            message=f"files skipped: {skipped}; {first['file']}: {first['reason']}",
            fix_text="see the reason of each; the others are stored",
        )
    return Result(
        document={
            "enqueued": new,
            "already_in_queue": known,
            "skipped": skipped,
            "stream": app.stream,
            "files": items[:MOST_ITEMS],
            "files_count": len(items),
        },
        lines=[
            f"enqueued {new}  already-in-queue {known}  skipped {skipped}",
            *(
                f"  {item['file']}: {item['reason']}"
                for item in items
                if item["status"] != "queued"
            ),
        ],
        talk=app.concerns(),
        code=ExitCode.INCOMPLETE if skipped else ExitCode.OK,
        reason=reason,
    )
