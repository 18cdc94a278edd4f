"""The sentences of a language: a gettext catalogue, read from its `.po` file.

The files are read as they are, once for a process: there is nothing to compile, and nothing that could be outdated.
"""

from __future__ import annotations

import io
from functools import lru_cache
from gettext import GNUTranslations, NullTranslations
from importlib.resources import files

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

SOURCE = "en"
"""The language that the sentences are written in: it needs no catalogue."""


def phrase(text: str) -> str:
    """Mark a text that is said later, by `Language.say`, as one to be translated."""
    return text


def phrases(one: str, many: str) -> tuple[str, str]:
    """The same of a text with a number in it, for `Language.count`."""
    return one, many


def in_context(context: str, text: str) -> str:
    """The same of a text that has a translation of its own in this context, for `Language.own`."""
    return text


@lru_cache
def catalogue(tag: str) -> NullTranslations:
    """The sentences of the language with this tag. Raises `FileNotFoundError` where there is none."""
    if tag == SOURCE:
        return NullTranslations()
    source = files("gateway.language").joinpath(f"catalogues/{tag}.po").read_bytes()
    compiled = io.BytesIO()
    write_mo(compiled, read_po(io.BytesIO(source), locale=tag, abort_invalid=True))
    compiled.seek(0)
    return GNUTranslations(compiled)
