"""Where a request may carry its token, and which one it carries."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal
from urllib.parse import unquote_to_bytes

from gateway.ports.identity import Credentials, Rejected

_COOKIE = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,100}")
_HEADER = re.compile(r"[0-9A-Za-z-]{1,100}")
"""Requests with other names of headers are refused (`gateway.web.message`)."""
_BEARER = re.compile(rb"bearer(?:[ \t]+|$)", re.IGNORECASE)
_TOKEN = re.compile(rb"[A-Za-z0-9._~+/=-]*")
_OCTAL_ESCAPE = re.compile(rb"\\([0-3][0-7][0-7])")


@dataclass(frozen=True, slots=True)
class Source:
    """One place of a request that may hold the token."""

    place: Literal["authorization", "cookie", "header"]
    name: bytes

    @classmethod
    def parse(cls, text: str) -> Source:
        """Read `bearer`, `cookie:NAME` or `header:NAME`. Raises `ValueError` that says what is allowed."""
        if text == "bearer":
            return cls("authorization", b"authorization")
        place, _, name = text.partition(":")
        allowed = {"cookie": _COOKIE, "header": _HEADER}.get(place)
        if allowed is None or allowed.fullmatch(name) is None:
            raise ValueError(f"{text!r} is no place for a token: write bearer, cookie:NAME or header:NAME")
        if place == "cookie":
            return cls("cookie", name.encode())
        if name.lower() in ("authorization", "cookie"):
            raise ValueError(f"{text!r} holds more than the token: write bearer or cookie:NAME")
        return cls("header", name.lower().encode())

    @property
    def vary(self) -> str:
        """The header that the answer depends on."""
        return "cookie" if self.place == "cookie" else self.name.decode()

    def values(self, credentials: Credentials) -> set[bytes]:
        """What stands there, without the word `Bearer`; another authorization scheme is not looked at."""
        if self.place == "cookie":
            return set(credentials.cookie(self.name)) - {b""}
        found = set()
        for value in credentials.header(self.name):
            value = value.strip(b" \t")
            scheme = _BEARER.match(value)
            if scheme is not None:
                found.add(value[scheme.end() :])
            elif self.place == "header":
                found.add(value)
        return found - {b""}

    def may_be_token(self, value: bytes) -> bool:
        """Whether some application could read this value as a JWT.

        Wider than what is accepted afterwards. A value that the application decodes and the gateway passes over
        would make a known subject look like a new visitor, with a fresh trial.
        """
        if _TOKEN.fullmatch(value):
            return value.count(b".") == 2
        if self.place != "cookie":  # nobody decodes these, but several may stand in one line
            return value.count(b".") >= 2
        plain = _OCTAL_ESCAPE.sub(lambda found: bytes([int(found[1], 8)]), value.strip(b'" \t'))
        return unquote_to_bytes(plain).count(b".") == 2


def find_token(sources: Iterable[Source], credentials: Credentials) -> bytes | Rejected | None:
    """The one token of a request; None when it has none, rejected when it has two to choose from."""
    tokens: set[bytes] = set()
    for source in sources:
        values = source.values(credentials)
        found = {value for value in values if source.may_be_token(value)}
        # An opaque value beside a JWT is as ambiguous as two JWTs: who knows which the application takes.
        if found and len(values) > 1:
            return Rejected("is sent more than once, with different values")
        tokens |= found
    if len(tokens) > 1:
        return Rejected("is sent in several places, with different values")
    return tokens.pop() if tokens else None
