"""Form fields of a request's body, in the two ways that forms are sent."""

from __future__ import annotations

import re

from gateway.access.parameters import SURELY_READ, Pairs, parameters, until_nul
from gateway.access.strict_json import Unclear

_ENCODED = re.compile(r"[A-Za-z0-9*\-._+%&=~!'(),:;/?@$\[\]#|]*")
"""What encoders leave as it is. Neither a brace nor a quote is among it, so that no JSON object can look like this."""

_NUL = "%00"

_BOUNDARY = re.compile(r"[A-Za-z0-9'()+_,./:=?-]{1,70}")
_HEADER = re.compile(rb"([A-Za-z-]+):[ \t]*([^\r\n]*)")
_FIELD = re.compile(
    rb'form-data; *name=(?:"([^"\\%\r\n\0]*)"|([A-Za-z0-9_.-]+))'
    rb'(?:; *filename=(?:"[^"\\\r\n]*"|[A-Za-z0-9_.-]+))?(?:; *filename\*=[A-Za-z0-9_.%\'-]+)?'
)
_UNREADABLE_PART = "it is a form that systems read differently"


def is_encoded(text: str) -> bool:
    """Whether this is a urlencoded form and can be nothing else."""
    return _ENCODED.fullmatch(text) is not None


def read_encoded(text: str) -> Pairs:
    """The fields of a urlencoded form, as every reader finds them: some take `;` for `&`, some end a name at a NUL."""
    pairs = parameters(text)
    if ";" in text:
        pairs += parameters(text.replace(";", "&"))
    if _NUL in text:
        pairs += [(until_nul(name), value) for name, value in pairs if "\0" in name]
    return pairs


def has_one_reading(text: str) -> bool:
    """Whether every reader finds the same fields in this urlencoded form."""
    return ";" not in text and _NUL not in text and text.count("&") < SURELY_READ


def read_multipart(boundary: str, data: bytes) -> Pairs:
    """The fields of a multipart form (RFC 7578), files among them. Raises `Unclear`.

    Only what browsers and HTTP libraries send: readers differ on everything else.
    """
    if _BOUNDARY.fullmatch(boundary) is None:
        raise Unclear(_UNREADABLE_PART)
    delimiter = b"--" + boundary.encode("ascii")
    first, *parts = (b"\r\n" + data).split(b"\r\n" + delimiter)
    if first or not parts or parts[-1] not in (b"--", b"--\r\n") or data.count(delimiter) != len(parts):
        raise Unclear(_UNREADABLE_PART)
    return [_read_part(part) for part in parts[:-1]]


def _read_part(part: bytes) -> tuple[str, str]:
    head, separator, content = part.partition(b"\r\n\r\n")
    start, *lines = head.split(b"\r\n")
    if start or not separator:
        raise Unclear(_UNREADABLE_PART)
    headers: dict[bytes, bytes] = {}
    for line in lines:
        header = _HEADER.fullmatch(line)
        if header is None or header[1].lower() in headers:
            raise Unclear(_UNREADABLE_PART)
        headers[header[1].lower()] = header[2]
    # Of others, Content-Transfer-Encoding above all: some readers decode such a part once more.
    if not headers.keys() <= {b"content-disposition", b"content-type", b"content-length"}:
        raise Unclear(_UNREADABLE_PART)
    if headers.get(b"content-length", b"%d" % len(content)) != b"%d" % len(content):
        raise Unclear(_UNREADABLE_PART)
    media_type = headers.get(b"content-type", b"").lower()
    if b"charset" in media_type and b"utf-8" not in media_type:
        raise Unclear(_UNREADABLE_PART)
    field = _FIELD.fullmatch(headers.get(b"content-disposition", b""))
    if field is None:
        raise Unclear(_UNREADABLE_PART)
    return (field[1] or field[2] or b"").decode("utf-8", "replace"), content.decode("utf-8", "replace")
