"""Requests that would rather have another protocol remain requests in HTTP, bodies and all."""

from __future__ import annotations

import pytest

from tests.wire.application import Client, Server

HIDDEN = b"GET /hidden HTTP/1.1\r\nhost: gate.example\r\n\r\n"
"""A body that would be a request to whoever forgot that it is a body."""
UPGRADE = b"connection: Upgrade, HTTP2-Settings\r\nupgrade: h2c\r\nhttp2-settings: AAMAAABkAARAAAAAAAIAAAAA\r\n"
LENGTH = b"content-length: %d\r\n" % len(HIDDEN)
CHUNKS = b"%x\r\n%b\r\n0\r\n\r\n" % (len(HIDDEN), HIDDEN)
REQUESTS = {
    "a body of a length": (LENGTH, HIDDEN, HIDDEN),
    "chunks": (b"transfer-encoding: chunked\r\n", CHUNKS, HIDDEN),
    "no body": (b"", b"", b""),
    "an empty body": (b"content-length: 0\r\n", b"", b""),
}


def head(target: bytes, *more: bytes) -> bytes:
    return b"POST " + target + b" HTTP/1.1\r\nhost: gate.example\r\n" + b"".join(more) + b"\r\n"


@pytest.mark.parametrize("size", [1, 7, 10_000], ids=["byte by byte", "in small pieces", "at once"])
@pytest.mark.parametrize("name", REQUESTS)
async def test_a_request_that_asks_for_http_2_keeps_its_body(
    server: Server, client: Client, name: str, size: int
) -> None:
    framing, coded, body = REQUESTS[name]
    data = head(b"/one", UPGRADE, framing) + coded
    for start in range(0, len(data), size):
        await client.send(data[start : start + size])
    assert (await client.answer()).body == b"/one " + body
    await client.send(head(b"/two", LENGTH) + HIDDEN)
    assert (await client.answer()).body == b"/two " + HIDDEN
    assert server.application.begun == [b"/one", b"/two"], "no part of a body became a request"


async def test_requests_behind_one_that_asks_for_http_2_are_answered_in_turn(server: Server, client: Client) -> None:
    asking = [head(b"/%d" % number, UPGRADE, LENGTH) + HIDDEN for number in range(50)]
    await client.send(b"".join(asking) + head(b"/last"))
    for number in range(50):
        assert (await client.answer()).body == b"/%d " % number + HIDDEN
    assert (await client.answer()).body == b"/last "
    assert len(server.application.begun) == 51


@pytest.mark.parametrize(
    "lines",
    [
        b"connection: upgrade\r\nupgrade: TLS/1.0\r\n",
        b"connection: upgrade\r\nconnection: keep-alive\r\nupgrade: websocket\r\n",
        b"connection: upgrade\r\nupgrade: websocket, h2c\r\n",
    ],
)
async def test_what_is_no_websocket_is_a_request(server: Server, client: Client, lines: bytes) -> None:
    await client.send(head(b"/one", lines, LENGTH) + HIDDEN + head(b"/two"))
    assert (await client.answer()).body == b"/one " + HIDDEN
    assert (await client.answer()).body == b"/two "


async def test_a_fault_within_the_body_ends_the_connection(server: Server, client: Client) -> None:
    await client.send(head(b"/one", UPGRADE, b"transfer-encoding: chunked\r\n") + b"no chunk\r\n" + HIDDEN)
    assert await client.rest() == b""
    assert server.application.seen == []
