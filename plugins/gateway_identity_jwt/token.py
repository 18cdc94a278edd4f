"""A token before its signature is checked: one strict reading, or none.

RFC 7515 (compact serialization), RFC 7519 (4: duplicate claim names), RFC 8725 (3.1, 3.11: algorithms, types).
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import NoReturn

LENGTH_LIMIT = 8 * 1024
"""Bytes. Parsing costs time in proportion and nothing has been proved yet; real tokens are far below."""
_KEY_ID_LIMIT = 256


class Unfit(Exception):
    """A token that must not be believed; its text goes on after "the token ..."."""


@dataclass(frozen=True, slots=True)
class Head:
    """What of the header matters. Keys that a token brings along (`jwk`, `jku`, `x5c`, `x5u`) are not even read."""

    algorithm: str
    key_id: str | None


def read_head(token: bytes, algorithms: Collection[str], types: Collection[str]) -> Head:
    """The head of a well-formed token that an allowed algorithm signed. Raises `Unfit`.

    `types` are lower case. Each segment must be the canonical base64url of its bytes, without padding, and no JSON
    object may name a member twice: else two readers could see two tokens.
    """
    if len(token) > LENGTH_LIMIT:
        raise Unfit("is longer than 8 KiB")
    segments = token.split(b".")
    if len(segments) != 3:
        raise Unfit("is malformed")
    header, _, _ = _object(segments[0]), _object(segments[1]), _bytes(segments[2])
    if "crit" in header or "b64" in header:
        raise Unfit("asks for an extension that is not supported")
    algorithm, key_id = header.get("alg"), header.get("kid")
    if not isinstance(algorithm, str) or algorithm not in algorithms:
        raise Unfit("is signed with an algorithm that is not allowed")
    if not _is_accepted(header.get("typ"), types):
        raise Unfit("is of a type that is not accepted here")
    if not (key_id is None or (isinstance(key_id, str) and 0 < len(key_id) <= _KEY_ID_LIMIT)):
        raise Unfit("is malformed")
    return Head(algorithm, key_id)


def _is_accepted(kind: object, types: Collection[str]) -> bool:
    if kind is None:
        return True
    return isinstance(kind, str) and kind.lower().removeprefix("application/") in types


def _bytes(segment: bytes) -> bytes:
    try:
        content = base64.b64decode(segment + b"=" * (-len(segment) % 4), altchars=b"-_", validate=True)
    except binascii.Error:
        raise Unfit("is malformed") from None
    if base64.urlsafe_b64encode(content).rstrip(b"=") != segment:
        raise Unfit("is malformed")
    return content


def _object(segment: bytes) -> dict[str, object]:
    try:
        value = json.loads(_bytes(segment).decode(), object_pairs_hook=_unique, parse_constant=_refuse)
    except (ValueError, RecursionError):
        raise Unfit("is malformed") from None
    if not isinstance(value, dict):
        raise Unfit("is malformed")
    return value


def _unique(pairs: Sequence[tuple[str, object]]) -> dict[str, object]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise Unfit("names a claim twice")
    return members


def _refuse(constant: str) -> NoReturn:
    raise ValueError(constant)
