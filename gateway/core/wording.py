"""The languages of the pages, and texts of the owner's in several of them."""

from __future__ import annotations

from collections.abc import Mapping

LANGUAGES = ("en", "de", "es", "id", "ru")
"""The languages that the gateway speaks to people, as tags of BCP 47; English is the one it is written in."""


class Wording(str):
    """A text in one or more languages. Where nobody asks for a language, it is the text in the first of them."""

    def __new__(cls, texts: Mapping[str, str]) -> Wording:
        """Of at least one text, each by its language."""
        self = super().__new__(cls, next(iter(texts.values())))
        self._texts = dict(texts)
        return self

    def in_language(self, tag: str) -> str:
        """The text in this language, or else in the first."""
        return self._texts.get(tag, str(self))

    _texts: Mapping[str, str]


def in_language(text: str, tag: str) -> str:
    """A text as it reads in this language: what was given in one alone stays as it is."""
    return text.in_language(tag) if isinstance(text, Wording) else text
