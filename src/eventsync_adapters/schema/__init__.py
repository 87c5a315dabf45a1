"""
The tables, as numbered SQL files that only ever go forward.

`NNNN_name.sql` is shared by all engines and uses TEXT and BIGINT only: times are
microseconds since 1970 UTC, digests hex. What has no common spelling stands in
`NNNN_name.sqlite.sql` under the same version. A released file never changes.

`start.sqlite.sql` is what the versions up to `START` come to. A new database is made from it in a
third of the time that they take one by one; a later version needs no change of it.
"""

from pathlib import Path

__all__ = ["START", "VERSIONS", "script", "start"]

VERSIONS = (
    "0001_journal",
    "0002_delivery",
    "0003_target_state",
    "0004_desk",
    "0005_superseding",
    "0006_capture",
    "0007_grants",
    "0008_network",
    "0009_bodies",
    "0010_legacy",
    "0011_aliases",
    "0012_kept",
    "0013_retention",
    "0014_traces",
    "0015_silence",
    "0016_exceptions",
    "0017_whole_names",
    "0018_witnesses",
)
"""Every version this program knows, in order."""

START = "0018_witnesses"
"""The last version that is in what `start` returns."""


def script(version: str, engine: str) -> str:
    """Return the SQL of *version* for *engine*: the shared part, then the engine's own."""
    folder = Path(__file__).parent
    parts = (folder / f"{version}.sql", folder / f"{version}.{engine}.sql")
    return "\n".join(part.read_text(encoding="utf-8") for part in parts if part.exists())


def start(engine: str) -> str:
    """Return the SQL that makes an empty database of *engine* one of the version `START`."""
    return (Path(__file__).parent / f"start.{engine}.sql").read_text(encoding="utf-8")
