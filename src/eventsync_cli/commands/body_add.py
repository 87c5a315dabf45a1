import os
from typing import Any

import attrs
import click

from eventsync_cli.acting import acting
from eventsync_cli.artifacts import Artifact, read_artifact
from eventsync_cli.compose import App
from eventsync_cli.exits import ExitCode
from eventsync_cli.failures import UsageProblemError
from eventsync_cli.granting import grant_words
from eventsync_cli.render import Result
from eventsync_cli.targeting import current_if_any
from eventsync_core.bodies import Added, BodyKey, BodyUpload, UploadState, covers, hash_of
from eventsync_core.codec import MOST_ITEMS
from eventsync_core.errors import Reason
from eventsync_core.ids import one_line
from eventsync_core.stores import Stores

_LONGEST_LINE = 1_000
_QUEUED = UploadState.QUEUED.value


@attrs.frozen
class _Kept:
    """What came of a file: a word for where it stands, why, and its number if it is stored."""

    artifact: Artifact
    status: str
    reason: str
    number: int | None = None
    is_granted: bool | None = None

    def said(self) -> str:
        return one_line(f"{self.artifact.file}: {self.reason}", _LONGEST_LINE)

    def document(self) -> dict[str, Any]:
        return {
            "file": self.artifact.file,
            "artifact_path": self.artifact.path,
            "status": self.status,
            "reason": self.reason,
            "number": self.number,
            "granted": self.is_granted,
        }


@acting("add")
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=bytes))
@click.option("--mission", "mission_slug", required=True, help="The mission's slug.")
@click.option("--mission-type", required=True, help="Its type, as software-dev.")
@click.option("--manifest-version", required=True, help="The version of its manifest.")
@click.option("--branch", "target_branch", default="main", show_default=True, help="Its branch.")
@click.option("--root", metavar="DIR", help="The folder of the mission; else paths are as given.")
def command(app: App, files: tuple[bytes, ...], root: str | None, **namespace: Any) -> Result:
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
    read = [read_artifact(os.fsdecode(file), root) for file in files]
    key = BodyKey(project_uuid=project, artifact_path="", content_hash="", **_named(namespace))
    kept = [_Kept(each, "skipped", each.skipped) for each in read]
    if any(not each.skipped for each in read):
        current = current_if_any(app)
        target_id = "" if current is None else current.target_id
        with app.stores() as stores, stores.atomic():
            kept = [_keep(app, stores, target_id, key, each) for each in read]
    return _result(app, kept)


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


def _keep(app: App, stores: Stores, target_id: str, key: BodyKey, read: Artifact) -> _Kept:
    if read.skipped:
        return _Kept(read, "skipped", read.skipped)
    own = attrs.evolve(key, artifact_path=read.path, content_hash=hash_of(read.text))
    at = app.clock()
    body = BodyUpload(key=own, content=read.text, size_bytes=len(read.text.encode()), created_at=at)
    added = stores.bodies.add(app.stream, body, at=at)
    listed = stores.bodies.find(own, target_id)
    if added is Added.CONFLICT or listed is None:
        return _Kept(read, "skipped", "content_conflict")
    number, standing = listed.body.number, listed.standing
    grant = stores.grants.get(target_id, app.stream)
    is_granted = None
    if target_id:
        is_granted = grant is not None and grant.is_live and covers(grant, listed.body)
    if added is Added.STORED:
        return _Kept(read, _QUEUED, "enqueued", number, is_granted)
    if standing.state is UploadState.FAILED:
        return _Kept(read, standing.state.value, f"failed: {standing.last_error}", number)
    if standing.state.is_there:
        return _Kept(read, standing.state.value, "already_uploaded", number)
    return _Kept(read, _QUEUED, "already_in_queue", number, is_granted)


def _result(app: App, kept: list[_Kept]) -> Result:
    reasons, states = [each.reason for each in kept], [each.status for each in kept]
    counts = {
        "enqueued": reasons.count("enqueued"),
        "already_in_queue": reasons.count("already_in_queue"),
        "already_uploaded": reasons.count("already_uploaded"),
        "failed": states.count(UploadState.FAILED.value),
        "skipped": states.count("skipped"),
        "not_granted": sum(each.is_granted is False for each in kept),
    }
    talk = [*app.concerns()]
    if counts["not_granted"]:
        command = app.chosen.spelt(grant_words(app.stream))
        talk.append(f"eventsync: not granted to the target: {counts['not_granted']}; {command}")
    reason = _reason(kept)
    told = "  ".join(f"{name.replace('_', '-')} {count}" for name, count in counts.items())
    return Result(
        document={
            **counts,
            "stream": app.stream,
            "files": [each.document() for each in kept[:MOST_ITEMS]],
            "files_count": len(kept),
        },
        lines=[
            told,
            *(f"  {each.said()}" for each in kept if each.status != _QUEUED),
        ],
        talk=talk,
        code=ExitCode.OK if reason is None else ExitCode.INCOMPLETE,
        reason=reason,
    )


def _reason(kept: list[_Kept]) -> Reason | None:
    """Return why a file that was named will not be uploaded, and what helps."""
    failed = [each for each in kept if each.status == UploadState.FAILED.value]
    skipped = [each for each in kept if each.status == "skipped"]
    if failed:
        numbers = tuple(str(each.number) for each in failed[:20])
        return Reason(
            code="bodies_failed",
            message=f"bodies that failed for good before: {len(failed)}; {failed[0].reason}",
            fix_argv=("eventsync", "body", "retry", *numbers),
        )
    if skipped:
        first = skipped[0]
        return Reason(
            code="files_skipped",
            message=f"files skipped: {len(skipped)}; {first.said()}",
            fix_text="see the reason of each; the others are stored",
        )
    return None
