"""Who is asking: what an identity plugin sees and answers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from gateway.core.subject import Subject
from gateway.ports.plugin import Provider

Headers = list[tuple[bytes, bytes]]


class Credentials:
    """The parts of a request that may say who it is from. Values are raw bytes, as they came.

    To be read, never changed: requests with the same headers share them.
    """

    __slots__ = ("_cookies", "headers", "peer_trusted")

    def __init__(self, headers: Headers, peer_trusted: bool) -> None:
        self.headers = headers
        self.peer_trusted = peer_trusted
        """Whether the connection comes from an address of `trusted_proxies`."""
        self._cookies: dict[bytes, list[bytes]] | None = None

    def header(self, name: bytes) -> list[bytes]:
        """Every value of this header (name in lower case), in order."""
        return [value for key, value in self.headers if key == name]

    def cookie(self, name: bytes) -> list[bytes]:
        """Every value of this cookie, in order; more than one is possible and suspicious."""
        if self._cookies is None:
            self._cookies = {}
            for line in self.header(b"cookie"):
                for pair in line.split(b";"):
                    key, _, value = pair.partition(b"=")
                    # Stripped as applications strip them: whom they know must not look like a stranger to us.
                    self._cookies.setdefault(key.strip(), []).append(value.strip())
        return self._cookies.get(name, [])


@dataclass(frozen=True, slots=True)
class Identified:
    """The request is for this subject."""

    subject: Subject
    claims: Mapping[str, object] = field(default_factory=dict)
    """What else the source says of the subject, plain JSON types."""
    set_cookie: bytes = b""
    """A `set-cookie` value to send along with the next answer that is not shared (a new visitor)."""


@dataclass(frozen=True, slots=True)
class Rejected:
    """The request carries a proof of identity of this kind, and it does not hold."""

    why: str
    """For the log and the answer, as the rest of "the token ...": `has expired`. No personal data."""
    temporary: bool = False
    """It can't be checked at the moment, and may well hold: nobody is to blame."""


class IdentityProvider(Provider, Protocol):
    """One way to know a subject. Asked in the order of the config; the first that answers wins, and `proven` before
    what is not."""

    vary: tuple[str, ...]
    """Names of the headers that its answer depends on, for `Vary`."""
    proven: bool
    """Whether what it says is proven (a signature, a trusted peer, a list), not merely said by the client. A proof wins
    over a saying, whatever their order: an invented key must not make a stranger of somebody who is known."""
    trusted_headers: tuple[str, ...]
    """Names (lower case) of headers that are believed from trusted peers only: from others they are not passed on."""

    async def identify(self, credentials: Credentials) -> Identified | Rejected | None:
        """Who this is; None when the request says nothing of this kind. Does not wait on the network
        in the usual case."""
        ...
