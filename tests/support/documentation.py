"""The code blocks of README, CONTRIBUTING and docs/."""

import re
from pathlib import Path

from support import ROOT

PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
_BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def blocks(language: str, *pages: Path) -> list[tuple[str, str]]:
    """Return the blocks of a language, each with the name of its page; of all pages by default."""
    return [
        (page.name, code)
        for page in pages or PAGES
        for found, code in _BLOCK.findall(page.read_text(encoding="utf-8"))
        if found == language
    ]


def commands() -> list[str]:
    """Return every command of the bash blocks, continued lines joined."""
    joined = (code.replace("\\\n", " ") for _, code in blocks("bash"))
    return [line.strip() for code in joined for line in code.split("\n") if line.strip()]
