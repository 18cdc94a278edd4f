"""The connection that verbs share: every answer finds its question, and no end of it leaves anybody waiting."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import shutil
import subprocess
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from redis.exceptions import BusyLoadingError, ConnectionError, NoScriptError, RedisError, ResponseError, TimeoutError

from gateway.ports.state import StoreUnavailable
from gateway.store.connection import open_link
from gateway.store.transport.line import Line
from gateway.store.transport.place import Place
from tests.free_port import free_port
from tests.store.conftest import until
from tests.store.fleet import REDIS
from tests.upstream.certificates import self_signed

HELLO = b"%1\r\n$5\r\nproto\r\n:3\r\n"
Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def open_line(url: str, answer_timeout: float = 5.0) -> AsyncIterator[tuple[Line, list[Line]]]:
    """A line to this server, and where it tells of its end."""
    pool, ends = Place.read(url).client(5.0, connections=1), list[Line]()
    line = Line(answer_timeout, ends.append)
    try:
        await line.open(pool.connection_pool.make_connection())  # type: ignore[no-untyped-call]
        yield line, ends
    finally:
        line.close()
        await pool.aclose(close_connection_pool=True)


def ask(line: Line, *command: str | bytes | int) -> asyncio.Future[Any]:
    answer: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
    line.ask(command, answer.set_result)
    return answer


@asynccontextmanager
async def server(serve: Serve) -> AsyncIterator[str]:
    """What says these bytes, behind a handshake like Redis's own."""

    async def greet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await reader.readuntil(b"HELLO\r\n$1\r\n3\r\n")
            writer.write(HELLO)
            await serve(reader, writer)
        except (asyncio.IncompleteReadError, ConnectionResetError):
            pass
        finally:
            writer.close()

    listening = await asyncio.start_server(greet, "127.0.0.1", 0)
    try:
        yield f"redis://127.0.0.1:{listening.sockets[0].getsockname()[1]}"
    finally:
        listening.close()


async def test_every_answer_finds_its_question(server_url: str) -> None:
    async with open_line(server_url) as (line, _):
        for _ in range(20):
            answers = [ask(line, "ECHO", str(number)) for number in range(50)]
            await asyncio.sleep(0)
            answers += [ask(line, "ECHO", str(number)) for number in range(50, 100)]
            assert await asyncio.gather(*answers) == [b"%d" % number for number in range(100)]


async def test_what_one_tick_asks_goes_out_in_one_piece() -> None:
    pieces: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while piece := await reader.read(65536):
            pieces.append(piece)
            writer.write(b"+PONG\r\n" * piece.count(b"PING"))

    async with server(serve) as url, open_line(url) as (line, _):
        assert await asyncio.gather(*(ask(line, "PING") for _ in range(30))) == [b"PONG"] * 30
        assert len(pieces) == 1


async def test_errors_are_answers_like_others(server_url: str) -> None:
    async with open_line(server_url) as (line, ends):
        commands: list[tuple[str | int, ...]] = [("PING",), ("GET",), ("EVALSHA", "0" * 40, 0), ("PING",)]
        first, wrong, forgotten, last = await asyncio.gather(*(ask(line, *command) for command in commands))
        assert first == last == b"PONG"
        assert isinstance(wrong, ResponseError) and not isinstance(wrong, NoScriptError)
        assert isinstance(forgotten, NoScriptError)
        assert ends == []


async def test_values_of_every_kind_come_as_they_are(server_url: str) -> None:
    async with open_line(server_url) as (line, _):
        script = "return {1, 'a', {2, false}, redis.status_reply('OK')}"
        assert await ask(line, "EVAL", script, 0) == [1, b"a", [2, None], b"OK"]
        assert await ask(line, "ECHO", "person:\udcff") == b"person:\xed\xb3\xbf"
        assert await ask(line, "ECHO", b"\0" * 300_000) == b"\0" * 300_000


async def test_answers_may_come_in_any_pieces_and_pushes_between_them() -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"b\r\n")
        for byte in b"*2\r\n:1\r\n$2\r\nhi\r\n>2\r\n$4\r\nnews\r\n:7\r\n#f\r\n":
            writer.write(bytes([byte]))
            await writer.drain()
            await asyncio.sleep(0)
        await reader.read()

    async with server(serve) as url, open_line(url) as (line, _):
        first, second = await asyncio.gather(ask(line, "ECHO", "a"), ask(line, "ECHO", "b"))
        assert (first, second) == ([1, b"hi"], False)


async def test_a_server_that_is_loading_does_not_answer() -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"PING\r\n")
        writer.write(b"-LOADING Redis is loading the dataset in memory\r\n")
        await reader.read()

    async with server(serve) as url, open_line(url) as (line, _):
        assert isinstance(await ask(line, "PING"), BusyLoadingError)


class TestEnds:
    async def test_who_waits_is_told_when_the_server_goes(self) -> None:
        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.readuntil(b"c\r\n")
            writer.write(b"+one\r\n$100\r\nhalf")

        async with server(serve) as url, open_line(url) as (line, ends):
            whole, half, none = [ask(line, "ECHO", letter) for letter in "abc"]
            assert await whole == b"one"
            assert isinstance(await half, ConnectionError) and isinstance(await none, ConnectionError)
            assert ends == [line]

    async def test_who_waits_is_told_when_the_answer_takes_too_long(self) -> None:
        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.readuntil(b"a\r\n")
            writer.write(b"+one\r\n")
            await reader.read()

        async with server(serve) as url, open_line(url, 0.2) as (line, ends):
            assert await ask(line, "ECHO", "a") == b"one"
            await asyncio.sleep(0.4)  # its clock has rung meanwhile, with nobody waiting
            assert isinstance(await asyncio.wait_for(ask(line, "ECHO", "b"), 10), TimeoutError)
            assert ends == [line]

    async def test_as_long_as_each_is_answered_in_time_none_is_late(self) -> None:
        """The oldest question counts, not the time since anybody asked first."""

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            while await reader.readuntil(b"PING\r\n"):
                await asyncio.sleep(0.05)
                writer.write(b"+PONG\r\n")

        async with server(serve) as url, open_line(url, 0.5) as (line, ends):
            waiting = [ask(line, "PING")]
            for _ in range(20):
                waiting.append(ask(line, "PING"))  # there is never a moment without a question
                assert await waiting.pop(0) == b"PONG"
            assert ends == []

    @pytest.mark.parametrize("nonsense", [b"HTTP/1.1 400 Bad Request\r\n", b"+asked\r\n+not asked\r\n"])
    async def test_what_can_not_be_understood_ends_it(self, nonsense: bytes) -> None:
        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.readuntil(b"a\r\n")
            writer.write(nonsense)
            await reader.read()

        async with server(serve) as url, open_line(url) as (line, ends):
            answer = await ask(line, "ECHO", "a")
            assert answer == b"asked" or isinstance(answer, ConnectionError)
            await until(lambda: ends == [line], "it is over")

    async def test_one_that_is_closed_as_soon_as_it_is_open_never_was(self, tmp_path: Path) -> None:
        """As behind a proxy for TLS whose server restarts: whoever asks must be told, and the next line be opened."""
        tls, certificate = self_signed(tmp_path, "localhost")
        greeted = 0

        async def greet_and_go(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            nonlocal greeted
            greeted += 1
            await reader.readuntil(b"HELLO\r\n$1\r\n3\r\n")
            writer.write(HELLO)
            if greeted > 1:
                await reader.readuntil(b"ROLE\r\n")
                writer.write(b"-ERR unknown command\r\n")
                with contextlib.suppress(asyncio.IncompleteReadError):
                    while await reader.readuntil(b"PING\r\n"):
                        writer.write(b"+PONG\r\n")
            writer.close()

        listening = await asyncio.start_server(greet_and_go, "127.0.0.1", 0, ssl=tls)
        port = listening.sockets[0].getsockname()[1]
        link = open_link(f"rediss://localhost:{port}?ssl_ca_certs={certificate}")
        try:
            with pytest.raises(StoreUnavailable, match="closed"):
                await asyncio.wait_for(link.ping(), 10)
            await until(lambda: not link.nodes[0].is_away, "it is found to be back")
            await asyncio.wait_for(link.ping(), 10)
        finally:
            await link.close()
            listening.close()

    async def test_one_that_has_ended_says_so_to_whoever_asks(self, server_url: str) -> None:
        async with open_line(server_url) as (line, _):
            line.close()
            assert isinstance(await asyncio.wait_for(ask(line, "PING"), 10), ConnectionError)

    async def test_one_that_never_opens_says_why(self, tmp_path: Path) -> None:
        with pytest.raises(RedisError, match="none"):
            async with open_line(f"unix://{tmp_path}/none"):
                pass

    async def test_it_leaves_nothing_open(self, server_url: str, recwarn: pytest.WarningsRecorder) -> None:
        async with open_line(server_url) as (line, ends):
            assert await ask(line, "PING") == b"PONG"
            waiting = ask(line, "PING")
        assert isinstance(await waiting, ConnectionError) and ends == [line]
        del line, ends
        await asyncio.sleep(0)
        gc.collect()
        assert [each for each in recwarn if each.category is ResourceWarning] == []


async def test_passwords_databases_and_tls_are_as_the_address_says(tmp_path: Path) -> None:
    if not shutil.which(REDIS):
        pytest.skip(f"{REDIS} is not installed")
    _, certificate = self_signed(tmp_path, "localhost")
    port = free_port()
    address = f"rediss://:right@localhost:{port}/3?ssl_ca_certs={certificate}"
    arguments = [
        REDIS, "--port", "0", "--tls-port", str(port), "--tls-cert-file", str(certificate), "--tls-key-file",
        str(tmp_path / "localhost.key"), "--tls-ca-cert-file", str(certificate), "--tls-auth-clients", "no",
        "--requirepass", "right", "--save", "", "--dir", str(tmp_path),
    ]  # fmt: skip
    with (tmp_path / "log").open("wb") as log:
        running = subprocess.Popen(arguments, stdout=log, stderr=log)
    try:
        await until(lambda: b"Ready to accept" in (tmp_path / "log").read_bytes(), "it listens")
        async with open_line(address) as (line, _):
            assert await ask(line, "SET", "here", "1") == b"OK"
            assert await ask(line, "EVAL", "return redis.call('GET', 'here')", 0) == b"1"
        async with open_line(address.replace("/3?", "/4?")) as (line, _):
            assert await ask(line, "EXISTS", "here") == 0
        with pytest.raises(RedisError, match="password"):
            async with open_line(address.replace("right", "wrong")):
                pass
    finally:
        running.terminate()
        running.wait(10)
