"""What JSON values are made of, in a few words, without telling the values."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Mapping, Sequence

VALUE_LENGTH = 40
_FIELDS_SHOWN = 12
_FIELDS_LIMIT = 30
"""An object with more members is a dictionary, and its keys are data."""
_FIELD_NAME = re.compile(r"[^\W\d][\w .:-]{0,39}")
_RECORDS_TRIED = 50


def find_records(value: object) -> Sequence[object] | None:
    """The list that the data is about: the value itself, or the longest list of objects right inside of it."""
    if isinstance(value, list):
        return value
    if not isinstance(value, dict):
        return None
    lists = [member for member in value.values() if isinstance(member, list) and member and isinstance(member[0], dict)]
    return max(lists, key=len, default=None)


def field_names(records: Sequence[object]) -> tuple[str, ...]:
    """Names of the fields of the first records, in order; none where the keys look like data themselves."""
    names: dict[str, None] = {}
    for record in records[:_RECORDS_TRIED]:
        if isinstance(record, Mapping):
            if len(record) > _FIELDS_LIMIT:
                return ()
            names.update(dict.fromkeys(record))
    if len(names) > _FIELDS_LIMIT or not all(_FIELD_NAME.fullmatch(name) for name in names):
        return ()
    return tuple(names)[:_FIELDS_SHOWN]


def brief(value: object) -> str:
    """A value in at most `VALUE_LENGTH` characters; of lists and objects only how many they hold."""
    if isinstance(value, dict):
        return f"{{{_count(len(value), 'field')}}}"
    if isinstance(value, list):
        return f"[{_count(len(value), 'item')}]"
    text = value[: VALUE_LENGTH + 1] if isinstance(value, str) else json.dumps(value)
    text = "".join(" " if unicodedata.category(character)[0] == "C" else character for character in text)
    return text if len(text) <= VALUE_LENGTH else text[: VALUE_LENGTH - 1] + "…"


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
