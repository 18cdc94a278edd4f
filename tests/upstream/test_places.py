"""Where an application can listen: TCP, TLS, a Unix socket; and where it cannot be reached."""

from __future__ import annotations

import asyncio
import socket
from pathlib import Path

import pytest

from gateway.ports.upstream import UpstreamError, UpstreamFailure
from gateway.upstream.address import parse_address
from tests.upstream.application import Line, Pieces, answers, application, connector, get, until, whole
from tests.upstream.certificates import self_signed, trusting

OK = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"
MEGABYTE = 1024 * 1024


async def test_unix_socket(tmp_path: Path) -> None:
    async with application(answers(OK, OK), path=tmp_path / "app.sock") as app, connector(app.address) as upstream:
        for _ in range(2):
            assert await whole(await get(upstream)) == b"ok"
        assert app.connections == 1


async def test_missing_unix_socket_is_unreachable(tmp_path: Path) -> None:
    async with connector(parse_address(f"unix://{tmp_path}/none.sock")) as upstream:
        with pytest.raises(UpstreamError, match=r"none\.sock") as error:
            await get(upstream)
        assert error.value.failure is UpstreamFailure.UNREACHABLE


async def test_tls_carries_everything(tmp_path: Path) -> None:
    server, certificate = self_signed(tmp_path, "localhost")

    async def script(line: Line) -> None:
        while head := await line.head():
            size = 3 * MEGABYTE if head.startswith(b"POST") else 0
            body = await line.reader.readexactly(size)
            await line.say(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n" % size + body)

    async with (
        application(script, tls=server, client_tls=trusting(certificate)) as app,
        connector(app.address, read_high_water=1000) as upstream,
    ):
        for _ in range(2):
            body = b"x" * 3 * MEGABYTE
            assert await whole(await get(upstream, b"POST", Pieces([body], len(body)))) == body
            assert await whole(await get(upstream)) == b""
        assert app.connections == 1


async def test_tls_without_trust_is_unreachable(tmp_path: Path) -> None:
    server, _ = self_signed(tmp_path, "localhost")
    async with application(answers(OK), tls=server) as app, connector(app.address) as upstream:
        with pytest.raises(UpstreamError, match="CERTIFICATE_VERIFY_FAILED") as error:
            await get(upstream)
        assert error.value.failure is UpstreamFailure.UNREACHABLE
        await until(lambda: app.open_lines == 0)


async def test_tls_for_another_name_is_unreachable(tmp_path: Path) -> None:
    server, certificate = self_signed(tmp_path, "elsewhere.example")
    async with (
        application(answers(OK), tls=server, client_tls=trusting(certificate)) as app,
        connector(app.address) as upstream,
    ):
        with pytest.raises(UpstreamError, match="localhost") as error:
            await get(upstream)
        assert error.value.failure is UpstreamFailure.UNREACHABLE


async def test_tls_to_an_application_without_is_unreachable() -> None:
    async def script(line: Line) -> None:
        await line.reader.read(100)
        await line.say(b"HTTP/1.1 400 Bad Request\r\n\r\n")

    async with (
        application(script) as app,
        connector(parse_address(str(app.address).replace("http", "https"))) as upstream,
    ):
        with pytest.raises(UpstreamError) as error:
            await get(upstream)
        assert error.value.failure is UpstreamFailure.UNREACHABLE


async def test_tls_handshake_counts_as_connecting() -> None:
    async with application(Line.closed_by_gateway) as app:
        address = parse_address(str(app.address).replace("http", "https"))
        async with connector(address, connect_timeout=0.2) as upstream:
            with pytest.raises(UpstreamError) as error:
                await get(upstream)
            assert error.value.failure is UpstreamFailure.TIMEOUT
            await until(lambda: app.open_lines == 0)


async def test_cancelling_while_connecting_frees_the_place() -> None:
    async with application(Line.closed_by_gateway) as app:
        address = parse_address(str(app.address).replace("http", "https"))
        async with connector(address, max_connections=1) as upstream:
            for number in (1, 2):
                asking = asyncio.create_task(get(upstream))
                await until(lambda number=number: app.connections == number)  # type: ignore[misc]
                asking.cancel()
                with pytest.raises(asyncio.CancelledError):
                    await asking


async def test_closed_port_is_unreachable() -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        async with connector(parse_address(f"http://127.0.0.1:{probe.getsockname()[1]}")) as upstream:
            with pytest.raises(UpstreamError, match="is the application running") as error:
                await get(upstream)
            assert error.value.failure is UpstreamFailure.UNREACHABLE


async def test_unknown_name_is_unreachable() -> None:
    async with connector(parse_address("http://no-such-host.invalid")) as upstream:
        with pytest.raises(UpstreamError, match=r"no-such-host\.invalid") as error:
            await get(upstream)
        assert error.value.failure is UpstreamFailure.UNREACHABLE
