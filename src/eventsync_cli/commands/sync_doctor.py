import click

from eventsync_cli.acting import acting
from eventsync_cli.compose import App
from eventsync_cli.render import Result, listing


@acting("doctor")
@click.option(
    "--journal-mode",
    type=click.Choice(["wal", "truncate"]),
    help="Change how the database protects its writes.",
)
def command(app: App, journal_mode: str | None) -> Result:
    """Examine the database and the SQLite library, or change the journal mode."""
    if journal_mode is not None:
        _change(app, journal_mode)
    else:
        with app.reading():
            pass
    return _result(app)


def _change(app: App, mode: str) -> None:
    app.check_journal_mode(mode)
    if not app.has_store:
        with app.stores():
            pass
    app.set_journal_mode(mode)


def _result(app: App) -> Result:
    version, is_exposed = app.library()
    facts = app.storage
    # Only WAL is written into the file; a reader sees SQLite's default for anything else.
    mode = None if facts is None else "wal" if facts.journal_mode == "wal" else "truncate"
    document = {
        "sqlite_version": version,
        "is_exposed": is_exposed,
        "journal_mode": mode,
        "path": str(app.database),
        "file_bytes": facts.file_bytes if facts else None,
    }
    pairs = [
        ("SQLite version", version),
        ("Exposed in WAL mode", "yes" if is_exposed else "no"),
        ("Database", str(app.database)),
        ("Journal mode", mode or "<no database yet>"),
        ("Size in bytes", str(facts.file_bytes) if facts else "<no database yet>"),
    ]
    return Result(document=document, lines=listing(pairs), talk=app.concerns())
