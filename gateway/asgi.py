"""The gateway for an ASGI server of your own: `uvicorn --factory gateway.asgi:create_app`.

`paywall run` has a server of its own that enforces limits on clients and knows the short way; what another server
leaves out is told in docs/operations.md.
"""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path
from traceback import format_exception
from typing import Any

from gateway.cli.loading import load_config
from gateway.cli.output import CommandFailed, say
from gateway.cli.serving import started
from gateway.settings.load import Loaded
from gateway.store.embedded.server import EmbeddedStore, StoreStartError
from gateway.wiring.application import Gateway
from gateway.wiring.secret import SecretError, find_secret

CONFIG_VARIABLE = "PAYWALL_CONFIG"
"""The environment variable that names the config file."""


def create_app() -> HostedGateway:
    """The gateway of the config that `PAYWALL_CONFIG` names. Says what is wrong with it and exits, as commands do."""
    named = os.environ.get(CONFIG_VARIABLE)
    try:
        if not named:
            raise CommandFailed(f"name the config file in the environment: {CONFIG_VARIABLE}=paywall.yaml")
        return HostedGateway(load_config(Path(named), warnings=True))
    except CommandFailed as failed:
        for line in failed.lines:
            say(line)
        raise SystemExit(failed.code) from None


class HostedGateway:
    """A gateway whose life the server's lifespan events begin and end."""

    def __init__(self, loaded: Loaded) -> None:
        self._loaded = loaded
        self._gateway: Gateway | None = None

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Answer one request, or live through the lifespan."""
        if scope["type"] == "lifespan":
            await self._live(receive, send)
            return
        if self._gateway is None:
            raise RuntimeError("the gateway was not started: have the server run the lifespan")
        await self._gateway(scope, receive, send)

    async def _live(self, receive: Any, send: Any) -> None:
        await receive()  # lifespan.startup
        embedded, serves = None, False
        try:
            secret = find_secret(self._loaded.settings)
            store_url = str(self._loaded.settings.store)
            if store_url == "embedded":
                embedded = EmbeddedStore(self._loaded.settings.data, say)
                store_url = await asyncio.to_thread(embedded.start)
            gateway = Gateway(self._loaded, store_url, secret, say, sys.stdout)
            async with started(gateway):
                self._gateway, serves = gateway, True
                self._tell_of_the_unused()
                await send({"type": "lifespan.startup.complete"})
                await receive()  # lifespan.shutdown
        except Exception as error:
            if serves:
                raise
            # Whatever it is: a server that is not told goes on, and every request meets an error.
            if not isinstance(error, SecretError | StoreStartError | CommandFailed):
                say("".join(format_exception(error)).rstrip())
            await send({"type": "lifespan.startup.failed", "message": str(error) or type(error).__name__})
            return
        finally:
            self._gateway = None
            if embedded is not None:
                await asyncio.to_thread(embedded.stop)
        await send({"type": "lifespan.shutdown.complete"})

    def _tell_of_the_unused(self) -> None:
        if self._loaded.settings.admin is not None:
            say("admin.listen is not opened under another server: for operators' pages use `paywall run`")
        if self._loaded.settings.workers > 1:
            say("workers is not used under another server: tell that server how many processes it is to have")
