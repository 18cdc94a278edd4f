"""docs/trying-it.md, typed from its first line to its last, against a real gateway."""

from __future__ import annotations

import re
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.free_port import free_port

from .page import Block, blocks, read
from .terminal import Terminal, commands, matches

BLOCKS = blocks(read("trying-it.md"))


@pytest.fixture
def terminal(tmp_path: Path) -> Iterator[Terminal]:
    opened = Terminal(tmp_path, {"PATH": f"{Path(sys.executable).parent}:/usr/local/bin:/usr/bin:/bin"})
    yield opened
    opened.close()


def do(block: Block, terminal: Terminal, ports: dict[str, str], folder: Path) -> None:
    """Do what a block of the page says."""
    text = re.sub(r"\b(?:8080|3000)\b", lambda found: ports[found[0]], block.text)
    if block.mark("file"):
        (folder / block.mark("file")).write_text(text, "utf-8")
    elif "serve" in block.marks:
        ((command, shown),) = commands(text)
        terminal.serve(command, shown)
    else:
        for command, shown in commands(text):
            lines = terminal.type(command)
            assert matches(shown, lines), f"line {block.line}: {command}\n" + "\n".join(lines)


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not on this machine")
def test_the_page_is_true_from_its_first_line_to_its_last(terminal: Terminal, tmp_path: Path) -> None:
    ports = {"8080": str(free_port()), "3000": str(free_port())}
    assert {block.language for block in BLOCKS} == {"console", "yaml"}
    for block in BLOCKS:
        do(block, terminal, ports, tmp_path)


def test_every_block_is_run() -> None:
    assert all("run" in block.marks or "serve" in block.marks or block.mark("file") for block in BLOCKS)


def test_what_is_not_shown_is_noticed() -> None:
    assert matches(["one …", "…", "four"], ["one 1", "two", "three", "four"])
    assert not matches(["one", "…"], ["two", "one"])
    assert not matches([], ["something"])
    assert not matches(["a.c"], ["abc"])


def test_a_command_that_fails_is_noticed(terminal: Terminal) -> None:
    assert terminal.type("printf 'no line end'") == ["no line end"]
    with pytest.raises(AssertionError, match="exit 1"):
        terminal.type("false")
