"""What every verb's file promises to its reader."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import gateway.store
from gateway.store.transport.script import Script

ROOM = Path(gateway.store.__file__).parent
VERBS = sorted((ROOM / "verbs").glob("*.lua"))


@pytest.mark.parametrize("path", VERBS, ids=lambda path: path.stem)
def test_a_verb_says_what_it_promises_and_is_used(path: Path) -> None:
    head = path.read_text().split("--@include")[0]
    for part in ("-- Promises: ", "-- KEYS: ", "-- ARGV: ", "-- Answers: "):
        assert part in head
    assert any(f'Script.read("{path.stem}")' in code.read_text() for code in ROOM.rglob("*.py"))


@pytest.mark.parametrize("path", VERBS, ids=lambda path: path.stem)
def test_a_verb_uses_every_declared_key_and_argument_and_no_other(path: Path) -> None:
    text = Script.read(path.stem).text
    assert "@include" not in text
    head = "".join(line for line in path.read_text().splitlines(keepends=True) if line.startswith("--"))
    declared = re.search(r"-- KEYS: (.*)", head)
    assert declared is not None
    used = [int(place) for place in re.findall(r"KEYS\[(\d+)\]", text)]
    assert max(used) <= len(declared[1].split(","))
