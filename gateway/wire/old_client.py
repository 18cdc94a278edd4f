"""Answers to clients of HTTP/1.0, who know no chunks."""

from __future__ import annotations

from typing import Any

from uvicorn.protocols.http.httptools_impl import RequestResponseCycle


class UntilClose:
    """Sends the answer of one cycle so that a body of unknown length ends with its connection.

    uvicorn would write chunks, which a server must not send to HTTP/1.0 (RFC 9112 section 6.1). It closes the
    connection after every answer to such a client, and that is what ends the body (section 6.3, last case).
    """

    __slots__ = ("_cycle", "_ends_by_close", "_send")

    def __init__(self, cycle: RequestResponseCycle) -> None:
        self._cycle, self._send = cycle, cycle.send
        self._ends_by_close = False

    async def __call__(self, event: Any) -> None:
        """Take the place of the cycle's own `send`."""
        if event["type"] == "http.response.start":
            if all(name.lower() != b"content-length" for name, _ in event["headers"]):
                self._ends_by_close = True
                self._cycle.chunked_encoding = False
        elif self._ends_by_close:
            # Whatever comes is as long as was announced: uvicorn compares.
            self._cycle.expected_content_length = len(event.get("body", b""))
        await self._send(event)
