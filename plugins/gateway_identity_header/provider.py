"""The subject in a trusted proxy's header."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Literal

from pydantic import field_validator

from gateway.core.subject import ID_BYTES_LIMIT, Subject, SubjectKind
from gateway.ports.fields import Settings
from gateway.ports.identity import Credentials, Identified, Rejected
from gateway.ports.plugin import Host

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
"""Unicode's category Cc."""
_NAME = re.compile(r"[0-9A-Za-z-]{1,100}")
"""Requests with other names of headers are refused (`gateway.web.message`)."""


class HeaderSettings(Settings):
    """Which header, and what it names."""

    name: str
    kind: Literal["person", "account"] = "person"

    @field_validator("name")
    @classmethod
    def _is_a_header(cls, value: str) -> str:
        if _NAME.fullmatch(value) is None:
            raise ValueError(f"{value!r} is not the name of a header: write it like x-user-id")
        if value.lower() in ("authorization", "cookie"):
            raise ValueError(f"{value!r} holds credentials, not a name: use jwt or api_key")
        return value.lower()


class HeaderIdentity:
    """Believes one header, from trusted proxies alone."""

    def __init__(self, settings: HeaderSettings, host: Host) -> None:
        self._name = settings.name.encode()
        self._kind = SubjectKind(settings.kind)
        self.vary = (settings.name,)
        self.proven = True
        self.trusted_headers: tuple[str, ...] = (settings.name.lower(),)

    async def start(self) -> None:
        """Nothing to open."""

    async def stop(self) -> None:
        """Nothing to close."""

    async def identify(self, credentials: Credentials) -> Identified | Rejected | None:
        """Whom the header names; None without it, and None from whoever is no trusted proxy."""
        if not credentials.peer_trusted:
            return None
        values = {value.strip(b" \t") for value in credentials.header(self._name)}
        if values <= {b""}:
            return None
        if len(values) > 1:
            return Rejected("is sent more than once, with different values")
        value = values.pop()
        if len(value) > ID_BYTES_LIMIT:
            return Rejected(f"is longer than {ID_BYTES_LIMIT} bytes")
        return _read(value, self._kind)


@lru_cache(4096)
def _read(value: bytes, kind: SubjectKind) -> Identified | Rejected:
    try:
        name = value.decode()
    except UnicodeDecodeError:
        return Rejected("is not UTF-8")
    if not name.strip() or _CONTROL.search(name) is not None:
        return Rejected("is not plain text")
    return Identified(Subject(kind, name))
