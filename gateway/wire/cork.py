"""Send the head of an answer together with the beginning of its body.

An ASGI server writes head and body separately: two system calls, each several times as dear as all that the gateway
decides. The head is kept for the write that follows in the same turn of the event loop, and sent alone if none does.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

JOINED_BYTES_LIMIT = 64 * 1024
"""Larger pieces are written behind the head as they are: copying them would cost more than it saves."""
LINGER_SECONDS = 5.0
"""How long a client may go on sending what nobody reads any more."""


class CorkedTransport:
    """A transport whose first write of an answer waits for the second, and whose end takes no answer back."""

    __slots__ = ("_kept", "_loop", "_still_sends", "_transport", "ending")

    def __init__(
        self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop, still_sends: Callable[[], bool]
    ) -> None:
        """`still_sends` tells whether the client is in the midst of a request, and sees to it that it is read."""
        self._transport, self._loop = transport, loop
        self._still_sends = still_sends
        self._kept = b""
        self.ending = False
        """It is closed, or will be once everything is written; or the client is still heard out."""

    def write(self, data: bytes) -> None:
        """Write, or keep the head of an answer for a moment."""
        kept = self._kept
        if kept:
            self._kept = b""
            if len(data) <= JOINED_BYTES_LIMIT:
                self._transport.write(kept + data)
                return
            self._transport.write(kept)
        elif data.startswith(b"HTTP/1.1 ") and not data.startswith(b"HTTP/1.1 1"):
            # An interim answer (100 Continue) is waited for by the client and goes at once.
            self._kept = data
            self._loop.call_soon(self._uncork)
            return
        self._transport.write(data)

    def write_through(self, data: bytes) -> None:
        """Write what is already head and body in one."""
        if self._kept:
            self._uncork()
        self._transport.write(data)

    def release(self) -> asyncio.Transport:
        """The transport itself, with nothing kept."""
        self._uncork()
        return self._transport

    def is_closing(self) -> bool:
        """Whether it is closed, or will be once everything is written."""
        return self.ending or self._transport.is_closing()

    def close(self) -> None:
        """Close once everything is written.

        Whoever closes with something unread resets the connection, and a client that is still sending may then lose
        the answer that it has not read yet (RFC 9112 section 9.6). So first we say that we are done, and close when
        the client is done, too, or after a while.
        """
        if self.ending:
            return
        self.ending = True
        self._uncork()
        if self._transport.is_closing() or not self._still_sends():
            self._transport.close()
            return
        self._transport.write_eof()
        self._loop.call_later(LINGER_SECONDS, self._transport.close)

    def abort(self) -> None:
        """Close at once; what is unsent is lost."""
        self._kept = b""
        self.ending = True
        self._transport.abort()

    def _uncork(self) -> None:
        if self._kept:
            kept, self._kept = self._kept, b""
            self._transport.write(kept)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)
