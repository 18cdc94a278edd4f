"""The pages are true: what they tell to type exists, their links lead somewhere, the changelog knows the version."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

import pytest

import gateway

from .tree import ROOT, files, place

_FENCE = re.compile(r"^(```+|~~~+).*?^\1\s*$", re.MULTILINE | re.DOTALL)
_COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)
_LINK = re.compile(r"!?\[[^\]]*\]\(\s*<?([^)\s>]+)>?(?:\s+\"[^\"]*\")?\s*\)|^\[[^\]]+\]:\s*(\S+)", re.MULTILINE)
_HEADING = re.compile(r"^#{1,6}\s+(.+?)\s*#*$", re.MULTILINE)
_TYPED = re.compile(r"(?:^|`|\s)(?:\$ )?(make|paywall) ([a-z][a-z-]*)")


def pages() -> list[Path]:
    """Every Markdown page."""
    return [path for path in files() if path.suffix == ".md"]


def told_to_type(text: str) -> set[tuple[str, str]]:
    """The commands in a page's code, as ("make" or "paywall", word)."""
    code = [match[0] for match in _FENCE.finditer(text)] + re.findall(r"`([^`\n]+)`", _FENCE.sub("", text))
    return {(program, word) for piece in code for program, word in _TYPED.findall("\n" + piece)}


def make_targets(makefile: str) -> set[str]:
    """The targets that `make help` lists."""
    return set(re.findall(r"^([a-z-]+):.*## ", makefile, re.MULTILINE))


def anchors(text: str) -> set[str]:
    """The anchors of a page's headings, as code hosts make them."""
    titles = _HEADING.findall(_FENCE.sub("", text))
    return {re.sub(r"[^\w\- ]", "", title.lower()).strip().replace(" ", "-") for title in titles}


def dead_links(page: Path, text: str) -> list[str]:
    """Links of a page to files or headings that are not there; the outer world is not asked."""
    found = []
    for inline, reference in _LINK.findall(_COMMENT.sub("", _FENCE.sub("", text))):
        link = inline or reference
        if re.match(r"[a-z][a-z0-9+.-]*:", link):
            continue
        name, _, anchor = link.partition("#")
        target = (page.parent / name) if name else page
        if name and not target.exists():
            found.append(f"{link}: no such file")
        elif anchor and target.suffix == ".md":
            there = text if target == page else target.read_text(encoding="utf-8")
            if anchor not in anchors(there):
                found.append(f"{link}: no such heading")
    return found


def unknown_commands(typed: Iterable[tuple[str, str]], program: str, known: set[str]) -> list[str]:
    """Commands of `program` that pages tell to type and that do not exist."""
    return sorted(f"{program} {word}" for which, word in typed if which == program and word not in known)


def test_the_changelog_knows_the_version() -> None:
    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert f"## [{gateway.__version__}]" in changelog


@pytest.mark.parametrize("page", pages(), ids=place)
def test_links_lead_somewhere(page: Path) -> None:
    assert not dead_links(page, page.read_text(encoding="utf-8"))


def test_a_dead_link_is_noticed(tmp_path: Path) -> None:
    (tmp_path / "there.md").write_text("# The door, `open`!\n", encoding="utf-8")
    page = tmp_path / "page.md"
    good = "# Here\n[a](there.md#the-door-open) [b](#here) ![c](there.md) [d](https://x.example/)\n[e]: there.md"
    bad = "[a](gone.md) ![b](gone.png) [c](there.md#no-door) [d](#nowhere)\n\n[e]: gone.md\n```\n[f](in-code.md)\n```\n"
    assert not dead_links(page, good)
    assert len(dead_links(page, bad)) == 5


@pytest.mark.parametrize("page", pages(), ids=place)
def test_make_knows_what_pages_tell_to_type(page: Path) -> None:
    targets = make_targets((ROOT / "Makefile").read_text(encoding="utf-8"))
    assert targets
    assert not unknown_commands(told_to_type(page.read_text(encoding="utf-8")), "make", targets)


def test_paywall_knows_what_the_readme_tells_to_type() -> None:
    typed = told_to_type((ROOT / "README.md").read_text(encoding="utf-8"))
    told = sorted(word for program, word in typed if program == "paywall")
    assert told
    command = Path(sys.executable).with_name("paywall")
    asked = subprocess.run([command, "--help"], capture_output=True, text=True, timeout=30, check=False)
    assert asked.returncode == 0, asked.stderr
    assert not unknown_commands(typed, "paywall", set(re.findall(r"[a-z][a-z-]+", asked.stdout)))


def test_a_command_that_does_not_exist_is_noticed() -> None:
    text = "Do `make demo` or\n```\n$ make brew\npaywall run --upstream http://x\n```\nand make sure to `paywall fly`"
    typed = told_to_type(text)
    assert typed == {("make", "demo"), ("make", "brew"), ("paywall", "run"), ("paywall", "fly")}
    assert unknown_commands(typed, "make", {"demo"}) == ["make brew"]
    assert unknown_commands(typed, "paywall", {"run"}) == ["paywall fly"]
