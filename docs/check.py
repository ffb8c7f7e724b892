"""Checks the Markdown files: every link inside the repository leads to a file and a heading that exist."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parent.parent
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
FENCE = re.compile(r"^(```|~~~).*?^\1", re.MULTILINE | re.DOTALL)


def problems(page: Path) -> Iterator[str]:
    """Links of a page that lead nowhere, each with its line."""
    for number, line in enumerate(_prose(page).splitlines(), 1):
        for target in LINK.findall(line):
            if not re.match(r"[a-z]+:", target) and not _leads_somewhere(page, target):
                yield f"{page.relative_to(ROOT)}:{number}: {target} does not exist"


def _leads_somewhere(page: Path, target: str) -> bool:
    path, _, anchor = target.partition("#")
    file = page if not path else page.parent / path
    return file.exists() and (not anchor or anchor in _anchors(file))


def _anchors(page: Path) -> set[str]:
    titles = re.findall(r"^#+ +(.+?) *$", _prose(page), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


def _prose(page: Path) -> str:
    """The text with fenced blocks blanked, so that line numbers stay."""
    return FENCE.sub(lambda block: "\n" * block[0].count("\n"), page.read_text(encoding="utf-8"))


def pages() -> list[Path]:
    """Every Markdown file of the project: those in no hidden folder."""
    found = (page.relative_to(ROOT) for page in ROOT.rglob("*.md"))
    return [ROOT / page for page in sorted(found) if not any(part.startswith(".") for part in page.parts)]


if __name__ == "__main__":
    found = [problem for page in pages() for problem in problems(page)]
    print("\n".join(found) if found else f"docs: {len(pages())} pages, every link leads somewhere")
    sys.exit(bool(found))
