from contextlib import ExitStack
from typing import Any

import click

from eventsync_cli.acting import acting
from eventsync_cli.capturing import Findings, capture_lines
from eventsync_cli.compose import App
from eventsync_cli.failures import UsageProblemError
from eventsync_cli.render import Progress, Result
from eventsync_cli.sources import open_source
from eventsync_core.codec import MOST_ITEMS
from eventsync_core.events import Producer


@acting("capture")
@click.argument("file", default="-")
@click.option(
    "--coalesce",
    is_flag=True,
    help="Of dossier events about one thing, deliver only the latest that nobody has seen.",
)
@click.option(
    "--validate",
    type=click.Choice(["strict", "off"]),
    help="Hold what is no envelope of version 3, or not; else as config.toml says, or off.",
)
@click.option("--producer-user", metavar="TEXT", default="", help="Who made the events.")
@click.option("--producer-team", metavar="TEXT", default="", help="That user's team.")
@click.option("--installation", metavar="TEXT", default="", help="Where they were made.")
def command(
    app: App,
    file: str,
    *,
    coalesce: bool,
    validate: str | None,
    producer_user: str,
    producer_team: str,
    installation: str,
) -> Result:
    """
    Store events, one JSON object per line, from FILE or standard input.

    gzip is recognised. A line that cannot be stored is named and harms no other.
    """
    producer = _producer(producer_user, producer_team, installation)
    rules = app.capture_rules(coalesce=coalesce, validate=validate, producer=producer)
    with ExitStack() as opened:
        source = open_source(file, opened)
        bar = Progress("capturing", app.clock, total=None, no_color=app.no_color)
        with bar:
            findings = capture_lines(app, source, progress=bar.reach, rules=rules)
    return _result(app, findings)


def _producer(user: str, team: str, installation: str) -> Producer:
    try:
        return Producer(user=user.strip(), team=team.strip(), installation=installation.strip())
    except ValueError as error:
        raise UsageProblemError(
            f"the producer: {error}", fix_argv=("eventsync", "capture", "--help")
        ) from error


def _result(app: App, findings: Findings) -> Result:
    return Result(
        document=_document(findings),
        lines=_lines(findings),
        talk=app.concerns(of_target=False),
        code=findings.code,
        reason=findings.error,
    )


def _document(findings: Findings) -> dict[str, Any]:
    return {
        "lines": findings.lines,
        "stored": findings.stored,
        "duplicates": findings.duplicates,
        "payloads_gone": findings.payloads_gone,
        "held": findings.held,
        "discarded": findings.discarded,
        "superseded": findings.superseded,
        "streams": dict(findings.streams.most_common(MOST_ITEMS)),
        "streams_count": len(findings.streams),
        "conflicts": findings.conflicts.first,
        "conflicts_count": findings.conflicts.count,
        "refused": findings.refused.first,
        "refused_count": findings.refused.count,
    }


def _lines(findings: Findings) -> list[str]:
    counts = (
        f"stored {findings.stored}  duplicates {findings.duplicates}  held {findings.held}  "
        f"conflicts {findings.conflicts.count}  refused {findings.refused.count}"
    )
    if findings.discarded:
        counts += f"  discarded {findings.discarded}"
    if findings.superseded:
        counts += f"  superseded {findings.superseded}"
    if findings.payloads_gone:
        counts += f"  payloads gone {findings.payloads_gone}: journal import brings them back"
    return [counts, *findings.conflicts.named(), *findings.refused.named()]
