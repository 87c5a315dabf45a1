"""Links between the documents lead somewhere."""

import re
from pathlib import Path

_LINK = re.compile(r"\]\(([^)\s]+)\)")
_ADR = re.compile(r"# (\d+)\. (.+) \((proposed|accepted|replaced)\b.*\)")


def _pages(root: Path) -> list[Path]:
    folders = (root, root / "docs", root / "adr")
    return [page for folder in folders for page in sorted(folder.glob("*.md"))]


def _anchors(page: Path) -> set[str]:
    heads = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), flags=re.M)
    return {re.sub(r"[^\w\- ]", "", head.lower()).replace(" ", "-") for head in heads}


def _broken(page: Path) -> list[str]:
    broken = []
    for link in _LINK.findall(page.read_text(encoding="utf-8")):
        if "://" in link:
            continue
        place, _, anchor = link.partition("#")
        target = page.parent / place if place else page
        if not target.exists() or (anchor and anchor not in _anchors(target)):
            broken.append(link)
    return broken


def test_every_relative_link_leads_to_a_file(root: Path) -> None:
    """And to a heading, where it names one."""
    broken = {page.name: _broken(page) for page in _pages(root)}

    assert {name: links for name, links in broken.items() if links} == {}


def test_the_index_lists_every_decision(root: Path) -> None:
    """Number, title and state of each, in order, and numbers are used once."""
    index = (root / "adr" / "README.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| \[(\d{4})\]\(([\w.-]+)\) \| (.+) \| (\w+)", index, flags=re.M)
    found = []
    for page in sorted((root / "adr").glob("[0-9]*.md"))[1:]:
        head = _ADR.match(page.read_text(encoding="utf-8"))
        assert head, f"{page.name} does not begin with its title"
        assert int(page.name[:4]) == int(head[1])
        found.append((page.name[:4], page.name, head[2], head[3]))

    assert rows == found
    assert len({number for number, *_ in rows}) == len(rows)
