"""Templates that an owner puts in the place of ours, and what can be wrong with them.

A file takes the place of ours with its name; the others stay ours. `{% extends "ours/offer.html" %}` builds upon ours.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

from jinja2 import BaseLoader, ChoiceLoader, Environment, FileSystemLoader, PackageLoader, PrefixLoader
from jinja2.exceptions import TemplateSyntaxError
from jinja2.meta import find_undeclared_variables

OURS = "ours"
"""What stands before the name of a template of ours that has been replaced."""
STYLE = "style.css"


@dataclass(frozen=True, slots=True)
class TemplateProblem:
    """Something that is wrong with an owner's template."""

    file: Path
    line: int
    """0 where it is the file as a whole."""
    message: str
    is_error: bool = True


def loader(folder: str) -> BaseLoader:
    """The owner's templates before ours; ours alone without a folder."""
    ours = PackageLoader("gateway.web")
    own: list[BaseLoader] = [FileSystemLoader(folder)] if folder else []
    return ChoiceLoader([*own, ours, PrefixLoader({OURS: ours})])


def style_sheet(folder: str) -> str:
    """The owner's style sheet, or ours."""
    own = Path(folder) / STYLE
    if folder and own.is_file():
        return own.read_text("utf-8")
    return files("gateway.web").joinpath(f"templates/{STYLE}").read_text("utf-8")


def names() -> frozenset[str]:
    """The files that can be replaced."""
    there = files("gateway.web").joinpath("templates").iterdir()
    return frozenset(each.name for each in there if each.name.endswith(".html")) | {STYLE}


def problems_of(folder: Path, environment: Environment) -> Iterator[TemplateProblem]:
    """What is wrong with the templates of this folder, as `environment` reads them."""
    if not folder.is_dir():
        yield TemplateProblem(folder, 0, "there is no such folder: make it, or drop `offer.templates`")
        return
    known = frozenset().union(*(_asked_for(environment, _text_of_ours(name)) for name in names() - {STYLE}))
    for file in sorted(each for each in folder.rglob("*") if each.is_file() and not each.name.startswith(".")):
        yield from _problems_of_file(folder, file, environment, known)


def _problems_of_file(
    folder: Path, file: Path, environment: Environment, known: frozenset[str]
) -> Iterator[TemplateProblem]:
    name = file.relative_to(folder).as_posix()
    if name not in names():
        near = difflib.get_close_matches(name, names(), 1)
        meant = f"did you mean {near[0]}?" if near else f"there are {', '.join(sorted(names()))}"
        # It may well be included by one that has a place.
        yield TemplateProblem(file, 0, f"takes the place of no template of ours: {meant}", is_error=False)
    try:
        text = file.read_text("utf-8")
    except UnicodeDecodeError:
        yield TemplateProblem(file, 0, "is not UTF-8: save it in UTF-8")
        return
    if name == STYLE:
        if "</style" in text.lower():
            yield TemplateProblem(file, 0, "has `</style` in it, which would end the style sheet: take it out")
        return
    try:
        unknown = _asked_for(environment, text) - known
    except TemplateSyntaxError as error:
        yield TemplateProblem(file, error.lineno, str(error.message))
        return
    for each in sorted(unknown):
        yield TemplateProblem(file, 0, f"uses {each!r}, which no page is given", is_error=False)


def _asked_for(environment: Environment, text: str) -> frozenset[str]:
    """What a template wants to be given. Raises `TemplateSyntaxError`."""
    return frozenset(find_undeclared_variables(environment.parse(text)))


def _text_of_ours(name: str) -> str:
    return files("gateway.web").joinpath(f"templates/{name}").read_text("utf-8")
