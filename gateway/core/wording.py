"""The languages of the pages, and texts of the owner's in several of them."""

from __future__ import annotations

import re
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


class Phrasebook:
    """The sentences of a plugin's own pages: written in English, and known in other languages."""

    def __init__(self, translations: Mapping[str, Mapping[str, str]]) -> None:
        """By the English sentence, its translations by language."""
        self._translations = translations

    def say(self, tag: str, sentence: str, **values: object) -> str:
        """A sentence in this language, its `%(name)s` filled in; in English where it is not known."""
        text = self._translations.get(sentence, {}).get(tag, sentence)
        return text % values if values else text

    def speaks(self, tag: str) -> str:
        """The language that a page is in which is asked for in this one: `de` for `de-AT`, English where none fits."""
        base = tag.partition("-")[0].lower()
        return base if all(base in known for known in self._translations.values()) else "en"

    def gaps(self, tag: str) -> list[str]:
        """The sentences that are not known in this language, or are filled in otherwise there."""
        return [
            sentence
            for sentence, known in self._translations.items()
            if sorted(_NAMES.findall(known.get(tag, ""))) != sorted(_NAMES.findall(sentence)) or not known.get(tag)
        ]


_NAMES = re.compile(r"%\(\w+\)s")
