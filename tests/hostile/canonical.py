"""Which request targets have exactly one reading: the rig's own statement of the rule, independent of the gateway's.

A gateway may show an expired subject only what such a target names, and only if that is no result.
"""

from __future__ import annotations

import re
import unicodedata
from urllib.parse import unquote_to_bytes

_PLAIN = re.compile(rb"/[A-Za-z0-9\-._~!$&'()*+,=:@/%]*")
_BAD_ESCAPE = re.compile(rb"%(?![0-9A-Fa-f]{2})")
_ESCAPE = re.compile(rb"%([0-9A-Fa-f]{2})")
_NEVER_ESCAPED = frozenset(
    b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~/\\%;?#\x7f"
) | frozenset(range(32))
_RESULT = re.compile(r"/api/result(/[^/]*)?")


def has_one_reading(target: bytes) -> bool:
    """True when every server that follows any of the known conventions reads this target's path alike."""
    path = target.partition(b"?")[0]
    if b"#" in target or not _PLAIN.fullmatch(path) or _BAD_ESCAPE.search(path):
        return False
    if any(int(pair, 16) in _NEVER_ESCAPED for pair in _ESCAPE.findall(path)):
        return False
    segments = path.split(b"/")[1:]
    if b"" in segments[:-1] or {b".", b".."} & set(segments):
        return False
    try:
        text = unquote_to_bytes(path).decode()
    except UnicodeDecodeError:
        return False
    return not any(_imitates(character) for character in text)


def _imitates(character: str) -> bool:
    """Some server may take this character for an ASCII one, or for none at all."""
    if character.isascii():
        return False
    folded = unicodedata.normalize("NFKC", character)
    return unicodedata.category(character) in ("Cc", "Cf", "Cn", "Co") or folded.isascii() or "/" in folded


def names_result(target: bytes) -> bool:
    """True when a target with one reading names the result route, as the most forgiving router would match it."""
    path = unquote_to_bytes(target.partition(b"?")[0]).decode()
    return _RESULT.fullmatch(path.casefold().rstrip("/ .")) is not None
