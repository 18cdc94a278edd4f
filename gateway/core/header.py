"""Small readings of header lists: `(name, value)` pairs of raw bytes, names in lower case."""

from __future__ import annotations

Headers = list[tuple[bytes, bytes]]


def first(headers: Headers, name: bytes) -> bytes:
    """The first value of this header; empty when there is none."""
    for key, value in headers:
        if key == name:
            return value
    return b""


def media_type_of(content_type: bytes) -> str:
    """The media type of a `content-type` value, lower case, without parameters (RFC 9110 section 8.3.1)."""
    return content_type.partition(b";")[0].strip().lower().decode("latin-1")


def is_attachment(content_disposition: bytes) -> bool:
    """Whether a `content-disposition` value asks to save: anything but inline does (RFC 6266 section 4.2)."""
    kind = content_disposition.partition(b";")[0].strip().lower()
    return bool(kind) and kind not in (b"inline", b"form-data")


_FOR_SHARED_CACHES = frozenset({b"cdn-cache-control", b"surrogate-control"})


def is_shared(headers: Headers) -> bool:
    """Whether the application lets shared caches keep the answer by name (RFC 9111 section 5.2.2)."""
    control = b",".join(value for name, value in headers if name == b"cache-control").lower()
    return b"public" in control or b"s-maxage" in control or b"immutable" in control


def kept_private(headers: Headers, vary: str) -> Headers:
    """The headers of an answer that belongs to one subject: no shared cache may keep it (RFC 9111 section 5.2.2).

    What speaks to shared caches alone (RFC 9213) goes. The rest is unchanged when the application already said
    `private` or `no-store`; `private="set-cookie"` does not count: it speaks of that header alone.
    """
    headers = [pair for pair in headers if pair[0] not in _FOR_SHARED_CACHES]
    said = [value for name, value in headers if name == b"cache-control"]
    directives = [part.strip() for value in said for part in value.split(b",") if part.strip()]
    if {part.lower() for part in directives} & {b"private", b"no-store"}:
        return headers
    kept = [part for part in directives if part.partition(b"=")[0].strip().lower() not in (b"public", b"s-maxage")]
    rest = [pair for pair in headers if pair[0] != b"cache-control"] if said else headers
    rest.append((b"cache-control", b", ".join([b"private", *kept])))
    if vary:
        rest.append((b"vary", vary.encode("ascii")))
    return rest
