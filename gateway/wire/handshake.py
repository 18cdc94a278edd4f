"""The beginning of a WebSocket: whether a request is one, and what comes before it is answered."""

from __future__ import annotations

from collections.abc import Callable

EARLY_BYTES_LIMIT = 64 * 1024
"""Of what a client sends before its WebSocket is open, which it should not (RFC 6455 section 4.1)."""


class EarlyFrames:
    """In place of a parser of requests, behind one that asks for a WebSocket."""

    __slots__ = ("_on_full", "data")

    def __init__(self, data: bytes, on_full: Callable[[], None]) -> None:
        self.data = data
        self._on_full = on_full

    def feed_data(self, data: bytes) -> None:
        """Keep what came, and have no more of it than there may be."""
        self.data += data
        if len(self.data) > EARLY_BYTES_LIMIT:
            self._on_full()


def is_handshake(method: bytes, version: str, headers: list[tuple[bytes, bytes]]) -> bool:
    """A GET in HTTP/1.1 for version 13 with one key (RFC 6455 section 4.2.1). With a body it would be a request hidden
    behind a handshake."""
    values: dict[bytes, list[bytes]] = {}
    for name, value in headers:
        values.setdefault(name, []).append(value.strip(b" \t"))
    return (
        method == b"GET"
        and version == "1.1"
        and values.get(b"sec-websocket-version") == [b"13"]
        and len(values.get(b"sec-websocket-key", [])) == 1
        and values.get(b"content-length", [b"0"]) == [b"0"]
        and b"transfer-encoding" not in values
    )
