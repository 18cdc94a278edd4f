"""What a request's body says, as far as it can be read in one way."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from gateway.access.form import has_one_reading, is_encoded, read_encoded, read_multipart
from gateway.access.graphql_document import read_document
from gateway.access.parameters import Pairs, folded_key
from gateway.access.strict_json import Unclear, parse_json, read_json
from gateway.core.quantity import format_size

_MEDIA_TYPE = re.compile(
    r"([a-z0-9!#$&^_.+-]+/[a-z0-9!#$&^_.+-]+)((?:[ \t]*;[ \t]*[a-z0-9-]+=(?:[^\s\";]+|\"[^\"\\]*\"))*)"
)
_PARAMETER = re.compile(r";[ \t]*([A-Za-z0-9-]+)=(?:\"([^\"]*)\"|([^\s;]*))")
_CHARSETS = ("", "utf-8", "utf8", "us-ascii")
_FORM, _MULTIPART, _GRAPHQL = "application/x-www-form-urlencoded", "multipart/form-data", "application/graphql"


@dataclass(frozen=True, slots=True)
class Body:
    """The body of one request. An application may read it in any of the ways that have something here."""

    unreadable: str = ""
    """Why it can't be read, or in more than one way, as the rest of a sentence; empty when it is read."""
    items: tuple[Any, ...] = ()
    """JSON: the value, or the items of a batch."""
    fields: tuple[tuple[str, str], ...] = ()
    """Fields of a form."""
    document: str = ""
    """A GraphQL document that is the whole body."""
    sure: bool = False
    """Whether there is one way only, and the request itself says which."""


EMPTY = Body()
UNSEEN = Body(unreadable="what comes through a WebSocket is not looked into")


def larger_than(limit: int) -> Body:
    """A body with more bytes than are looked into."""
    return Body(unreadable=f"it has more than {format_size(limit)}")


def read_body(content_types: Iterable[bytes], codings: Iterable[bytes], data: bytes) -> Body:
    """Read a body by the values of its `Content-Type` and `Content-Encoding` headers. Never raises."""
    try:
        if any(coding.strip().lower() not in (b"", b"identity") for coding in codings):
            raise Unclear("it is compressed")
        return _read([value.decode("latin-1") for value in content_types], data)
    except Unclear as unclear:
        return Body(unreadable=str(unclear))


def _read(content_types: list[str], data: bytes) -> Body:
    if not data.strip(b" \t\r\n"):
        return EMPTY
    if len(content_types) > 1:
        raise Unclear("it has more than one content type")
    media_type, options = _read_media_type(content_types[0].strip(" \t;")) if content_types else ("", {})
    if media_type == _MULTIPART:
        return _read_multipart(options.get("boundary", ""), data)
    if options.get("charset", "").lower() not in _CHARSETS:
        raise Unclear("its charset is not UTF-8")
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        raise Unclear("it is not UTF-8") from None
    if media_type in (_FORM, ""):
        return _read_form_or_json(text, bool(media_type))
    if media_type == _GRAPHQL:
        return _read_document_or_json(text)
    return Body(items=_items(text), sure=media_type == "application/json" or media_type.endswith("+json"))


def _read_form_or_json(text: str, said: bool) -> Body:
    """What is said to be a form, or nothing. Many clients send JSON without saying so, and many applications read it;
    others read fields out of it."""
    if is_encoded(text):
        return Body(fields=tuple(read_encoded(text)), sure=said and has_one_reading(text))
    return Body(fields=tuple(read_encoded(text)), items=_items(text))


def _read_multipart(boundary: str, data: bytes) -> Body:
    if not data.startswith(b"--"):
        return Body(items=_as_items(read_json(data)))
    fields = read_multipart(boundary, data)
    operations = [value for name, value in fields if folded_key(name) == "operations"]
    return Body(fields=tuple(fields), items=tuple(item for value in operations for item in _items(value)))


def _items(text: str) -> tuple[Any, ...]:
    return _as_items(parse_json(text))


def _as_items(value: Any) -> tuple[Any, ...]:
    return tuple(value) if isinstance(value, list) else (value,)


def _read_document_or_json(text: str) -> Body:
    """A GraphQL document, which is never JSON; many applications read JSON whatever is said of it."""
    try:
        return Body(items=_items(text))
    except Unclear:
        read_document(text)
        return Body(document=text)


def _read_media_type(value: str) -> tuple[str, dict[str, str]]:
    """The media type in lower case, and its parameters."""
    found = _MEDIA_TYPE.fullmatch(value.lower())
    if found is None:
        raise Unclear("its content type can't be read")
    pairs: Pairs = [(name.lower(), quoted or plain) for name, quoted, plain in _PARAMETER.findall(value)]
    options = dict(pairs)
    if len(options) != len(pairs):
        raise Unclear("its content type can't be read")
    return found[1], options
