"""Visitors, known again by a signed cookie."""

from __future__ import annotations

import base64
import binascii
import hmac
import secrets

from gateway.core.quantity import SECOND
from gateway.core.subject import Subject, SubjectKind
from gateway.ports.identity import Credentials, Identified
from gateway.ports.plugin import Host
from gateway_identity_visitor.settings import VisitorSettings

_ID_BYTES = 16
_SIGNATURE_BYTES = 16
_TEXT_LENGTH = 43
"""Characters of the signed id in base64url, without padding."""
_COOKIES_TRIED = 8


class VisitorIdentity:
    """Gives every visitor an id of 128 random bits, and knows it again."""

    def __init__(self, settings: VisitorSettings, host: Host) -> None:
        self._settings = settings
        self._key = host.key("visitor")
        self._cookie = settings.cookie.encode()
        self.vary = ("cookie",)
        self.proven = False
        self.trusted_headers: tuple[str, ...] = ()

    async def start(self) -> None:
        """Nothing to open."""

    async def stop(self) -> None:
        """Nothing to close."""

    async def identify(self, credentials: Credentials) -> Identified:
        """The visitor of the first cookie that holds, else a new one together with the cookie to set."""
        for value in credentials.cookie(self._cookie)[:_COOKIES_TRIED]:
            known = self._read(value)
            if known is not None:
                return Identified(_subject(known))
        fresh = secrets.token_bytes(_ID_BYTES)
        return Identified(_subject(fresh), set_cookie=self._set_cookie(fresh, credentials))

    def _signature(self, visitor: bytes) -> bytes:
        return hmac.digest(self._key, visitor, "sha256")[:_SIGNATURE_BYTES]

    def _read(self, value: bytes) -> bytes | None:
        if len(value) != _TEXT_LENGTH:
            return None
        try:
            content = base64.b64decode(value + b"=", altchars=b"-_", validate=True)
        except binascii.Error:
            return None
        visitor, signature = content[:_ID_BYTES], content[_ID_BYTES:]
        return visitor if hmac.compare_digest(signature, self._signature(visitor)) else None

    def _set_cookie(self, visitor: bytes, credentials: Credentials) -> bytes:
        settings = self._settings
        value = base64.urlsafe_b64encode(visitor + self._signature(visitor)).rstrip(b"=").decode()
        parts = [
            f"{settings.cookie}={value}",
            "Path=/",
            f"Max-Age={settings.lifetime // SECOND}",
            "HttpOnly",
            f"SameSite={settings.same_site.capitalize()}",
        ]
        if settings.secure == "always" or (settings.secure == "auto" and _came_by_https(credentials)):
            parts.append("Secure")
        return "; ".join(parts).encode()


def _subject(visitor: bytes) -> Subject:
    return Subject(SubjectKind.VISITOR, base64.urlsafe_b64encode(visitor).rstrip(b"=").decode())


def _came_by_https(credentials: Credentials) -> bool:
    """Whether a trusted proxy says that the browser spoke https.

    When in doubt no: a cookie without `Secure` still works over https, one with it is thrown away over http, and then
    every request is a new visitor.
    """
    if not credentials.peer_trusted:
        return False
    schemes = [value.split(b",")[0].strip().lower() for value in credentials.header(b"x-forwarded-proto")]
    return bool(schemes) and all(scheme == b"https" for scheme in schemes)
