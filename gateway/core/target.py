"""One canonical reading of a request's path, or the reason why it has more than one.

Frameworks disagree on what a path means: some decode `%2f`, some ignore case, some merge slashes, some drop what
follows a semicolon. Normalising alone can't tell which of them stands behind the gateway, and every system that matched
one form and forwarded another was bypassed that way. So the path is never rewritten; it is judged: either it has one
reading on every framework, or it is *ambiguous*, and an ambiguous path counts as a result for whoever has no right to
results. Whoever has one gets it forwarded byte for byte.

The alphabet is RFC 3986 section 3.3 without `;`, whose meaning differs between frameworks.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache

_PLAIN = re.compile(rb"(?:/[A-Za-z0-9_\-~!$&'()*+,=:@][A-Za-z0-9._\-~!$&'()*+,=:@]*)*/?")
"""Paths that can be read in one way only, without an escape: most of them, so they take a short way."""

_ALLOWED = re.compile(rb"[A-Za-z0-9\-._~!$&'()*+,=:@/%]*")
_ESCAPE = re.compile(rb"%([0-9A-Fa-f]{2})?")
_UNRESERVED = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")
_STRUCTURAL = frozenset(b"/\\.%;?#")
_ENCODED_SLASH = re.compile(rb"%2[Ff]")
_SLASH = b"%2F"
_SAFE_RAW = _UNRESERVED | frozenset(b"!$&'()*+,=:@/")

_REMEMBERED_BYTES = 256
"""Longer paths are read anew each time: thousands of the longest must not fill the memory."""


@dataclass(frozen=True, slots=True)
class Reading:
    """How a path is read for matching."""

    path: str
    """Decoded once."""
    folded: str
    """`path` with case folded, as lenient frameworks compare it."""
    ambiguous: str = ""
    """Why the path has more than one reading, as the rest of a sentence; empty when it has one."""


def read_path(raw: bytes, allow_encoded_slash: bool = False) -> Reading:
    """Read the path of a target as it came, without query. Never raises.

    `allow_encoded_slash` accepts `%2F` as a plain character of a segment, for applications that put such names into
    their paths and are known to keep them apart. It then stays undecoded, so that it parts no segments here either.
    """
    if len(raw) > _REMEMBERED_BYTES:
        return _read(raw, allow_encoded_slash)
    return _read_and_remember(raw, allow_encoded_slash)


def _read(raw: bytes, allow_encoded_slash: bool) -> Reading:
    if _PLAIN.fullmatch(raw) and raw:
        path = raw.decode("ascii")
        return Reading(path, fold(path))
    decoded = _SLASH.join(map(_decode, _ENCODED_SLASH.split(raw))) if allow_encoded_slash else _decode(raw)
    path = decoded.decode("utf-8", "replace")
    return Reading(path, fold(path), _why_ambiguous(raw, decoded, allow_encoded_slash))


_read_and_remember = lru_cache(maxsize=4096)(_read)


def _decode(raw: bytes) -> bytes:
    return _ESCAPE.sub(lambda found: bytes([int(found[1], 16)]) if found[1] else b"%", raw)


def _why_ambiguous(raw: bytes, decoded: bytes, allow_encoded_slash: bool) -> str:
    if not raw.startswith(b"/"):
        return "it does not begin with a slash"
    if _ALLOWED.fullmatch(raw) is None:
        return "it has a byte that must be escaped in a path"
    return (
        _why_escapes_ambiguous(raw, allow_encoded_slash)
        or _why_segments_ambiguous(raw)
        or _why_characters_ambiguous(decoded)
    )


def _why_escapes_ambiguous(raw: bytes, allow_encoded_slash: bool) -> str:
    for found in _ESCAPE.finditer(raw):
        digits = found[1]
        if digits is None:
            return "it has a percent sign that begins no escape"
        byte = int(digits, 16)
        if byte == 0x2F and allow_encoded_slash:
            continue
        if byte in _STRUCTURAL:
            return f"it escapes {chr(byte)!r}, which separates parts of an address"
        if byte in _UNRESERVED:
            return f"it escapes {chr(byte)!r}, which needs none"
        if byte < 0x20 or byte == 0x7F:
            return "it escapes a control character"
    return ""


def _why_segments_ambiguous(raw: bytes) -> str:
    segments = raw.split(b"/")[1:]
    if b"." in segments or b".." in segments:
        return "it has a '.' or '..' segment"
    if b"" in segments[:-1]:
        return "it has an empty segment"
    return ""


def _why_characters_ambiguous(decoded: bytes) -> str:
    try:
        path = decoded.decode("utf-8")
    except UnicodeDecodeError:
        return "it is not UTF-8"
    for character in path:
        if character.isascii():
            continue
        if unicodedata.category(character)[0] == "C":
            return f"it has the invisible character U+{ord(character):04X}"
        spellings = (*unicodedata.normalize("NFKC", character), character.lower())
        if any(spelling.isascii() for spelling in spellings):
            return f"it has {character!r}, which some systems read as a plain letter or sign"
    return ""


def fold(text: str) -> str:
    """Text without case, as the most lenient framework compares it.

    Python's `re.IGNORECASE` takes both letters that Turkish has for i, with its dot and without, for an i; addresses in
    Turkish are full of them, so that they are folded here, not held to be ambiguous.
    """
    return text.replace("\u0130", "i").casefold().replace("\u0131", "i")


def canonical_form(raw: bytes) -> bytes | None:
    """The canonical spelling of an ambiguous path, to send a browser to; None when it has none.

    Resolves dot segments and empty segments, drops needless escapes, escapes what must be. The result always begins
    with exactly one slash, so that it can't name another host.
    """
    decoded = _decode(raw)
    if not decoded.startswith(b"/") or b"%" in decoded or b"\\" in decoded or b";" in decoded:
        return None
    segments: list[bytes] = []
    pieces = decoded.split(b"/")
    for piece in pieces:
        if piece == b"..":
            segments = segments[:-1]
        elif piece not in (b"", b"."):
            segments.append(piece)
    path = b"/" + b"/".join(segments)
    if segments and pieces[-1] in (b"", b".", b".."):
        path += b"/"
    spelled = b"".join(bytes([byte]) if byte in _SAFE_RAW else b"%%%02X" % byte for byte in path)
    return spelled if spelled != raw and not read_path(spelled).ambiguous else None
