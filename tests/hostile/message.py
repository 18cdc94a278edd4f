"""One hostile request: its name, its exact bytes, and how to read what comes back."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

TARGET = b"/api/result/7"
"""The result route's canonical target: what every variant tries to reach."""
MARKER = b"MARKER-RESULT"
"""Stands in every result and nowhere else."""

EXPIRED = "expired-user"
"""The subject whose trial is over; every variant is sent in this name."""
CANARY = "canary-user"
"""A subject in trial, whose own requests must be answered rightly whatever else is going on."""

NONCE = b"NONCE-GOES-HERE-"
"""Replaced by the request's own nonce of the same length, so that no announced length changes."""

Header = tuple[bytes, bytes]

_OWN_HEADERS: tuple[Header, ...] = ((b"X-User-Id", EXPIRED.encode()), (b"X-Nonce", NONCE))


@dataclass(frozen=True, slots=True)
class Variant:
    """A request that must bring an expired subject nothing.

    `answers` is the most answers that a reading of the bytes can give; the client waits for so many.
    """

    name: str
    template: bytes
    answers: int = 1
    source: str = ""
    """The address it is sent from, where that is not the one whose proxy the gateway trusts."""

    def request(self, nonce: str) -> bytes:
        """The bytes to send, marked with this nonce (16 characters)."""
        return self.template.replace(NONCE, nonce.encode("ascii"))


def request(
    target: bytes,
    headers: Iterable[Header] = (),
    *,
    method: bytes = b"GET",
    host: bytes | None = b"localhost",
    version: bytes = b"HTTP/1.1",
    body: bytes = b"",
    connection: bytes | None = b"close",
) -> bytes:
    """A whole request in the expired subject's name; nothing is checked or escaped, framing is the caller's affair."""
    lines = [method + b" " + target + b" " + version]
    lines += [b"Host: " + host] if host is not None else []
    lines += [b"Connection: " + connection] if connection is not None else []
    lines += [name + b": " + value for name, value in (*_OWN_HEADERS, *headers)]
    return b"\r\n".join(lines) + b"\r\n\r\n" + body


def in_name_of(subject: str, data: bytes) -> bytes:
    """The same request, of somebody else."""
    return data.replace(b"X-User-Id: " + EXPIRED.encode(), b"X-User-Id: " + subject.encode())


def printable(data: bytes) -> str:
    """The bytes as one line of ASCII, for names and failure reports."""
    return data.decode("latin-1").encode("unicode_escape").decode("ascii")


def words(table: bytes, *more: bytes) -> list[bytes]:
    """The words of a table, and what cannot be one of them: the empty, and what contains white space."""
    return [*table.split(), *more]
