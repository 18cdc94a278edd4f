"""Know a browser again by a cookie of its own, so that a second account from it has no second trial.

The cookie holds a random number and a signature, and outlives who signs in and out: it says nothing of anybody. What is
stored of it is a keyed hash, with the key of who had a trial from there, for as long as that counts.
"""

from __future__ import annotations

import re
import secrets

from gateway.core.keyring import same, tag
from gateway.core.quantity import DAY, SECOND
from gateway.ports.identity import Credentials

COOKIE = b"paywall_device"
LIFETIME_MS = 400 * DAY
"""Browsers keep no cookie longer (RFC 6265bis, 5.5)."""

_ID_BYTES = 16
_TEXT = re.compile(rb"([A-Za-z0-9_-]{22})\.([A-Za-z0-9_-]{20})")
_COOKIES_TRIED = 8


class Devices:
    """Makes and reads these cookies."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    def known(self, credentials: Credentials) -> str:
        """The browser's number, of the first cookie that holds; empty where there is none."""
        for value in credentials.cookie(COOKIE)[:_COOKIES_TRIED]:
            found = _TEXT.fullmatch(value)
            if found is not None and same(found[2], self._mac(found[1].decode())):
                return found[1].decode()
        return ""

    def made(self, *, secure: bool) -> tuple[str, bytes]:
        """A new number, and the `set-cookie` value that brings it to the browser."""
        device = secrets.token_urlsafe(_ID_BYTES)
        value = f"{COOKIE.decode()}={device}.{self._mac(device)}"
        more = "; Secure" if secure else ""
        return device, f"{value}; Path=/; Max-Age={LIFETIME_MS // SECOND}; HttpOnly; SameSite=Lax{more}".encode()

    def _mac(self, device: str) -> str:
        return tag(self._key, "device", device)
