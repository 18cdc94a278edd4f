"""Running identity providers in tests."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from gateway.ports.identity import Credentials, IdentityProvider
from gateway.ports.plugin import Plugin
from tests.plugins.host import FakeHost


@asynccontextmanager
async def running(plugin: Plugin[Any, Any], settings: dict[str, object], host: FakeHost) -> AsyncIterator[Any]:
    """The provider, started, and stopped afterwards also when its start failed."""
    provider: IdentityProvider = plugin.create(plugin.settings.model_validate(settings), host)
    try:
        await provider.start()
        yield provider
    finally:
        await provider.stop()


def request(*headers: tuple[str, str | bytes], trusted: bool = False) -> Credentials:
    raw = [(name.encode(), value if isinstance(value, bytes) else value.encode()) for name, value in headers]
    return Credentials(raw, trusted)


def bearer(token: str) -> Credentials:
    return request(("authorization", f"Bearer {token}"))
