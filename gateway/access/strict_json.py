"""JSON as every parser reads it, or the reason why parsers differ.

What stands in two places, or in none that a parser must accept, is read one way by the gateway and another way by the
application. So everything of which that is known is refused here: keys that stand twice, half characters, byte order
marks, `NaN`, nesting deeper than some parsers go, keys that JavaScript gives a meaning of its own.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from typing import Any, NoReturn

DEEPEST = 64
"""Levels of nesting: the least that a widely used parser allows (System.Text.Json)."""

_NO_JSON = "it is no JSON that every parser reads alike"
_TOO_DEEP = f"it is nested more than {DEEPEST} levels deep"


_OF_DEPTH = re.compile(r'"(?:[^"\\]|\\.)*+"?|[\[\]{}]', re.DOTALL)


class Unclear(Exception):
    """It can't be read, or in more than one way; why, as the rest of a sentence."""


def read_json(data: bytes) -> Any:
    """The value. Raises `Unclear`."""
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        raise Unclear("it is not UTF-8") from None
    return parse_json(text)


def parse_json(text: str) -> Any:
    """The value. Raises `Unclear`."""
    may_be_deep = text.count("{") + text.count("[") > DEEPEST
    if may_be_deep and _depth(text) > DEEPEST:
        raise Unclear(_TOO_DEEP)
    try:
        value = json.loads(text, object_pairs_hook=_object, parse_constant=_refuse_constant)
    except RecursionError:
        raise Unclear(_TOO_DEEP) from None
    except ValueError:
        raise Unclear(_NO_JSON) from None
    if "\\u" in text or may_be_deep:
        _check(value)
    return value


def _depth(text: str) -> int:
    """How deep it is nested, without recursion: the parser's own guard is as good as the limit that some library may
    have set for the whole process. Of what is no JSON it is at least as deep as a parser gets."""
    depth = deepest = 0
    for found in _OF_DEPTH.finditer(text):
        mark = found[0]
        if mark in ("{", "["):
            depth += 1
            deepest = max(deepest, depth)
        elif mark in ("}", "]"):
            depth -= 1
    return deepest


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) != len(pairs):
        raise Unclear("a key stands in it twice")
    if "__proto__" in made:
        raise Unclear("it has the key '__proto__', which some applications follow")
    return made


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(name)


def _check(value: Any) -> None:
    """Depth and characters, level by level: without recursion, whatever was sent."""
    level = [value] if isinstance(value, dict | list) else [[value]]
    for _ in range(DEEPEST):
        below: list[Any] = []
        for each in level:
            if isinstance(each, dict):
                _check_texts(each)
                below += each.values()
            else:
                below += each
        _check_texts(below)
        level = [each for each in below if isinstance(each, dict | list)]
        if not level:
            return
    raise Unclear(_TOO_DEEP)


def _check_texts(values: Iterable[object]) -> None:
    for each in values:
        if isinstance(each, str):
            _check_text(each)


def _check_text(text: str) -> None:
    if "\0" in text:
        raise Unclear("it has a NUL character, at which some systems end a text")
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        raise Unclear("it has half a character, which systems read differently") from None
