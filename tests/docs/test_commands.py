"""docs/commands.md has every command with every option, and none that is not there."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from cyclopts import App

from gateway.cli.main import app

from .page import PAGES, blocks, codes, read, rows, sections

GIVEN = {"--help", "-h", "--version"}
SECTIONS = {title: body for title, body in sections(read("commands.md")).items() if title.startswith("paywall ")}
TYPED = re.compile(r"(?:^|\s|/)paywall ((?:subject |ledger |holds |payments |wallet )?[a-z]+)(.*)", re.MULTILINE)


def commands(under: App, words: tuple[str, ...]) -> Iterator[tuple[str, App]]:
    """Every command that does something, with what one types."""
    for name in under:
        if name in GIVEN:
            continue
        found = under[name]
        if any(inner not in GIVEN for inner in found):
            yield from commands(found, (*words, name))
        else:
            yield " ".join((*words, name)), found


COMMANDS = dict(commands(app, ("paywall",)))


def parameters(command: App) -> dict[str, bool]:
    """The parameters of a command by the name that one types, and whether they must be given."""
    return {argument.name: argument.required for argument in command.assemble_argument_collection()}


def told(section: str) -> dict[str, bool]:
    """The parameters of a section, and whether it says that they are required."""
    return {codes(row[0])[0]: row[1].endswith("Required.") for row in rows(section)}


def test_every_command_has_its_section() -> None:
    assert set(SECTIONS) == set(COMMANDS)


@pytest.mark.parametrize("name", COMMANDS)
def test_the_options_are_the_true_ones(name: str) -> None:
    assert told(SECTIONS[name]) == parameters(COMMANDS[name])


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_an_example(name: str) -> None:
    examples = [block.text for block in blocks(read("commands.md")) if block.language == "console"]
    assert any(line.startswith(f"$ {name}") for text in examples for line in text.splitlines())


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_pages_tell_to_type_options_that_there_are(page: Path) -> None:
    assert not unknown_options(page.read_text("utf-8"))


def unknown_options(text: str) -> list[str]:
    """Commands and options in blocks of code and in `code` that do not exist."""
    code = [block.text for block in blocks(text)] + re.findall(r"`([^`\n]+)`", text)
    wrong = []
    for piece in code:
        for name, rest in TYPED.findall(piece):
            command = f"paywall {name}"
            if command in ("paywall subject", "paywall holds"):
                continue
            if command not in COMMANDS:
                wrong.append(command)
                continue
            known = set(parameters(COMMANDS[command])) | GIVEN
            options = re.findall(r"(?<!\S)(--[a-z-]+)", rest.partition("#")[0].partition("|")[0])
            wrong += [f"{command} {option}" for option in options if option not in known]
    return wrong


def test_an_unknown_option_is_noticed() -> None:
    text = "`paywall run --fast` or\n```console\n$ paywall fly\n```\n"
    assert unknown_options(text) == ["paywall fly", "paywall run --fast"]
