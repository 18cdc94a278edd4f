"""An answer that ends the connection reaches a client that is still sending: nothing is reset under it."""

from __future__ import annotations

import asyncio

import pytest

from gateway.ports.wire import HEAD_BYTES_LIMIT
from gateway.wire import cork
from tests.store.conftest import until
from tests.wire.application import PATIENCE, Client, Server

MUCH = 4 << 20
"""More than any buffer on the way takes in."""


def upload(target: bytes, *more: bytes) -> bytes:
    lines = [b"POST " + target + b" HTTP/1.1", b"host: gate.example", b"content-length: %d" % MUCH, *more]
    return b"\r\n".join([*lines, b"", b""])


ENDING = {
    "an early answer": (upload(b"/early", b"connection: close"), 200),
    "a head that is too large": (upload(b"/", b"x: " + b"v" * HEAD_BYTES_LIMIT), 431),
    "no request": (b"this is no request\r\n\r\n", 400),
}


async def rest_of(client: Client) -> bytes:
    """What comes until the end of the connection; raises `ConnectionError` where it is reset instead."""
    return await asyncio.wait_for(client.reader.read(), PATIENCE)


async def gone(server: Server) -> None:
    """Return once the server has no connection any more."""
    await until(lambda: not server.state.connections, "the connection is gone")


@pytest.mark.parametrize("name", ENDING)
async def test_who_still_sends_gets_the_answer_and_an_orderly_end(server: Server, client: Client, name: str) -> None:
    head, status = ENDING[name]
    sending = asyncio.create_task(client.send(head + bytes(MUCH)))
    assert (await client.answer()).status == status
    assert await rest_of(client) == b""
    await sending
    assert not client.writer.is_closing(), "whatever was left to send was taken"
    await client.leave()
    await gone(server)


async def test_what_comes_behind_the_last_answer_is_no_request(server: Server, client: Client) -> None:
    await client.send(upload(b"/early", b"connection: close"))
    assert (await client.answer()).status == 200
    await client.send(bytes(MUCH) + b"GET /next HTTP/1.1\r\nhost: gate.example\r\n\r\n")
    assert await rest_of(client) == b""
    assert server.application.begun == [b"/early"]


async def test_who_never_ends_is_left_after_a_while(
    server: Server, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cork, "LINGER_SECONDS", 0.1)
    await client.send(upload(b"/early", b"connection: close"))
    assert (await client.answer()).status == 200
    assert await rest_of(client) == b""
    await gone(server)
