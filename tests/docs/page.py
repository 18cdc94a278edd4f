"""The pages of the documentation, as the tests read them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
PAGES = (*sorted(DOCS.rglob("*.md")), *(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "SECURITY.md")))

_FENCE = re.compile(r"^```([a-z]*)((?: [^\n]*)?)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_CODE = re.compile(r"`([^`]+)`")


@dataclass(frozen=True)
class Block:
    """One block of code: its language, the words behind it, its text and the line it begins in."""

    language: str
    marks: tuple[str, ...]
    text: str
    line: int

    def mark(self, name: str) -> str:
        """The value of a mark written `name=value`; empty without it."""
        return next((mark.partition("=")[2] for mark in self.marks if mark.startswith(f"{name}=")), "")


def read(name: str) -> str:
    """A page of docs/."""
    return (DOCS / name).read_text("utf-8")


def blocks(text: str) -> list[Block]:
    """Every block of code of a page, in order."""
    return [
        Block(found[1], tuple(found[2].split()), found[3], text.count("\n", 0, found.start()) + 2)
        for found in _FENCE.finditer(text)
    ]


def prose(text: str) -> str:
    """The page without its blocks of code."""
    return _FENCE.sub("", text)


def rows(text: str) -> list[list[str]]:
    """The cells of every row of every table, heads and rules left out."""
    found: list[list[str]] = []
    lines = prose(text).split("\n")
    for number, line in enumerate(lines):
        is_rule = set(line) <= set("|- :")
        is_head = number + 1 < len(lines) and lines[number + 1].startswith("|--")
        if line.startswith("|") and not is_rule and not is_head:
            found.append([cell.strip() for cell in re.split(r"(?<!\\)\|", line.strip().strip("|"))])
    return found


def sections(text: str) -> dict[str, str]:
    """The page in parts: by heading of the second level and deeper, the text up to the next heading."""
    parts = re.split(r"^#{2,} (.+)$", prose(text), flags=re.MULTILINE)
    return {title.strip(): body for title, body in zip(parts[1::2], parts[2::2], strict=True)}


def codes(cell: str) -> list[str]:
    """What stands in `code` in a cell."""
    return _CODE.findall(cell)
