"""Path patterns of routes: their syntax, and when one covers another.

`{name}` stands for one segment or a part of one (`{name}.csv`), `**` as a whole segment for any number of segments,
none included. Matching is done on the decoded path, so patterns are written decoded too.
"""

from __future__ import annotations

import re
from functools import lru_cache

MAX_LENGTH = 500

_FIELD = re.compile(r"\{([^{}]*)\}")
_FIELD_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")

_WRONG_CHARACTERS = {
    "?": "has a '?': conditions on the query stand under `query`",
    "#": "has a '#', which no path can have",
    "%": "has a '%': write the character itself, matching is done on the decoded path",
    ";": "has a ';': such a path has more than one reading and never matches a route",
    "\\": "has a backslash: segments are separated by '/'",
}


def check_pattern(pattern: str) -> str:
    """The pattern itself. Raises `ValueError` that says what is wrong and what is allowed."""
    if not pattern.startswith("/"):
        raise ValueError(f"{pattern!r} does not begin with '/': write it like /files/** or /reports/{{id}}")
    if len(pattern) > MAX_LENGTH:
        raise ValueError(f"the pattern has more than {MAX_LENGTH} characters")
    for character, complaint in _WRONG_CHARACTERS.items():
        if character in pattern:
            raise ValueError(f"{pattern!r} {complaint}")
    if not pattern.isprintable():
        raise ValueError(f"{pattern!r} has a character that can't be printed")
    segments = pattern[1:].split("/")
    for position, segment in enumerate(segments):
        if segment == "" and position < len(segments) - 1:
            raise ValueError(f"{pattern!r} has an empty segment ('//')")
        _check_segment(pattern, segment)
    names = _FIELD.findall(pattern)
    doubled = next((name for name in names if names.count(name) > 1), None)
    if doubled is not None:
        raise ValueError(f"{pattern!r} has the name {{{doubled}}} twice")
    return pattern


def _check_segment(pattern: str, segment: str) -> None:
    if segment == "**":
        return
    if segment in (".", ".."):
        raise ValueError(f"{pattern!r} has a {segment!r} segment: write the path that is meant")
    if "**" in segment:
        raise ValueError(f"{pattern!r}: '**' must be a whole segment, like /files/**; for a part of one write {{name}}")
    if "*" in segment:
        raise ValueError(f"{pattern!r}: '*' is no wildcard here: write {{name}} for one segment, ** for any number")
    rest = _FIELD.sub("", segment)
    if "{" in rest or "}" in rest:
        raise ValueError(f"{pattern!r} has a brace without its partner: write {{name}}")
    if "}{" in segment:
        raise ValueError(f"{pattern!r} has two names side by side: put something between them")
    for name in _FIELD.findall(segment):
        if _FIELD_NAME.fullmatch(name) is None:
            raise ValueError(f"{pattern!r}: {{{name}}} is not a name: use letters, digits and '_', like {{id}}")


def covers(general: str, special: str) -> bool:
    """Whether every path of `special` is certainly one of `general` too. Both must be sound patterns.

    True is always right; False may mean that it is not certain.
    """
    return _covers(tuple(general[1:].split("/")), tuple(special[1:].split("/")))


@lru_cache(maxsize=8192)
def _covers(general: tuple[str, ...], special: tuple[str, ...]) -> bool:
    if not general:
        return not special
    if general[0] == "**":
        return general == ("**",) or _covers(general[1:], special) or (bool(special) and _covers(general, special[1:]))
    if not special or special[0] == "**":
        return False
    return _segment_covers(general[0], special[0]) and _covers(general[1:], special[1:])


@lru_cache(maxsize=8192)
def _segment_covers(general: str, special: str) -> bool:
    if general == special:
        return True
    if "{" not in general or not special:
        return False
    # A name takes at least one character, any but '/'. A name in the special segment is such a character too, and
    # U+FFFF, which no sound path has, stands for it: only another name can take it.
    literals = [re.escape(piece) for piece in _FIELD.sub("\0", general).split("\0")]
    return re.fullmatch("[^/]+".join(literals), _FIELD.sub("\uffff", special), re.DOTALL) is not None
