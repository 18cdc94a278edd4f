"""How applications read a body: emulations of parsers and frameworks, each with its own habits, none of them strict.

Nothing is shared with the gateway's reading. What one of these finds, some application acts on.
"""

from __future__ import annotations

import gzip
import json
import re
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import parse_qsl

Fields = dict[str, Any]
Reader = Callable[[str, str, bytes, str], list[Fields]]
"""Content type, content coding, body, query: one mapping for each item of a batch."""


def last_of_doubled(content_type: str, coding: str, data: bytes, query: str) -> list[Fields]:
    """Python's json, JavaScript, PHP, Ruby."""
    return _items(json.loads(_text(coding, data)))


def first_of_doubled(content_type: str, coding: str, data: bytes, query: str) -> list[Fields]:
    """Some parsers of C, and streaming ones that stop at what they look for."""

    def keep_first(pairs: list[tuple[str, Any]]) -> Fields:
        return dict(reversed(pairs))

    return _items(json.loads(_text(coding, data), object_pairs_hook=keep_first))


def whatever_case(content_type: str, coding: str, data: bytes, query: str) -> list[Fields]:
    """Go's encoding/json and System.Text.Json with its defaults for the web."""
    return [{key.casefold(): value for key, value in item.items()} for item in _items(json.loads(_text(coding, data)))]


def relaxed(content_type: str, coding: str, data: bytes, query: str) -> list[Fields]:
    """JSON5 and its like: comments, and commas before the end."""
    strings = r'("(?:[^"\\]|\\.)*")'
    text = re.sub(strings + r"|/\*.*?\*/|//[^\n]*", r"\1", _text(coding, data), flags=re.DOTALL)
    return _items(json.loads(re.sub(strings + r"|,\s*(?=[}\]])", r"\1", text, flags=re.DOTALL)))


def form(content_type: str, coding: str, data: bytes, query: str) -> list[Fields]:
    """Rack: a form where the request says so, or says nothing."""
    if content_type.partition(";")[0].strip().lower() not in ("", "application/x-www-form-urlencoded"):
        return []
    return [_rack(_text(coding, data))]


def query_wins(content_type: str, coding: str, data: bytes, query: str) -> list[Fields]:
    """Rails: one mapping of the body and the query, in which the query wins."""
    bodies: list[Fields] = [{}]
    for read in (last_of_doubled, form):
        try:
            bodies = read(content_type, coding, data, query) or bodies
            break
        except (ValueError, RecursionError):
            continue
    return [{**body, **_rack(query)} for body in bodies]


def prototype(content_type: str, coding: str, data: bytes, query: str) -> list[Fields]:
    """JavaScript that copies what it got into an object of its own."""
    items = _items(json.loads(_text(coding, data)))
    return [{**item["__proto__"], **item} for item in items if isinstance(item.get("__proto__"), dict)]


READERS: tuple[Reader, ...] = (
    last_of_doubled, first_of_doubled, whatever_case, relaxed, form, query_wins, prototype,
)  # fmt: skip


def everything_read(content_type: str, coding: str, data: bytes, query: str) -> Iterator[Fields]:
    """What all of them find."""
    for read in READERS:
        try:
            yield from read(content_type, coding, data, query)
        except (ValueError, RecursionError, OSError, EOFError):
            continue


def said(fields: Fields, name: str) -> str:
    """The text of a field as JavaScript takes it: a list of one is what it holds."""
    value = fields.get(name)
    while isinstance(value, list) and len(value) == 1:
        value = value[0]
    return value if isinstance(value, str) else ""


def _text(coding: str, data: bytes) -> str:
    plain = gzip.decompress(data) if coding == "gzip" else data
    return plain.decode(json.detect_encoding(plain), "surrogatepass")


def _items(value: Any) -> list[Fields]:
    return [item for item in (value if isinstance(value, list) else [value]) if isinstance(item, dict)]


def _rack(text: str) -> Fields:
    pairs = parse_qsl(text.replace(";", "&"), keep_blank_values=True)
    return {name.removesuffix("[]"): value for name, value in pairs}
