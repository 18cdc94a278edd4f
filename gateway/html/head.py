"""Which answers are pages that may be changed, what to ask for to get one, and the head of one that is changed."""

from __future__ import annotations

import re

from gateway.core.header import Headers, media_type_of

_CHARSET = re.compile(rb";\s*charset\s*=\s*\"?([^\s\";]*)", re.IGNORECASE)
_READABLE_CHARSETS = re.compile(
    rb"utf-?8|us-ascii|ascii|latin-?1|iso-?8859-?\d{1,2}(?:-[ie])?|(?:windows|cp)-?(?:125[0-8]|874|866)|ibm-?866|koi8-[ru]"
    rb"|macintosh|x-mac-cyrillic|shift[_-]jis|sjis|windows-31j|euc-jp|euc-kr|gb2312|gbk|gb18030|big5(?:-hkscs)?|tis-620",
    re.IGNORECASE,
)
"""Character sets in which ASCII is ASCII, and in which no part of another character looks like `<`."""
_GZIP = frozenset({b"gzip", b"x-gzip"})
_OUTDATED = frozenset(
    {
        b"etag", b"last-modified", b"content-md5", b"digest", b"content-digest", b"repr-digest", b"expires", b"age",
        b"content-length", b"accept-ranges", b"cache-control", b"cdn-cache-control", b"surrogate-control",
    }
)  # fmt: skip
"""Headers that speak of the bytes as they were, or of how long they are good."""


def coding_to_ask_for(accept_encoding: bytes) -> bytes:
    """What to send as `Accept-Encoding` to get a page that can be changed."""
    for part in accept_encoding.lower().split(b","):
        coding, _, parameter = part.partition(b";")
        if coding.strip() in _GZIP:
            return b"identity" if _is_zero(parameter) else b"gzip"
    return b"identity"


def _is_zero(parameter: bytes) -> bool:
    name, _, value = parameter.partition(b"=")
    return name.strip() == b"q" and not value.strip().strip(b"0.")


def is_changeable(status: int, headers: Headers) -> bool:
    """Whether this is the head of an answer to GET that is a whole page, sent to be looked at, in bytes we can read,
    that nobody has forbidden to change (`no-transform`, RFC 9110 section 7.7)."""
    types = [value for name, value in headers if name == b"content-type"]
    if status != 200 or len(types) != 1 or media_type_of(types[0]) != "text/html":
        return False
    charset = _CHARSET.search(types[0])
    if charset is not None and charset[1] and _READABLE_CHARSETS.fullmatch(charset[1]) is None:
        return False
    names = {name for name, _ in headers}
    if b"content-disposition" in names or b"content-range" in names or forbids_change(headers):
        return False
    return coding_of(headers) in (b"", b"gzip")


def forbids_change(headers: Headers) -> bool:
    """Whether `Cache-Control` says so, of a request or of an answer."""
    return b"no-transform" in _directives(headers)


def _directives(headers: Headers) -> set[bytes]:
    """What `Cache-Control` says, in lower case."""
    control = b",".join(value for name, value in headers if name == b"cache-control").lower()
    return {directive.strip() for directive in control.split(b",")}


def coding_of(headers: Headers) -> bytes:
    """The content codings, in lower case: `b""` for none, `b"gzip"` for gzip alone."""
    codings = [
        coding.strip().lower()
        for name, value in headers
        if name == b"content-encoding"
        for coding in value.split(b",")
        if coding.strip().lower() not in (b"", b"identity")
    ]
    return b"gzip" if len(codings) == 1 and codings[0] in _GZIP else b",".join(codings)


def changed_head(headers: Headers, vary: str) -> Headers:
    """The head of a page that was changed for one subject. `vary` names what the identity of a subject depends on.

    A browser may keep it, for going back, but must ask for it anew: what was put in is true for now. As it has no
    validator any more, the answer to that is never "you have it already".
    """
    kept = [pair for pair in headers if pair[0] not in _OUTDATED]
    never = b", no-store" if _directives(headers) & {b"no-store"} else b""
    varies = filter(None, (b"Accept, Accept-Encoding, Sec-Fetch-Dest, Sec-Fetch-Mode", vary.encode("ascii")))
    return [
        *kept,
        (b"cache-control", b"private, no-cache" + never),
        (b"accept-ranges", b"none"),
        (b"vary", b", ".join(varies)),
    ]
