"""WebSockets to the application, against aiohttp's server and against exact bytes."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aiohttp import WSMsgType, web

from gateway.ports.upstream import Headers, UpstreamError, UpstreamFailure, WebSocketRefused
from gateway.upstream.address import UpstreamAddress, parse_address
from gateway.upstream.limits import UpstreamLimits
from gateway.upstream.switching import REFUSAL_BYTES_LIMIT
from gateway.upstream.websocket import WebSocketConnector
from tests.upstream.application import Line, Script, answers, application, until
from tests.upstream.certificates import self_signed, trusting

Handler = Callable[[web.WebSocketResponse], Awaitable[None]]


@asynccontextmanager
async def connector(address: UpstreamAddress, **limits: float) -> AsyncIterator[WebSocketConnector]:
    upstream = WebSocketConnector(address, UpstreamLimits(**limits))  # type: ignore[arg-type]
    try:
        yield upstream
    finally:
        await upstream.close()


@asynccontextmanager
async def serving(handler: Handler, protocols: tuple[str, ...] = ()) -> AsyncIterator[WebSocketConnector]:
    """aiohttp's own server, with a connector to it."""

    async def handle(request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse(protocols=protocols, max_msg_size=0, autoping=False, autoclose=False)
        socket.headers["set-cookie"] = "seen=1"
        await socket.prepare(request)
        await handler(socket)
        return socket

    server = web.Application()
    server.router.add_get("/{tail:.*}", handle)
    runner = web.AppRunner(server, shutdown_timeout=1)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        port = runner.addresses[0][1]
        async with connector(parse_address(f"http://localhost:{port}")) as upstream:
            yield upstream
    finally:
        await runner.cleanup()


async def echo(socket: web.WebSocketResponse) -> None:
    while True:
        message = await socket.receive()
        if message.type is WSMsgType.TEXT:
            await socket.send_str(message.data)
        elif message.type is WSMsgType.BINARY:
            await socket.send_bytes(message.data)
        else:
            return


async def test_messages_of_any_kind_and_size_go_both_ways() -> None:
    async with serving(echo) as upstream:
        peer = await upstream.connect(b"/", [], [])
        messages: list[str | bytes] = ["", b"", "grüße", b"\0\xff", "x" * 70_000, b"y" * 5_000_000]
        for message in messages:
            await peer.send(message)
            assert await peer.receive() == message
        await peer.close(1000, "")


@pytest.mark.parametrize(("code", "reason"), [(1000, "done"), (1001, ""), (4321, "näin"), (1011, "x" * 123)])
async def test_close_of_the_application_keeps_code_and_reason(code: int, reason: str) -> None:
    async def close(socket: web.WebSocketResponse) -> None:
        await socket.send_str("last words")
        await socket.close(code=code, message=reason.encode())

    async with serving(close) as upstream:
        peer = await upstream.connect(b"/", [], [])
        assert await peer.receive() == "last words"
        assert await peer.receive() is None
        assert (peer.close_code, peer.close_reason) == (code, reason)
        assert await peer.receive() is None
        with pytest.raises(UpstreamError) as error:
            await peer.send("too late")
        assert error.value.failure is UpstreamFailure.BROKEN
        await peer.close(1000, "")
        assert (peer.close_code, peer.close_reason) == (code, reason)


@pytest.mark.parametrize(
    ("code", "reason", "seen"),
    [
        (1000, "bye", (1000, "bye")),
        (4999, "", (4999, "")),
        (1005, "", (1000, "")),
        (1006, "", (1001, "")),
        (1001, "ü" * 100, (1001, "ü" * 61)),
    ],
)
async def test_close_reaches_the_application(code: int, reason: str, seen: tuple[int, str]) -> None:
    closes: list[tuple[int, str]] = []

    async def watch(socket: web.WebSocketResponse) -> None:
        message = await socket.receive()
        assert message.type is WSMsgType.CLOSE
        closes.append((message.data, message.extra or ""))
        await socket.close()

    async with serving(watch) as upstream:
        peer = await upstream.connect(b"/", [], [])
        await peer.close(code, reason)
        await peer.close(1002, "again")
        await until(lambda: bool(closes))
        assert closes == [seen]
        assert await peer.receive() is None
        assert (peer.close_code, peer.close_reason) == (code, reason)


async def test_closing_wakes_the_receiver() -> None:
    async with serving(echo) as upstream:
        peer = await upstream.connect(b"/", [], [])
        receiving = asyncio.create_task(peer.receive())
        await asyncio.sleep(0)
        await peer.close(4000, "enough")
        assert await receiving is None
        assert (peer.close_code, peer.close_reason) == (4000, "enough")


async def test_pings_are_answered_and_not_handed_on() -> None:
    async def ping(socket: web.WebSocketResponse) -> None:
        await socket.ping(b"are you there")
        message = await socket.receive()
        await socket.pong(b"unasked")
        await socket.send_str(f"{message.type.name} {message.data.decode()}")
        await socket.receive()
        await socket.close()

    async with serving(ping) as upstream:
        peer = await upstream.connect(b"/", [], [])
        assert await peer.receive() == "PONG are you there"
        await peer.close(1000, "")


async def test_subprotocol_is_agreed_on() -> None:
    async with serving(echo, protocols=("v2", "v1")) as upstream:
        for offered, agreed in ((["v0", "v1", "v2"], "v1"), (["v0"], None), ([], None)):
            peer = await upstream.connect(b"/", [], offered)
            assert peer.subprotocol == agreed
            await peer.close(1000, "")


async def test_headers_of_the_answer_without_those_of_the_protocol() -> None:
    async with serving(echo, protocols=("v1",)) as upstream:
        peer = await upstream.connect(b"/", [], ["v1"])
        names = {name for name, _ in peer.headers}
        assert (b"set-cookie", b"seen=1") in peer.headers
        assert not {name for name in names if name.startswith(b"sec-") or name in (b"upgrade", b"connection")}
        await peer.close(1000, "")


def handshake(requests: list[bytes], then: Callable[[Line], Awaitable[None]], extra: bytes = b"") -> Script:
    """An application that shakes hands byte by byte."""

    async def script(line: Line) -> None:
        request = await line.head()
        requests.append(request)
        key = next(part for part in request.split(b"\r\n") if part.lower().startswith(b"sec-websocket-key"))
        digest = hashlib.sha1(key.split(b": ")[1] + b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11").digest()
        await line.say(
            b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Accept: " + base64.b64encode(digest) + b"\r\n" + extra + b"\r\n"
        )
        await then(line)

    return script


async def leave(line: Line) -> None:
    """Close without a word."""


@pytest.mark.parametrize("target", [b"/", b"/a%2Fb/../c//d;e?", b"/?a=1&&=&%zz", b"//evil/%2e?x=#f", b"/?x=?y"])
async def test_target_and_headers_arrive_byte_for_byte(target: bytes) -> None:
    requests: list[bytes] = []
    headers = [(b"host", b"app.example"), (b"cookie", b"a=1"), (b"x-name", "grüß".encode()), (b"cookie", b"b=2")]
    async with application(handshake(requests, leave)) as app, connector(app.address) as upstream:
        peer = await upstream.connect(target, headers, [])
        assert await peer.receive() is None
    lines = requests[0].split(b"\r\n")
    assert lines[0] == b"GET " + target + b" HTTP/1.1"
    given = [line.partition(b": ") for line in lines[1:] if line]
    assert [(name, value) for name, _, value in given if name in dict(headers)] == headers
    added = {name.lower() for name, _, _ in given} - dict(headers).keys()
    assert added == {b"upgrade", b"connection", b"sec-websocket-version", b"sec-websocket-key"}


async def test_handshake_headers_of_the_client_are_replaced() -> None:
    requests: list[bytes] = []
    headers = [(b"sec-websocket-key", b"stale"), (b"sec-websocket-extensions", b"permessage-deflate")]
    async with application(handshake(requests, leave)) as app, connector(app.address) as upstream:
        await (await upstream.connect(b"/", headers, [])).receive()
    assert b"stale" not in requests[0]
    assert b"extensions" not in requests[0]


async def test_application_that_leaves_without_a_word_is_1006() -> None:
    async with application(handshake([], leave)) as app, connector(app.address) as upstream:
        peer = await upstream.connect(b"/", [], [])
        assert await peer.receive() is None
        assert (peer.close_code, peer.close_reason) == (1006, "")


async def test_close_without_a_code_is_1005_and_answered() -> None:
    answered: list[bytes] = []

    async def close(line: Line) -> None:
        await line.say(b"\x88\x00")
        answered.append((await line.reader.readexactly(2))[:1])

    async with application(handshake([], close)) as app, connector(app.address) as upstream:
        peer = await upstream.connect(b"/", [], [])
        assert await peer.receive() is None
        assert (peer.close_code, peer.close_reason) == (1005, "")
        await until(lambda: app.open_lines == 0)
    assert answered == [b"\x88"]


@pytest.mark.parametrize(
    ("frame", "code"), [(b"\x83\x00", 1002), (b"\x81\x02\xff\xfe", 1007), (b"\x88\x02\x03\xed", 1002)]
)
async def test_nonsense_closes_with_its_code(frame: bytes, code: int) -> None:
    async def babble(line: Line) -> None:
        await line.say(frame)
        await line.closed_by_gateway()

    async with application(handshake([], babble)) as app, connector(app.address) as upstream:
        peer = await upstream.connect(b"/", [], [])
        assert await peer.receive() is None
        assert peer.close_code == code
        await until(lambda: app.open_lines == 0)


async def test_slow_reader_holds_the_application_back() -> None:
    written = [0]

    async def flood(line: Line) -> None:
        frame = b"\x82\x7f" + (65536).to_bytes(8, "big") + b"x" * 65536
        for _ in range(3000):
            await line.say(frame)
            written[0] += 65536
        await line.say(b"\x88\x02\x03\xe8")
        await line.closed_by_gateway()

    async with application(handshake([], flood)) as app, connector(app.address) as upstream:
        peer = await upstream.connect(b"/", [], [])
        seen, still = -1, 0
        while still < 20:
            await asyncio.sleep(0.01)
            still = still + 1 if written[0] == seen else 0
            seen = written[0]
        assert written[0] < 32 * 1024 * 1024
        received = 0
        while message := await peer.receive():
            received += len(message)
        assert received == 3000 * 65536


async def refusal(data: bytes) -> WebSocketRefused:
    async with application(answers(data)) as app, connector(app.address) as upstream:
        with pytest.raises(WebSocketRefused) as refused:
            await upstream.connect(b"/", [], [])
        await until(lambda: app.open_lines == 0)
        assert app.connections == 1
    return refused.value


async def test_refusal_comes_with_status_headers_and_body() -> None:
    refused = await refusal(
        b"HTTP/1.1 403 Forbidden\r\nSet-Cookie: a=1\r\nConnection: close, x-hop\r\nX-Hop: 1\r\nset-cookie: b=2\r\n"
        b"content-encoding: gzip\r\ncontent-length: 5\r\n\r\nno\xff\r\n"
    )
    assert (refused.status, refused.body) == (403, b"no\xff\r\n")
    assert refused.headers == [(b"set-cookie", b"a=1"), (b"set-cookie", b"b=2"), (b"content-encoding", b"gzip")]


async def test_body_of_a_refusal_is_capped() -> None:
    refused = await refusal(b"HTTP/1.1 500 X\r\ncontent-length: 2000000\r\n\r\n" + b"x" * 2_000_000)
    assert refused.body == b"x" * REFUSAL_BYTES_LIMIT


@pytest.mark.parametrize("status", [200, 204, 302, 401, 426])
async def test_no_other_answer_is_followed_or_accepted(status: int) -> None:
    refused = await refusal(b"HTTP/1.1 %d X\r\nlocation: /elsewhere\r\ncontent-length: 0\r\n\r\n" % status)
    assert refused.status == status
    assert (b"location", b"/elsewhere") in refused.headers


@pytest.mark.parametrize(
    ("data", "failure"),
    [
        (b"HTTP/1.1 101 X\r\nupgrade: websocket\r\nconnection: upgrade\r\n\r\n", "malformed"),
        (b"SSH-2.0-x\r\n\r\n", "malformed"),
        (b"", "timeout"),
    ],
)
async def test_no_handshake_is_an_upstream_error(data: bytes, failure: str) -> None:
    async with application(answers(data)) as app, connector(app.address, read_timeout=0.3) as upstream:
        with pytest.raises(UpstreamError) as error:
            await upstream.connect(b"/", [], [])
        assert error.value.failure == failure
        await until(lambda: app.open_lines == 0)


async def test_application_that_leaves_in_the_handshake_is_broken() -> None:
    async def script(line: Line) -> None:
        await line.head()

    async with application(script) as app, connector(app.address) as upstream:
        with pytest.raises(UpstreamError) as error:
            await upstream.connect(b"/", [], [])
        assert error.value.failure is UpstreamFailure.BROKEN
        assert app.connections == 1


async def test_nobody_there_is_unreachable() -> None:
    async with application(answers()) as app:
        address = app.address
    async with connector(address) as upstream:
        with pytest.raises(UpstreamError) as error:
            await upstream.connect(b"/", [], [])
        assert error.value.failure is UpstreamFailure.UNREACHABLE


@pytest.mark.parametrize(
    ("target", "headers"),
    [
        (b"/a b", []),
        (b"/\r\nx: y", []),
        (b"/\xe9", []),
        (b"/", [(b"x", b"a\r\nb: c")]),
        (b"/", [(b"x", b"\xe9")]),
        (b"/", [(b"connection", b"close")]),
    ],
)
async def test_what_cannot_be_sent_unchanged_is_refused(target: bytes, headers: Headers) -> None:
    async with application(answers()) as app, connector(app.address) as upstream:
        with pytest.raises(ValueError):
            await upstream.connect(target, headers, [])
        assert app.connections == 0


async def test_unix_socket(tmp_path: Path) -> None:
    requests: list[bytes] = []
    async with (
        application(handshake(requests, leave), path=tmp_path / "app.sock") as app,
        connector(app.address) as upstream,
    ):
        assert await (await upstream.connect(b"/x", [(b"host", b"a")], [])).receive() is None
    assert requests[0].startswith(b"GET /x HTTP/1.1\r\nhost: a\r\n")


async def test_tls_is_verified(tmp_path: Path) -> None:
    server, certificate = self_signed(tmp_path, "localhost")
    async with application(handshake([], leave), tls=server, client_tls=trusting(certificate)) as app:
        async with connector(app.address) as upstream:
            assert await (await upstream.connect(b"/", [], [])).receive() is None
        async with connector(parse_address(str(app.address))) as distrusting:
            with pytest.raises(UpstreamError) as error:
                await distrusting.connect(b"/", [], [])
            assert error.value.failure is UpstreamFailure.UNREACHABLE


def test_aiohttp_is_loaded_with_the_first_websocket_and_not_before() -> None:
    program = "import sys, gateway.upstream.websocket, gateway.upstream.connector; print('aiohttp' in sys.modules)"
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert ran.stdout == "False\n"
