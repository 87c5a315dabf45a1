import os
from pathlib import Path


def why_not_emptied(path: Path, *, has_journal: bool) -> str:
    """
    Return why no row can leave the file at *path*, in a line; empty where rows may.

    One that *has_journal* makes files beside it.
    """
    if not os.access(path, os.W_OK):
        return f"{path} cannot be emptied: it may not be written to"
    if has_journal and not os.access(path.parent, os.W_OK | os.X_OK):
        return f"{path} cannot be emptied: its folder may not be written to"
    return ""
