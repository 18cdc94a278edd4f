"""Texts for people, in one language or in several, and the languages there are."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BeforeValidator, Field, ValidatorFunctionWrapHandler, WithJsonSchema, WrapValidator

from gateway.core.wording import LANGUAGES, Wording

NAME_LENGTH = 100
TEXT_LENGTH = 200
_ALLOWED = ", ".join(LANGUAGES)


def _read_texts(value: object, read_one: ValidatorFunctionWrapHandler) -> str:
    """A mapping of languages to texts; anything else is read as one text."""
    if isinstance(value, Wording):
        return value
    if not isinstance(value, dict):
        return str(read_one(value))
    if not value:
        raise ValueError("has no text: write one, or one for each language, like {en: Pro, de: Profi}")
    for tag, text in value.items():
        if tag not in LANGUAGES:
            raise ValueError(f"{tag!r} is no language of the pages: allowed are {_ALLOWED}")
        if not isinstance(text, str):
            raise ValueError(f"must be text in {tag!r}, too: put it into quotes")
        read_one(text)
    return Wording(value)


def _read_languages(value: object) -> tuple[str, ...]:
    if not isinstance(value, list | tuple) or not value:
        raise ValueError("must be a list of languages, the most important first, like [en, de]")
    for tag in value:
        if tag not in LANGUAGES:
            raise ValueError(f"{tag!r} is no language of the pages: allowed are {_ALLOWED}")
        if value.count(tag) > 1:
            raise ValueError(f"names {tag} twice: name each language once, the most important first")
    return tuple(value)


def _schema(longest: int) -> dict[str, Any]:
    text = {"type": "string", "minLength": 1, "maxLength": longest}
    texts = {
        "type": "object",
        "properties": dict.fromkeys(LANGUAGES, text),
        "additionalProperties": False,
        "minProperties": 1,
    }
    return {"anyOf": [text, texts]}


NameField = Annotated[
    str,
    Field(min_length=1, max_length=NAME_LENGTH),
    WrapValidator(_read_texts),
    WithJsonSchema(_schema(NAME_LENGTH)),
]
"""A name in one language or in several: `Pro`, or `{en: Pro, de: Profi}`."""

TextField = Annotated[
    str,
    Field(min_length=1, max_length=TEXT_LENGTH),
    WrapValidator(_read_texts),
    WithJsonSchema(_schema(TEXT_LENGTH)),
]
"""The same of a sentence."""

LanguagesField = Annotated[
    tuple[str, ...],
    BeforeValidator(_read_languages),
    WithJsonSchema(
        {"type": "array", "items": {"enum": list(LANGUAGES)}, "minItems": 1, "uniqueItems": True},
    ),
]
"""Some of `LANGUAGES`, the most important first."""
