"""Keys for every purpose, out of one secret."""

from __future__ import annotations

import base64
import hashlib
import hmac

SECRET_BYTES_MINIMUM = 16
_REMEMBERED = 4096


class Keyring:
    """Derives one independent key per purpose from the gateway's secret (HKDF-Expand, RFC 5869 section 2.3)."""

    __slots__ = ("_log_key", "_pseudonyms", "_pseudorandom_key")

    def __init__(self, secret: bytes) -> None:
        if len(secret) < SECRET_BYTES_MINIMUM:
            raise ValueError(f"the secret has {len(secret)} bytes; at least {SECRET_BYTES_MINIMUM} are needed")
        self._pseudorandom_key = hmac.digest(b"paywall-gateway", secret, hashlib.sha256)
        self._log_key = self.key("subjects in logs and events")
        self._pseudonyms: dict[str, str] = {}

    def key(self, purpose: str) -> bytes:
        """The 32-byte key for this purpose."""
        return hmac.digest(self._pseudorandom_key, purpose.encode() + b"\x01", hashlib.sha256)

    def pseudonym(self, subject: object) -> str:
        """What stands for a subject in logs and events: 16 characters that nobody without the secret can trace."""
        name = str(subject)
        found = self._pseudonyms.get(name)
        if found is None:
            digest = hmac.digest(self._log_key, name.encode("utf-8", "surrogatepass"), hashlib.sha256)
            found = base64.urlsafe_b64encode(digest[:12]).decode("ascii")
            if len(self._pseudonyms) >= _REMEMBERED:
                self._pseudonyms.clear()
            self._pseudonyms[name] = found
        return found

    def __repr__(self) -> str:
        return "Keyring(...)"


def tag(key: bytes, *parts: str, size: int = 15) -> str:
    """A keyed tag over the parts, none of which can be shifted into another: `size` bytes as unpadded base64url."""
    message = b"".join(len(part.encode()).to_bytes(4, "big") + part.encode() for part in parts)
    return base64.urlsafe_b64encode(hmac.digest(key, message, hashlib.sha256)[:size]).decode("ascii").rstrip("=")


def same(left: str | bytes, right: str | bytes) -> bool:
    """Compare in a time that does not depend on where they differ."""
    first = left.encode() if isinstance(left, str) else left
    second = right.encode() if isinstance(right, str) else right
    return hmac.compare_digest(first, second)
