"""What a result is, by the head of its answer."""

from __future__ import annotations

import mimetypes
from collections.abc import Callable
from dataclasses import dataclass
from email.message import Message

from gateway.ports.upstream import Headers


@dataclass(frozen=True, slots=True)
class Description:
    """What the head of an answer says about the result."""

    media_type: str
    charset: str
    filename: str
    coding: str

    @property
    def teased_as(self) -> str:
        """The media type to make the teaser by: where the answer says no more than "some text" or "some bytes", the
        name of the file says more."""
        if self.media_type not in ("text/plain", "application/octet-stream"):
            return self.media_type
        return mimetypes.guess_type(self.filename, strict=False)[0] or self.media_type


def kept_headers(headers: Headers) -> Headers:
    """What is kept of an answer's headers: not the words meant for the gateway, and no cookies, which days later would
    overwrite newer ones."""
    return [pair for pair in headers if not pair[0].startswith(b"paywall-") and pair[0] != b"set-cookie"]


def describe(headers: Headers, target: str) -> Description:
    """What a result is, out of the head of its answer and, for the name, the path it was asked at."""
    message = Message()
    coding = ""
    for name, value in headers:
        if name in (b"content-type", b"content-disposition"):
            message[name.decode("ascii")] = value.decode("latin-1")
        elif name == b"content-encoding":
            coding = value.decode("latin-1").strip().lower()
    media_type = message.get_content_type() if message["content-type"] else "application/octet-stream"
    filename = _said(message.get_filename) or target.partition("?")[0].rstrip("/").rpartition("/")[2] or "result"
    charset = _said(message.get_content_charset)
    return Description(media_type, charset, _printable(filename)[:120], coding)


def _said(read: Callable[[], str | None]) -> str:
    try:
        return read() or ""
    except (ValueError, TypeError, LookupError):
        # The standard library trips over charsets and parameters that nobody means seriously (`filename*=idna''a`,
        # `x*0=a; x*=b`).
        return ""


def _printable(text: str) -> str:
    return "".join(character for character in text if character.isprintable() and character not in "/\\")
