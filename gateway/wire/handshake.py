"""Whether a request that asks for a WebSocket is the beginning of one (RFC 6455 section 4.2.1)."""

from __future__ import annotations


def is_handshake(method: bytes, headers: list[tuple[bytes, bytes]]) -> bool:
    """A GET of version 13 with one key. With a body it would be a request hidden behind a handshake."""
    values: dict[bytes, list[bytes]] = {}
    for name, value in headers:
        values.setdefault(name, []).append(value)
    return (
        method == b"GET"
        and values.get(b"sec-websocket-version") == [b"13"]
        and len(values.get(b"sec-websocket-key", [])) == 1
        and values.get(b"content-length", [b"0"]) == [b"0"]
        and b"transfer-encoding" not in values
    )
