"""WebSockets and event streams through the gateway: decided at the beginning, then passed on as they come."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import WSMsgType

from .application import OPEN_PAGE, Application
from .conftest import CONFIG
from .service import DEADLINE, Service, read_head, read_to_end, running, wait_until

HANDSHAKE = (
    "GET {path} HTTP/1.1\r\nhost: service.example\r\nx-user-id: {person}\r\nupgrade: websocket\r\n"
    "connection: Upgrade\r\nsec-websocket-version: 13\r\nsec-websocket-key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
)


@pytest.fixture
async def client(service: Service, person: str) -> AsyncIterator[aiohttp.ClientSession]:
    """A client that is this person."""
    timeout = aiohttp.ClientTimeout(total=DEADLINE)
    async with aiohttp.ClientSession(service.address, headers={"x-user-id": person}, timeout=timeout) as session:
        yield session


@pytest.mark.parametrize("path", ["/socket", "/open/socket"])
async def test_messages_pass_both_ways(client: aiohttp.ClientSession, path: str) -> None:
    async with client.ws_connect(path) as peer:
        for text in ("hello", "", "Grüße 🎉"):
            await peer.send_str(text)
            assert await peer.receive_str(timeout=DEADLINE) == "echo " + text
        for data in (b"\x00\xff", b"", bytes(range(256))):
            await peer.send_bytes(data)
            assert await peer.receive_bytes(timeout=DEADLINE) == data


def test_one_may_be_opened_behind_answers_that_are_complete(
    service: Service, application: Application, person: str
) -> None:
    with service.connect() as client:
        for _ in range(3):  # a first visit, and after it the short way
            client.sendall(f"GET /any HTTP/1.1\r\nhost: x\r\nx-user-id: {person}\r\n\r\n".encode())
            body = read_head(client)[1]
            while len(body) < len(OPEN_PAGE):
                body += client.recv(100)
        client.sendall(HANDSHAKE.format(path="/open/socket", person=person).encode())
        head, frames = read_head(client)
        assert head.startswith(b"HTTP/1.1 101 ")
        client.sendall(b"\x81\x82\0\0\0\0hi")
        while len(frames) < 9:
            frames += client.recv(100)
        assert frames == b"\x81\x07echo hi"


async def test_large_messages_pass_whole(client: aiohttp.ClientSession) -> None:
    async with client.ws_connect("/socket", max_msg_size=8 * 2**20) as peer:
        data = bytes(range(256)) * 4096
        for _ in range(3):
            await peer.send_bytes(data)
        for _ in range(3):
            assert await peer.receive_bytes(timeout=DEADLINE) == data
        await peer.send_str("ä" * 2**19)
        assert await peer.receive_str(timeout=DEADLINE) == "echo " + "ä" * 2**19


async def test_the_application_chooses_the_subprotocol_and_sets_its_cookies(client: aiohttp.ClientSession) -> None:
    async with client.ws_connect("/socket", protocols=("other", "chat")) as peer:
        assert peer.protocol == "chat"
        assert peer._response.headers.getall("set-cookie") == ["a=1", "b=2"]
    async with client.ws_connect("/socket") as peer:
        assert peer.protocol is None


async def test_the_end_keeps_its_code_and_reason_both_ways(
    client: aiohttp.ClientSession, application: Application
) -> None:
    async with client.ws_connect("/socket") as peer:
        await peer.send_str("bye")
        message = await peer.receive(DEADLINE)
        assert (message.type, message.data, message.extra) == (WSMsgType.CLOSE, 4001, "as you wish")
    application.closed_with = None
    async with client.ws_connect("/socket") as peer:
        await peer.close(code=4002, message="grüße".encode())
    await _until(lambda: application.closed_with is not None)
    assert application.closed_with == (4002, "grüße")


async def test_an_end_without_a_code_stays_one(client: aiohttp.ClientSession) -> None:
    async with client.ws_connect("/socket", autoclose=False) as peer:
        await peer.send_str("close without a code")
        message = await peer.receive(DEADLINE)
        assert (message.type, message.data, message.extra) == (WSMsgType.CLOSE, 0, "")


async def test_an_application_that_breaks_off_is_told_apart_from_one_that_closes(client: aiohttp.ClientSession) -> None:
    async with client.ws_connect("/socket") as peer:
        await peer.send_str("drop")
        message = await peer.receive(DEADLINE)
        assert (message.type, peer.close_code) == (WSMsgType.CLOSED, 1006)


async def test_the_two_may_agree_on_compression(client: aiohttp.ClientSession) -> None:
    async with client.ws_connect("/socket", compress=15) as peer:
        assert peer.compress == 15 and "permessage-deflate" in peer._response.headers["sec-websocket-extensions"]
        await peer.send_str("a" * 100_000)
        assert await peer.receive_str(timeout=DEADLINE) == "echo " + "a" * 100_000


async def test_a_client_that_breaks_off_is_told_to_the_application(
    service: Service, application: Application, person: str
) -> None:
    application.closed_with = None
    with service.connect() as connection:
        connection.sendall(HANDSHAKE.format(path="/open/socket", person=person).encode())
        assert read_head(connection)[0].startswith(b"HTTP/1.1 101 ")
    await _until(lambda: application.closed_with is not None)


async def test_a_refusal_of_the_application_passes_as_it_is(service: Service, client: aiohttp.ClientSession) -> None:
    with pytest.raises(aiohttp.WSServerHandshakeError) as error:
        await client.ws_connect("/socket?refuse")
    assert error.value.status == 418 and error.value.headers is not None
    assert error.value.headers["x-made-by"] == "the application" and "paywall-reason" not in error.value.headers
    answer = await asyncio.to_thread(_handshake, service, "/open/socket?refuse", "anybody")
    assert answer.endswith(b"\r\n\r\nno tea here")


def test_on_a_result_route_a_socket_is_withheld_after_the_trial(
    service: Service, application: Application, expired: str
) -> None:
    before = application.executed["/socket"]
    head, _, body = _handshake(service, "/socket", expired).partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 402 ") and b"101" not in head.split(b"\r\n")[0]
    assert b"content-type: application/problem+json" in head and b"paywall-reason: payment-required" in head
    problem = json.loads(body)
    assert (problem["status"], problem["standing"]) == (402, "expired") and problem["checkout"]
    assert application.executed["/socket"] == before
    assert service.entry("/socket", reason="payment-required")["status"] == 402
    assert _handshake(service, "/open/socket?refuse", expired).startswith(b"HTTP/1.1 418 "), "open stays open"


def test_a_socket_on_a_graceful_route_costs_once_it_is_open(service: Service, expired: str) -> None:
    refused = _handshake(service, "/grace/socket?refuse", expired)
    assert refused.startswith(b"HTTP/1.1 4"), refused
    wait_until(lambda: service.grace_used(expired, "graceful") == 0, "a refused handshake costs nothing")


@pytest.mark.parametrize("path", ["/open/socket#x", "/x/../open/socket", "//open/socket"])
def test_an_ambiguous_target_opens_no_socket_after_the_trial(
    service: Service, application: Application, expired: str, path: str
) -> None:
    before = application.executed.copy()
    answer = _handshake(service, path, expired)
    assert answer.startswith(b"HTTP/1.1 402 ") and b"paywall-reason: target-ambiguous" in answer
    assert application.executed == before


@pytest.mark.parametrize("path", ["/socket", "/x/../open/socket", "/open/socket#x"])
def test_without_the_store_no_socket_opens_that_may_be_a_result(
    application: Application, tmp_path: Path, path: str
) -> None:
    with running(tmp_path, CONFIG.format(upstream=application.url, data=tmp_path / "data")) as service:
        (store,) = service.children()
        os.kill(store, signal.SIGSTOP)
        try:
            before = application.executed.copy()
            answer = _handshake(service, path, "anybody")
            assert answer.startswith(b"HTTP/1.1 503 ") and b"paywall-reason: store-unavailable" in answer
            assert application.executed == before
            assert _handshake(service, "/open/socket?refuse", "anybody").startswith(b"HTTP/1.1 418 ")
        finally:
            os.kill(store, signal.SIGCONT)


def test_the_headers_of_a_handshake_pass_byte_for_byte(service: Service, application: Application, person: str) -> None:
    with service.connect() as connection:
        handshake = HANDSHAKE.format(path="/open/socket?refuse", person=person).encode()
        connection.sendall(handshake.replace(b"\r\n\r\n", b"\r\nx-name: \xff\xfe\r\nx-http-method-override: a\r\n\r\n"))
        assert read_to_end(connection).startswith(b"HTTP/1.1 418 ")
    _, headers = application.seen[-1]
    assert (b"x-name", b"\xff\xfe") in [(name.lower(), value) for name, value in headers]


def test_a_new_visitor_gets_their_cookie_with_a_socket(service: Service) -> None:
    """Else each of their visits would be the first."""
    with service.connect() as connection:
        connection.sendall(HANDSHAKE.format(path="/socket", person="").replace("x-user-id: \r\n", "").encode())
        head = read_head(connection)[0]
    assert head.startswith(b"HTTP/1.1 101 ") and head.count(b"paywall_visitor=") == 1


def test_a_gateway_that_stops_ends_its_sockets_in_order(application: Application, tmp_path: Path) -> None:
    service = Service(tmp_path, CONFIG.format(upstream=application.url, data=tmp_path / "data")).start()
    with service.connect() as connection:
        connection.sendall(HANDSHAKE.format(path="/open/socket", person="ann").encode())
        frames = read_head(connection)[1]
        connection.sendall(b"\x81\x82\0\0\0\0hi")
        while len(frames) < 9:
            frames += connection.recv(100)
        application.closed_with = None
        assert service.stop() == 0
        assert read_to_end(connection) == b"\x88\x02\x03\xf4"
    wait_until(lambda: application.closed_with == (1012, ""), "the application is told, too")
    entry = service.entry("/open/socket")
    assert (entry["method"], entry["status"], entry["bytes"]) == ("WEBSOCKET", 101, 9)


def test_without_the_store_a_socket_goes_the_way_of_its_route(application: Application, tmp_path: Path) -> None:
    config = CONFIG.replace('"/grace/**", class', '"/grace/**", on_store_failure: allow, class')
    running = Service(tmp_path, config.format(upstream=application.url, data=tmp_path / "data")).start()
    (store,) = running.children()
    try:
        os.kill(store, signal.SIGSTOP)
        assert _handshake(running, "/socket", "ann").startswith(b"HTTP/1.1 503 ")
        entry = running.entry("/socket")
        assert (entry["decision"], entry["reason"], entry["route"]) == ("refuse", "store-unavailable", "socket")
        assert _handshake(running, "/grace/socket?refuse", "ann").startswith(b"HTTP/1.1 418 ")
        entry = running.entry("/grace/socket")
        assert (entry["decision"], entry["reason"], entry["route"]) == ("forward", "store-unavailable", "graceful")
    finally:
        os.kill(store, signal.SIGCONT)
        running.stop()


@pytest.fixture
def letters(service: Service, application: Application, person: str) -> Iterator[socket.socket]:
    """An event stream that has begun."""
    with service.connect() as connection:
        connection.sendall(f"GET /letters HTTP/1.1\r\nhost: x\r\nx-user-id: {person}\r\n\r\n".encode())
        yield connection


def test_events_arrive_one_by_one(letters: socket.socket, application: Application) -> None:
    head, received = read_head(letters)
    assert b"content-type: text/event-stream" in head
    for letter in (b"a", b"b", b"c"):
        while b"data: " + letter not in received:  # the next one is not sent before this one is here
            received += letters.recv(65536)
        wait_until(lambda: application.waiting == 1, "the application waits for the test")
        application.let_go_on()
    while not received.endswith(b"0\r\n\r\n"):
        received += letters.recv(65536)


def test_an_event_stream_is_no_result_that_could_be_kept(
    service: Service, application: Application, expired: str
) -> None:
    application.aborted.clear()
    reply = service.request("GET", "/letters", {"x-user-id": expired, "accept": "text/event-stream"})
    assert (reply.status, reply.reason) == (402, "hold-endless")
    assert b"data: a" not in reply.body
    assert application.aborted.wait(DEADLINE), "the application's stream was closed"


def _handshake(service: Service, path: str, person: str) -> bytes:
    with service.connect() as connection:
        connection.sendall(HANDSHAKE.format(path=path, person=person).encode())
        return read_to_end(connection)


async def _until(condition: Any) -> None:
    await asyncio.to_thread(wait_until, condition, "the application has heard of it")
