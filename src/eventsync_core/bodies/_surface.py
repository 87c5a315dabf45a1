"""Which files are uploaded as bodies, by their path in the mission's folder."""

import re

_FORMATS = frozenset({"md", "json", "yaml", "yml", "csv"})
_FILES = frozenset(
    {
        "spec.md",
        "plan.md",
        "tasks.md",
        "analysis-report.md",
        "research.md",
        "quickstart.md",
        "data-model.md",
        "lint-report.json",
    }
)
_FOLDERS = frozenset({"research", "contracts", "checklists"})
_WORK_PACKAGE = re.compile(r"tasks/WP[0-9]+[^/]*\.md")


def skip_reason(path: str) -> str:
    """
    Return why the file at *path* is not uploaded, or an empty text if it is.

    *path* is relative to the folder of the mission, with slashes.
    """
    parts = path.split("/")
    if any(part in ("", ".", "..") or not part.isprintable() for part in parts):
        return "unsupported_surface"
    is_known = path in _FILES or _WORK_PACKAGE.fullmatch(path) is not None
    if not is_known and not (len(parts) > 1 and parts[0] in _FOLDERS):
        return "unsupported_surface"
    stem, dot, suffix = parts[-1].rpartition(".")
    if not (stem and dot and suffix.lower() in _FORMATS):
        return f"unsupported_format: {dot + suffix if dot else 'none'}"
    return ""
