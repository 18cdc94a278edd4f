"""WebSockets as bytes: what goes in comes out, both ways, to the end, and no side can hold the other for ever."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest

from gateway.wire import tunnel
from gateway.wire.frames import CLOSE_TO_APPLICATION, CLOSE_TO_CLIENT
from gateway.wire.handshake import EARLY_BYTES_LIMIT
from tests.store.conftest import until
from tests.wire.application import PATIENCE, SWITCHED, Client, Server
from tests.wire.test_frames import frame
from tests.wire.test_protocol import HANDSHAKE, get

SOCKET = get(b"/socket", *HANDSHAKE)
MEGABYTE = 2**20


class Far:
    """What the application has behind the gateway: its end of every WebSocket, as the bytes it is."""

    def __init__(self) -> None:
        self.opened: asyncio.Queue[Client] = asyncio.Queue()
        self._all: list[Client] = []
        self.early = b""
        self.dialled = asyncio.Event()
        self.may_open = asyncio.Event()
        self.may_open.set()

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._take, "127.0.0.1", 0)
        self._port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        self._server.close()
        for each in self._all:
            await each.leave()
        await self._server.wait_closed()

    async def dial(self) -> tuple[asyncio.Transport, bytes]:
        """What the gateway gets: open, and not read."""
        self.dialled.set()
        await self.may_open.wait()
        transport, _ = await asyncio.get_running_loop().create_connection(asyncio.Protocol, "127.0.0.1", self._port)
        transport.pause_reading()
        return transport, self.early

    async def _take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._all.append(Client(reader, writer))
        self.opened.put_nowait(self._all[-1])


@dataclass
class Pair:
    """A WebSocket: the client's end and the application's."""

    client: Client
    application: Client


@pytest.fixture
async def far(server: Server) -> AsyncIterator[Far]:
    made = Far()
    await made.start()
    server.application.dial = made.dial
    try:
        yield made
    finally:
        await made.stop()


@pytest.fixture
async def pair(client: Client, far: Far) -> Pair:
    return await opened(client, far)


async def opened(client: Client, far: Far, then: bytes = b"") -> Pair:
    await client.send(SOCKET + then)
    assert await client.reader.readexactly(len(SWITCHED)) == SWITCHED
    return Pair(client, await asyncio.wait_for(far.opened.get(), PATIENCE))


async def read(end: Client, size: int) -> bytes:
    return await asyncio.wait_for(end.reader.readexactly(size), PATIENCE)


class TestCarrying:
    async def test_every_byte_passes_both_ways_whatever_it_is(self, pair: Pair) -> None:
        to_client, to_application = os.urandom(3 * MEGABYTE), os.urandom(3 * MEGABYTE)
        sent = asyncio.gather(pair.application.send(to_client), pair.client.send(to_application))
        received = await asyncio.gather(read(pair.client, len(to_client)), read(pair.application, len(to_application)))
        await sent
        assert list(received) == [to_client, to_application]

    async def test_each_byte_passes_at_once(self, pair: Pair) -> None:
        for number in range(50):
            await pair.client.send(bytes([number]))
            assert await read(pair.application, 1) == bytes([number])
            await pair.application.send(bytes([number]))
            assert await read(pair.client, 1) == bytes([number])

    async def test_what_came_too_early_is_not_lost(self, client: Client, far: Far) -> None:
        far.early = frame(5)
        pair = await opened(client, far, then=frame(7, masked=True))
        assert await read(pair.client, 7) == frame(5)
        assert await read(pair.application, 13) == frame(7, masked=True)

    async def test_of_what_comes_too_early_little_is_kept(self, client: Client, far: Far) -> None:
        far.may_open.clear()
        await client.send(SOCKET)
        await asyncio.wait_for(far.dialled.wait(), PATIENCE)
        flood = os.urandom(16 * MEGABYTE)
        sending = asyncio.create_task(client.send(flood))
        await stays(lambda: unsent(client), "the client can send no more")
        assert unsent(client) > len(flood) / 2 > EARLY_BYTES_LIMIT
        far.may_open.set()
        assert await client.reader.readexactly(len(SWITCHED)) == SWITCHED
        application = await asyncio.wait_for(far.opened.get(), PATIENCE)
        assert await read(application, len(flood)) == flood
        await sending

    @pytest.mark.parametrize("slow", ["client", "application"])
    async def test_who_reads_slowly_holds_the_other_back(self, pair: Pair, slow: str) -> None:
        reader, writer = (pair.client, pair.application) if slow == "client" else (pair.application, pair.client)
        flood = os.urandom(32 * MEGABYTE)
        sending = asyncio.create_task(writer.send(flood))
        await stays(lambda: unsent(writer), "the other can send no more")
        assert unsent(writer) > len(flood) / 2
        assert await read(reader, len(flood)) == flood
        await sending

    async def test_a_client_that_was_slow_before_holds_the_application_back(
        self, server: Server, client: Client, far: Far
    ) -> None:
        """That it is slow was said once, to whoever wrote the answer before."""
        server.application.pieces = [bytes(MEGABYTE)] * 8
        far.early = frame(5)
        await client.send(get(b"/pieces"))
        await until(lambda: not server.state.tasks or bool(server.application.begun), "the answer is begun")
        head = await asyncio.wait_for(client.reader.readuntil(b"\r\n\r\n"), PATIENCE)
        assert head.startswith(b"HTTP/1.1 200")
        await read(client, 8 * MEGABYTE - 200_000)
        await until(lambda: not server.state.tasks, "the answer is written")
        await client.send(SOCKET)
        application = await asyncio.wait_for(far.opened.get(), PATIENCE)
        flood = os.urandom(32 * MEGABYTE)
        sending = asyncio.create_task(application.send(flood))
        await stays(lambda: unsent(application), "the application can send no more")
        assert unsent(application) > len(flood) / 2
        assert (await read(client, 200_000 + len(SWITCHED) + 7)).endswith(SWITCHED + frame(5))
        assert await read(client, len(flood)) == flood
        await sending


class TestEnds:
    @pytest.mark.parametrize("who", ["client", "application"])
    async def test_last_words_arrive_and_then_the_end(self, server: Server, pair: Pair, who: str) -> None:
        speaker, hearer = (pair.client, pair.application) if who == "client" else (pair.application, pair.client)
        words = os.urandom(MEGABYTE)
        speaker.writer.write(words)
        speaker.writer.close()
        assert await hearer.rest() == words
        await hearer.leave()
        await until(lambda: len(server.application.carried) == 1, "it is over")
        assert server.application.carried == [len(words) if who == "application" else 0]
        assert not server.state.connections

    async def test_who_has_said_all_may_still_listen(self, pair: Pair) -> None:
        pair.client.writer.write_eof()
        assert await asyncio.wait_for(pair.application.reader.read(), PATIENCE) == b""
        await pair.application.send(b"an answer")
        assert await read(pair.client, 9) == b"an answer"
        pair.application.writer.close()
        assert await pair.client.rest() == b""

    async def test_both_have_said_all(self, server: Server, pair: Pair) -> None:
        pair.client.writer.write_eof()
        assert await asyncio.wait_for(pair.application.reader.read(), PATIENCE) == b""
        pair.application.writer.write_eof()
        assert await pair.client.rest() == b""
        await until(lambda: len(server.application.carried) == 1, "it is over, though neither has closed")

    @pytest.mark.parametrize("who", ["client", "application"])
    async def test_a_reset_ends_the_other_side(self, server: Server, pair: Pair, who: str) -> None:
        leaver, other = (pair.client, pair.application) if who == "client" else (pair.application, pair.client)
        reset(leaver)
        assert await other.rest() == b""
        await until(lambda: len(server.application.carried) == 1, "it is over")

    @pytest.mark.parametrize("who", ["client", "application"])
    async def test_who_never_reads_is_let_go(
        self, server: Server, pair: Pair, who: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(tunnel, "STALLED_SECONDS_LIMIT", 0.3)
        writer = pair.application if who == "client" else pair.client
        await writer.send(bytes(32 * MEGABYTE))  # returns, since the gateway closes
        await until(lambda: len(server.application.carried) == 1, "both are closed")

    async def test_who_never_reads_its_last_words_is_let_go(
        self, server: Server, pair: Pair, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(tunnel, "STALLED_SECONDS_LIMIT", 0.3)
        pair.application.writer.write(bytes(32 * MEGABYTE))
        await stays(lambda: unsent(pair.application), "the application can send no more")
        reset(pair.application)
        await until(lambda: len(server.application.carried) == 1, "both are closed")

    async def test_who_vanishes_without_a_word_is_noticed(self, server: Server, pair: Pair) -> None:
        (end,) = server.state.connections
        for transport in (end.transport, end.other.transport):  # type: ignore[union-attr]
            connection = transport.get_extra_info("socket")
            assert connection.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE) == 1
            assert connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE) == 60


class TestStopping:
    async def test_both_sides_are_told_between_two_frames(self, server: Server, pair: Pair) -> None:
        await pair.client.send(frame(300, masked=True))
        await read(pair.application, len(frame(300, masked=True)))
        server.shut_down()
        assert await pair.client.rest() == CLOSE_TO_CLIENT
        assert await pair.application.rest() == CLOSE_TO_APPLICATION
        pair.client.writer.close()
        pair.application.writer.close()
        await until(lambda: not server.state.connections and not server.state.tasks, "the server may stop")

    async def test_a_frame_that_has_begun_is_completed_first(self, server: Server, pair: Pair) -> None:
        large, half = frame(70_000), 40_000
        await pair.application.send(large[:half])
        assert await read(pair.client, half) == large[:half]
        server.shut_down()
        assert await pair.application.rest() == CLOSE_TO_APPLICATION, "nothing is under way in this direction"
        await pair.application.send(large[half:] + frame(9))
        assert await pair.client.rest() == large[half:] + CLOSE_TO_CLIENT

    async def test_a_frame_that_never_ends_is_cut(
        self, server: Server, pair: Pair, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(tunnel, "STOP_SECONDS_LIMIT", 0.3)
        await pair.application.send(frame(70_000)[:100])
        await read(pair.client, 100)
        server.shut_down()
        assert CLOSE_TO_CLIENT not in await pair.client.rest()
        await until(lambda: not server.state.connections and not server.state.tasks, "the server may stop")

    async def test_one_that_opens_meanwhile_ends_at_once(self, server: Server, client: Client, far: Far) -> None:
        far.may_open.clear()
        await client.send(SOCKET)
        await asyncio.wait_for(far.dialled.wait(), PATIENCE)
        server.shut_down()
        far.may_open.set()
        assert await client.rest() == SWITCHED + CLOSE_TO_CLIENT


class TestRefusing:
    async def test_is_an_answer_like_others_and_the_last(self, server: Server, client: Client) -> None:
        await client.send(SOCKET)
        answer = await client.answer()
        assert (answer.status, answer.body, answer.headers["connection"]) == (200, b"/socket ", "close")
        assert await client.rest() == b""

    async def test_what_was_sent_behind_it_is_no_request(self, server: Server, client: Client) -> None:
        await client.send(SOCKET + get(b"/behind"))
        assert (await client.answer()).body == b"/socket "
        await client.send(get(b"/later"))
        assert await client.rest() == b""
        assert server.application.begun == [b"/socket"]

    @pytest.mark.parametrize("early", [b"", frame(5, masked=True)])
    async def test_who_leaves_before_the_answer_is_missed(self, server: Server, client: Client, early: bytes) -> None:
        await client.send(get(b"/socket/wait", *HANDSHAKE) + early)
        await until(lambda: bool(server.application.seen), "it is there")
        await client.leave()
        await until(lambda: server.application.gone == [b"/socket/wait"], "the application is told")

    async def test_one_whose_client_left_meanwhile_is_let_go(self, server: Server, client: Client, far: Far) -> None:
        far.may_open.clear()
        await client.send(SOCKET)
        await asyncio.wait_for(far.dialled.wait(), PATIENCE)
        await client.leave()
        await until(lambda: server.application.gone == [b"/socket"], "the application is told")
        far.may_open.set()
        application = await asyncio.wait_for(far.opened.get(), PATIENCE)
        assert await application.rest() == b""
        assert server.application.carried == [0]


def unsent(end: Client) -> int:
    return end.writer.transport.get_write_buffer_size()


def reset(end: Client) -> None:
    connection = end.writer.get_extra_info("socket")
    with contextlib.suppress(OSError):  # not through uvloop's transport, where it is none of Python's own
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    end.writer.transport.abort()


async def stays(value: object, what: str) -> None:
    """Until it has not changed for a while, which it does as long as anything moves."""
    assert callable(value)
    async with asyncio.timeout(PATIENCE):
        last, since = value(), 0
        while since < 20 or not last:
            await asyncio.sleep(0.01)
            now = value()
            since = since + 1 if now == last else 0
            last = now
