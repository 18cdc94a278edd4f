"""Base64 and JSON as strangers send them in headers: read leniently where that is harmless, written in one form."""

from __future__ import annotations

import base64
import binascii
import json
import math
import re
from collections.abc import Mapping
from typing import Any, NoReturn

LONGEST = 16 * 1024
"""Characters of one encoded value: more than any wallet sends, and far less than what a request head may have."""
DEEPEST = 24
"""Levels of nesting. Payments have four."""

_STANDARD = re.compile(r"[A-Za-z0-9+/]*")
_URL_SAFE = re.compile(r"[A-Za-z0-9_-]*")

Object = dict[str, Any]


class Malformed(Exception):
    """It can't be read; why, as the rest of a sentence that may be shown to whoever sent it."""


def read_base64(text: str) -> bytes:
    """The bytes of base64 in either alphabet, padded or not (RFC 4648 sections 4 and 5). Raises `Malformed`."""
    if len(text) > LONGEST:
        raise Malformed(f"is longer than {LONGEST} characters")
    bare = text.strip().rstrip("=")
    if not (_STANDARD.fullmatch(bare) or _URL_SAFE.fullmatch(bare)):
        raise Malformed("is no base64")
    try:
        return base64.urlsafe_b64decode(bare.replace("+", "-").replace("/", "_") + "=" * (-len(bare) % 4))
    except (binascii.Error, ValueError):
        raise Malformed("is no base64") from None


def read_object(data: bytes) -> Object:
    """A JSON object in which no key stands twice. Raises `Malformed`."""
    try:
        value = json.loads(data.decode("utf-8"), object_pairs_hook=_object, parse_constant=_refuse, parse_float=_finite)
    except (RecursionError, ValueError):  # a UnicodeDecodeError is one, too
        raise Malformed("is no JSON in which every key stands once") from None
    if not isinstance(value, dict):
        raise Malformed("is no JSON object")
    _check(value)
    return value


def write_object(value: Mapping[str, Any]) -> bytes:
    """The object as compact JSON, keys in the order they stand, without those that are None."""
    return json.dumps(without_nulls(value), ensure_ascii=False, separators=(",", ":")).encode()


def without_nulls(value: Any) -> Any:
    """The same without keys whose value is None, at every level: other implementations refuse `null` where they take
    nothing at all."""
    if isinstance(value, Mapping):
        return {key: without_nulls(each) for key, each in value.items() if each is not None}
    return [without_nulls(each) for each in value] if isinstance(value, list | tuple) else value


def canonical(value: Mapping[str, Any]) -> bytes:
    """The object in its one canonical form (RFC 8785), for objects of texts, integers, truth values and lists.

    Keys are sorted as UTF-16 (RFC 8785 section 3.2.3), which is not the order of code points.
    """
    return json.dumps(_sorted(value), ensure_ascii=False, separators=(",", ":")).encode()


def text(value: Mapping[str, Any], name: str) -> str:
    """A text of an object that must be there. Raises `Malformed`."""
    found = value.get(name)
    if not isinstance(found, str) or not found:
        raise Malformed(f"has no text {name!r}")
    return found


def optional_text(value: Mapping[str, Any], name: str) -> str:
    """A text of an object; empty where it is not there or null. Raises `Malformed`."""
    found = value.get(name)
    if found is not None and not isinstance(found, str):
        raise Malformed(f"has no text for {name!r}")
    return found or ""


def obj(value: Mapping[str, Any], name: str) -> Object:
    """An object of an object that must be there. Raises `Malformed`."""
    found = value.get(name)
    if not isinstance(found, dict):
        raise Malformed(f"has no object {name!r}")
    return found


def _object(pairs: list[tuple[str, Any]]) -> Object:
    made = dict(pairs)
    if len(made) != len(pairs):
        raise ValueError("a key stands in it twice")
    return made


def _refuse(written: str) -> NoReturn:
    raise ValueError(written)


def _finite(written: str) -> float:
    number = float(written)
    if not math.isfinite(number):  # 1e999: it could not be written as JSON again
        raise ValueError(written)
    return number


def _check(value: Object) -> None:
    """Depth and characters, level by level, without recursion: half a character can be written by nobody again."""
    level: list[Any] = [value]
    for _ in range(DEEPEST):
        below: list[Any] = []
        for each in level:
            below += [*each, *each.values()] if isinstance(each, dict) else each
        if any(isinstance(each, str) and not _is_whole(each) for each in below):
            raise Malformed("has half a character")
        level = [each for each in below if isinstance(each, dict | list)]
        if not level:
            return
    raise Malformed(f"is nested more than {DEEPEST} levels deep")


def _is_whole(each: str) -> bool:
    return not any("\ud800" <= character <= "\udfff" for character in each)


def _sorted(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _sorted(value[key]) for key in sorted(value, key=lambda name: name.encode("utf-16-be"))}
    return [_sorted(each) for each in value] if isinstance(value, list | tuple) else value
