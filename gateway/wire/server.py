"""uvicorn's server, which stops without leaving anybody out who has come in already."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import socket
from collections.abc import Iterator

import uvicorn
from uvicorn.server import ServerState

BACKLOG = 2048
"""How many the kernel lets in before they are taken."""
_VANISHED = (errno.ECONNABORTED, errno.EPROTO)
"""The client has left before it was let in; the next one may be there."""


class State(ServerState):
    """What all connections of one server share."""

    stops = False
    """It was told to stop: whoever is let in now has one request."""


class Server(uvicorn.Server):
    """Lets signals to whoever runs it. Its connections see in `server_state` that it stops."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.server_state: State = State()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Does nothing: uvicorn would raise the signal again after its shutdown, and end the process too early."""
        yield

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Let nobody in any more, but those whom the kernel has let in already: closing would reset them."""
        self.server_state.stops = True
        listeners = [each.dup() for each in sockets or []]
        for server in self.servers:
            server.close()
        for listener in listeners:
            with listener:
                await self._let_in(listener)
        await super().shutdown(sockets)

    async def _let_in(self, listener: socket.socket) -> None:
        listener.setblocking(False)
        loop = asyncio.get_running_loop()
        for _ in range(BACKLOG):  # no more can have come before: whoever goes on coming must not keep it from stopping
            try:
                client, _ = listener.accept()
            except OSError as error:
                if error.errno in _VANISHED:
                    continue
                return  # nobody is left, or there is no room for more
            with contextlib.suppress(OSError):
                await loop.connect_accepted_socket(self._protocol, client)

    def _protocol(self) -> asyncio.Protocol:
        return self.config.http_protocol_class(  # type: ignore[call-arg]
            config=self.config, server_state=self.server_state, app_state=self.lifespan.state
        )
