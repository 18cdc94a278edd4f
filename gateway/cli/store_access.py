"""Reach the store of a config from a command: also the embedded one, whether its gateway runs or not."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Iterator
from typing import TypeVar
from urllib.parse import quote

from gateway.cli.output import CommandFailed, say
from gateway.ports.state import StoreUnavailable
from gateway.settings.schema import GatewaySettings
from gateway.store.connection import Store, open_store
from gateway.store.embedded.server import EmbeddedStore, StoreStartError
from gateway.store.embedded.server_socket import Health, ask, socket_path
from gateway.store.schema import SchemaTooNew

T = TypeVar("T")


def with_store(settings: GatewaySettings, work: Callable[[Store], Awaitable[T]]) -> T:
    """Do this with the store of a config. Raises `CommandFailed` when it can't be reached."""

    async def open_and_work(url: str) -> T:
        store = open_store(url)
        await store.start()
        try:
            return await work(store)
        finally:
            await store.stop()

    with _url(settings) as url:
        try:
            return asyncio.run(open_and_work(url))
        except StoreUnavailable as error:
            raise CommandFailed(f"the store can't be reached: {error}") from None
        except SchemaTooNew as error:
            raise CommandFailed(str(error)) from None


@contextlib.contextmanager
def _url(settings: GatewaySettings) -> Iterator[str]:
    if settings.store != "embedded":
        yield str(settings.store)
        return
    folder = settings.data.resolve() / "store"
    try:
        socket = socket_path(folder)
        if ask(socket) is Health.READY:
            # The gateway of this folder runs: its store is asked, not a second one started.
            yield f"unix://{quote(str(socket))}"
            return
        if not folder.exists():
            say(f"there is no store in {settings.data} yet: a new one is made")
        with EmbeddedStore(settings.data, lambda line: None) as url:
            yield url
    except StoreStartError as error:
        raise CommandFailed(str(error)) from None
