"""Handshakes of WebSockets that pass as bytes, against exact bytes: what goes out, what is taken for an answer."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from gateway.ports.upstream import Headers, Switched, UpstreamError, UpstreamFailure, WebSocketRefused
from gateway.upstream.address import parse_address
from gateway.upstream.exchange import Exchange
from gateway.upstream.switching import REFUSAL_BYTES_LIMIT
from tests.upstream.application import PATIENCE, Line, Script, answers, application, connected, until
from tests.upstream.certificates import self_signed, trusting
from tests.upstream.test_websocket import connector, handshake, leave

KEY = b"dGhlIHNhbXBsZSBub25jZQ=="
ACCEPT = b"sec-websocket-accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"
"""The pair of RFC 6455 section 1.3."""
CLIENT: Headers = [
    (b"host", b"a.example"),
    (b"sec-websocket-version", b"13"),
    (b"sec-websocket-key", KEY),
    (b"sec-websocket-extensions", b"permessage-deflate; client_max_window_bits"),
    (b"sec-websocket-protocol", b"chat, other"),
    (b"x-name", b"gr\xfc\xdf"),
]
SWITCH = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: WebSocket\r\nConnection: keep-alive, Upgrade\r\n"


def shaken(extra: bytes = b"", then: Callable[[Line], Awaitable[None]] = leave) -> Script:
    """An application that accepts KEY."""

    async def script(line: Line) -> None:
        await line.head()
        await line.say(SWITCH + ACCEPT + b"\r\n" + extra)
        await then(line)

    return script


async def refused(data: bytes) -> WebSocketRefused:
    async with application(answers(data)) as app, connector(app.address) as upstream:
        with pytest.raises(WebSocketRefused) as error:
            await upstream.switch(b"/", CLIENT)
        await until(lambda: app.open_lines == 0)
        assert app.connections == 1
    return error.value


async def failed(script: Script, **limits: float) -> UpstreamError:
    async with application(script) as app, connector(app.address, **limits) as upstream:
        with pytest.raises(UpstreamError) as error:
            await upstream.switch(b"/", CLIENT)
        await until(lambda: app.open_lines == 0)
        assert app.connections == 1
    return error.value


async def rest_of(switched: Switched, size: int) -> bytes:
    """What the application sends on, to whoever has the connection now."""
    reader = asyncio.StreamReader()
    switched.transport.set_protocol(asyncio.StreamReaderProtocol(reader))
    switched.transport.resume_reading()
    return await asyncio.wait_for(reader.readexactly(size), PATIENCE)


@pytest.mark.parametrize("target", [b"/", b"/a%2Fb/../c//d;e?", b"/?a=1&&=&%zz", b"//evil/%2e?x=#f", b"/\xe9"])
async def test_the_handshake_of_the_client_goes_out_byte_for_byte(target: bytes) -> None:
    requests: list[bytes] = []
    async with application(handshake(requests, leave)) as app, connector(app.address) as upstream:
        (await upstream.switch(target, CLIENT)).transport.abort()
    lines = [b"GET " + target + b" HTTP/1.1", *map(b": ".join, CLIENT), b"connection: Upgrade", b"upgrade: websocket"]
    assert requests == [b"\r\n".join(lines) + b"\r\n\r\n"]


async def test_what_was_agreed_on_is_handed_back_without_what_is_of_one_connection() -> None:
    agreed = b"Sec-WebSocket-Extensions: permessage-deflate\r\nSet-Cookie: a=1\r\nKeep-Alive: timeout=5\r\n"
    async with application(answers(SWITCH + ACCEPT + agreed + b"\r\n")) as app, connector(app.address) as upstream:
        switched = await upstream.switch(b"/", CLIENT)
        switched.transport.abort()
    assert switched.headers == [
        (b"sec-websocket-accept", b"s3pPLMBiTxaQ9kYGzzhZRbK+xOo="),
        (b"sec-websocket-extensions", b"permessage-deflate"),
        (b"set-cookie", b"a=1"),
    ]


@pytest.mark.parametrize("early", [b"", b"\x81\x02hi", b"HTTP/1.1 200 OK\r\n\r\n", b"\r\n" * 5000])
async def test_not_a_byte_behind_the_answer_is_lost_or_read_as_http(early: bytes) -> None:
    may_go_on = asyncio.Event()

    async def say_more(line: Line) -> None:
        await may_go_on.wait()
        await line.say(b"more\x00\r\n")
        await line.closed_by_gateway()

    async with application(shaken(early, say_more)) as app, connector(app.address) as upstream:
        switched = await upstream.switch(b"/", CLIENT)
        may_go_on.set()
        rest = switched.early + await rest_of(switched, len(early) - len(switched.early) + 7)
        assert rest == early + b"more\x00\r\n"
        await upstream.close()
        assert not switched.transport.is_closing(), "it is nobody's but the caller's"
        switched.transport.abort()
        await until(lambda: app.open_lines == 0)


async def test_what_comes_before_it_is_handed_over_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    """The answer and what follows may come in two pieces, and whoever waits for it gets round to it later."""
    real = Exchange.wait_for_head

    async def later(exchange: Exchange) -> None:
        await real(exchange)
        await asyncio.sleep(0.1)

    async def say_more(line: Line) -> None:
        await asyncio.sleep(0.03)
        await line.say(b"more")
        await line.closed_by_gateway()

    monkeypatch.setattr(Exchange, "wait_for_head", later)
    async with application(shaken(b"", say_more)) as app, connector(app.address) as upstream:
        switched = await upstream.switch(b"/", CLIENT)
        assert switched.early + await rest_of(switched, 4) == b"more"
        switched.transport.abort()


@pytest.mark.parametrize("tls", [False, True], ids=["plain", "tls"])
async def test_an_application_that_has_little_to_say_is_heard(tmp_path: Path, tls: bool) -> None:
    server, certificate = self_signed(tmp_path, "localhost")
    script, of_server, of_client = shaken(b"\x81\x02hi\x88\x00"), server if tls else None, trusting(certificate)
    async with application(script, tls=of_server, client_tls=of_client) as app, connector(app.address) as upstream:
        switched = await upstream.switch(b"/", CLIENT)
        rest = b"" if switched.early else await rest_of(switched, 6)
        assert switched.early + rest == b"\x81\x02hi\x88\x00"
        switched.transport.abort()


@pytest.mark.parametrize("status", [200, 204, 206])
async def test_nothing_is_read_of_what_is_passed_on_to_nobody(status: int) -> None:
    """A stream without end would be waited for, and be taken for an application that does not answer."""

    async def endless(line: Line) -> None:
        await line.head()
        await line.say(b"HTTP/1.1 %d X\r\ncontent-type: text/event-stream\r\n\r\ndata: 1\n\n" % status)
        await line.closed_by_gateway()

    async with application(endless) as app, connector(app.address) as upstream:
        with pytest.raises(WebSocketRefused) as error:
            await asyncio.wait_for(upstream.switch(b"/", CLIENT), PATIENCE)
        assert (error.value.status, error.value.body) == (status, b"")
        await until(lambda: app.open_lines == 0)


async def test_blanks_around_the_key_are_no_part_of_it() -> None:
    headers = [(name, value + b" \t" if value == KEY else value) for name, value in CLIENT]
    async with application(shaken()) as app, connector(app.address) as upstream:
        (await upstream.switch(b"/", headers)).transport.abort()


async def test_an_interim_answer_may_come_before() -> None:
    script = answers(b"HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n" + SWITCH + ACCEPT + b"\r\n!")
    async with application(script) as app, connector(app.address) as upstream:
        switched = await upstream.switch(b"/", CLIENT)
        assert (switched.early, len(switched.headers)) == (b"!", 1)
        switched.transport.abort()


async def test_a_refusal_comes_whole() -> None:
    error = await refused(
        b"HTTP/1.1 403 Forbidden\r\nSet-Cookie: a=1\r\nConnection: close, x-hop\r\nX-Hop: 1\r\nset-cookie: b=2\r\n"
        b"transfer-encoding: chunked\r\n\r\n5\r\nno\xff\r\n\r\n0\r\n\r\n"
    )
    assert (error.status, error.body) == (403, b"no\xff\r\n")
    assert error.headers == [(b"set-cookie", b"a=1"), (b"set-cookie", b"b=2")]
    error = await refused(b"HTTP/1.1 500 X\r\ncontent-length: 2000000\r\n\r\n" + b"x" * 2_000_000)
    assert error.body == b"x" * REFUSAL_BYTES_LIMIT


@pytest.mark.parametrize(
    "answer",
    [
        SWITCH + b"\r\n",
        SWITCH + ACCEPT.replace(b"s3p", b"S3p") + b"\r\n",
        SWITCH + ACCEPT + ACCEPT + b"\r\n",
        SWITCH.replace(b"WebSocket", b"h2c") + ACCEPT + b"\r\n",
        SWITCH + b"upgrade: h2c\r\n" + ACCEPT + b"\r\n",
        SWITCH.replace(b", Upgrade", b"") + ACCEPT + b"\r\n",
        SWITCH.replace(b"Upgrade: WebSocket\r\n", b"") + ACCEPT + b"\r\n",
        SWITCH + ACCEPT + b"x: y\r\n" * 1000 + b"\r\n",
        SWITCH + ACCEPT + b"x: " + b"y" * 70_000 + b"\r\n\r\n",
        b"SSH-2.0-x\r\n\r\n",
    ],
    ids=[
        "no accept", "another accept", "two accepts", "another protocol", "two protocols", "no connection option",
        "no protocol", "too many headers", "too large", "no HTTP",
    ],
)  # fmt: skip
async def test_what_accepts_no_websocket_opens_none(answer: bytes) -> None:
    """Whoever could make an application answer like this would have a way past the gateway for all that follows."""
    assert (await failed(answers(answer))).failure is UpstreamFailure.MALFORMED


async def test_a_request_that_asked_for_nothing_is_never_switched() -> None:
    async with connected(answers(SWITCH + ACCEPT + b"\r\n")) as (app, upstream):
        with pytest.raises(UpstreamError) as error:
            await upstream.send(b"GET", b"/", CLIENT, None)
        assert error.value.failure is UpstreamFailure.MALFORMED
        await until(lambda: app.open_lines == 0)


async def test_a_switch_behind_an_answer_ends_the_connection() -> None:
    whole = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"
    async with connected(answers(whole + SWITCH + ACCEPT + b"\r\n")) as (app, upstream):
        answer = await upstream.send(b"GET", b"/", [], None)
        assert await answer.read() == b"ok"
        await until(lambda: app.open_lines == 0)
        assert upstream.open_connections == 0


async def test_silence_and_ends_are_failures() -> None:
    async def silent(line: Line) -> None:
        await line.closed_by_gateway()

    async def stalling(line: Line) -> None:
        await line.head()
        await line.say(b"HTTP/1.1 403 Forbidden\r\ncontent-length: 10\r\n\r\n12345")
        await line.closed_by_gateway()

    async def leaving(line: Line) -> None:
        await line.head()

    assert (await failed(silent, read_timeout=0.3)).failure is UpstreamFailure.TIMEOUT
    assert (await failed(stalling, read_timeout=0.3)).failure is UpstreamFailure.TIMEOUT
    assert (await failed(leaving)).failure is UpstreamFailure.BROKEN


async def test_nobody_there_is_unreachable_and_nothing_was_sent() -> None:
    async with application(answers()) as app:
        address = app.address
    async with connector(address) as upstream:
        with pytest.raises(UpstreamError) as error:
            await upstream.switch(b"/", CLIENT)
    assert error.value.failure is UpstreamFailure.UNREACHABLE and error.value.unsent


@pytest.mark.parametrize("cancel", [True, False], ids=["cancelled", "closed"])
async def test_a_handshake_under_way_ends_with_whoever_wanted_it(cancel: bool) -> None:
    async with application(answers(b"")) as app, connector(app.address) as upstream:
        waiting = asyncio.create_task(upstream.switch(b"/", CLIENT))
        await until(lambda: app.open_lines == 1)
        if cancel:
            waiting.cancel()
        else:
            await upstream.close()
        await asyncio.wait([waiting], timeout=PATIENCE)
        assert waiting.cancelled() or isinstance(waiting.exception(), UpstreamError)
        await until(lambda: app.open_lines == 0)


@pytest.mark.parametrize(
    ("target", "headers"),
    [(b"/a b", []), (b"/\r\nx: y", []), (b"/", [(b"x", b"a\r\nb: c")]), (b"/", [(b"connection", b"close")])],
)
async def test_what_cannot_be_sent_unchanged_is_refused(target: bytes, headers: Headers) -> None:
    async with application(answers()) as app, connector(app.address) as upstream:
        with pytest.raises(ValueError):
            await upstream.switch(target, headers)
        assert app.connections == 0


async def test_over_tls_and_a_unix_socket(tmp_path: Path) -> None:
    async def echo(line: Line) -> None:
        await line.say(await line.reader.readexactly(4))
        await line.closed_by_gateway()

    server, certificate = self_signed(tmp_path, "localhost")
    for settings in ({"tls": server, "client_tls": trusting(certificate)}, {"path": tmp_path / "app.sock"}):
        async with application(shaken(b"", echo), **settings) as app, connector(app.address) as upstream:
            switched = await upstream.switch(b"/", CLIENT)
            switched.transport.write(b"ping")
            assert await rest_of(switched, 4) == b"ping"
            switched.transport.abort()
    async with application(shaken(), tls=server) as app, connector(parse_address(str(app.address))) as distrusting:
        with pytest.raises(UpstreamError) as error:
            await distrusting.switch(b"/", CLIENT)
        assert error.value.failure is UpstreamFailure.UNREACHABLE
