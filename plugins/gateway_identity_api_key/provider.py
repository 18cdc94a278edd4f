"""One subject per API key."""

from __future__ import annotations

import hashlib
import hmac
import re

from gateway.core.subject import Subject, SubjectKind
from gateway.ports.identity import Credentials, Identified, Rejected
from gateway.ports.plugin import Host
from gateway_identity_api_key.settings import ApiKeySettings

LENGTH_LIMIT = 1024
_BEARER = re.compile(rb"bearer(?:[ \t]+|$)", re.IGNORECASE)
_KEY = re.compile(rb"[\x21-\x7e]+")
_KNOWN = re.compile(r"([\x21-\x7e]{1,200})\s+([0-9a-fA-F]{64})")


class ApiKeyIdentity:
    """Names a request's API key without keeping it."""

    def __init__(self, settings: ApiKeySettings, host: Host) -> None:
        self._settings = settings
        self._headers = settings.headers
        self._digest_key = host.key("api-key")
        self._names: dict[bytes, str] | None = None
        self.vary = self._headers
        self.proven = settings.known is not None
        self.trusted_headers: tuple[str, ...] = ()

    async def start(self) -> None:
        """Read the list of known keys. Raises `ValueError` that names the line that can't be read."""
        if self._settings.known is not None:
            self._names = self._read_known(self._settings.known.reveal())

    async def stop(self) -> None:
        """Forget the list."""
        self._names = None

    async def identify(self, credentials: Credentials) -> Identified | Rejected | None:
        """The subject of the request's key; None when it has none."""
        keys = self._keys(credentials)
        if not keys:
            return None
        if len(keys) > 1:
            return Rejected("is sent more than once, with different values")
        key = keys.pop()
        if len(key) > LENGTH_LIMIT or _KEY.fullmatch(key) is None:
            return Rejected("is malformed")
        if self._settings.known is None:
            return Identified(Subject(SubjectKind.KEY, self._keyed(key).hex()[:32]))
        # Looked up by a keyed digest: how long that takes tells nothing about the keys that exist.
        name = (self._names or {}).get(self._keyed(hashlib.sha256(key).digest()))
        return Rejected("is not known") if name is None else Identified(Subject(SubjectKind.KEY, name))

    def _keys(self, credentials: Credentials) -> set[bytes]:
        keys = set()
        for name in self._headers:
            for value in credentials.header(name.encode()):
                value = value.strip(b" \t")
                if name == "authorization":
                    scheme = _BEARER.match(value)
                    value = value[scheme.end() :] if scheme else b""
                keys.add(value)
        return keys - {b""}

    def _keyed(self, content: bytes) -> bytes:
        return hmac.digest(self._digest_key, content, "sha256")

    def _read_known(self, text: bytes) -> dict[bytes, str]:
        names: dict[bytes, str] = {}
        for number, line in enumerate(text.decode("utf-8", "replace").splitlines(), start=1):
            line = line.strip()
            if not line or line.startswith("#"):
                continue
            found = _KNOWN.fullmatch(line)
            if found is None:
                # The line itself is not shown: by mistake it may hold a key.
                raise ValueError(f"line {number} of the known API keys can't be read: write NAME SHA256HEX")
            digest = self._keyed(bytes.fromhex(found[2]))
            if names.setdefault(digest, found[1]) != found[1]:
                raise ValueError(f"line {number} of the known API keys repeats a key under another name: keep one")
        return names
