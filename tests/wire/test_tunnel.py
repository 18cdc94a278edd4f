"""WebSockets as bytes: what goes in comes out, both ways, to the end, and no side can hold the other for ever."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import ssl
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from gateway.wire import tunnel
from gateway.wire.frames import CLOSE_TO_APPLICATION, CLOSE_TO_CLIENT
from gateway.wire.handshake import EARLY_BYTES_LIMIT
from tests.store.conftest import until
from tests.upstream.certificates import self_signed, trusting
from tests.wire.application import PATIENCE, SWITCHED, Client, Server
from tests.wire.test_frames import frame
from tests.wire.test_protocol import HANDSHAKE, get, post

SOCKET = get(b"/socket", *HANDSHAKE)
MEGABYTE = 2**20
Contexts = tuple[ssl.SSLContext | None, ssl.SSLContext | None]


class Far:
    """What the application has behind the gateway: its end of every WebSocket, as the bytes it is."""

    def __init__(self, tls: ssl.SSLContext | None = None, client_tls: ssl.SSLContext | None = None) -> None:
        self._tls, self._client_tls = tls, client_tls
        self.opened: asyncio.Queue[Client] = asyncio.Queue()
        self._all: list[Client] = []
        self.early = b""
        self.closes = False
        """Its connection is lost before it is joined."""
        self.send_buffer = 0
        """Of the gateway's own towards it."""
        self.dialled = asyncio.Event()
        self.may_open = asyncio.Event()
        self.may_open.set()

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._take, "127.0.0.1", 0, ssl=self._tls)
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
        transport, _ = await asyncio.get_running_loop().create_connection(
            asyncio.Protocol, "localhost", self._port, ssl=self._client_tls
        )
        transport.pause_reading()
        if self.send_buffer:
            transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, self.send_buffer)
        if self.closes:
            transport.abort()
            await asyncio.sleep(0.05)
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
def contexts() -> Contexts:
    """For TLS: the application's and the gateway's."""
    return None, None


@pytest.fixture
async def far(server: Server, contexts: Contexts) -> AsyncIterator[Far]:
    made = Far(*contexts)
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
        far.early = frame(5)
        body = bytes(16 * MEGABYTE)
        await client.send(post(b"/echo", body))
        await until(lambda: bool(server.application.seen) and not server.state.tasks, "the answer is written")
        await client.send(SOCKET)
        application = await asyncio.wait_for(far.opened.get(), PATIENCE)
        (end,) = server.state.connections
        buffered = end.transport.get_write_buffer_size
        before = buffered()
        assert before > MEGABYTE, "the answer is written, and most of it not sent"
        flood = os.urandom(32 * MEGABYTE)
        flooding = asyncio.create_task(application.send(flood))
        await stays(lambda: unsent(application), "the application can send no more")
        assert buffered() < before + MEGABYTE and unsent(application) > len(flood) / 4
        answer = await client.answer()
        assert answer.body == b"/echo " + body
        assert await read(client, len(SWITCHED) + 7) == SWITCHED + frame(5)
        assert await read(client, len(flood)) == flood
        await flooding

    @pytest.mark.parametrize("who", ["client", "application"])
    async def test_what_came_too_early_fills_no_memory(
        self, server: Server, client: Client, far: Far, who: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """It may pause the other side in the very moment of joining, and that must not be undone."""
        far.send_buffer = 8192
        far.early = b"x" * 250_000 if who == "application" else b""
        client.writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        far.may_open.clear()
        await client.send(SOCKET)
        if who == "client":
            client.writer.write(bytes(EARLY_BYTES_LIMIT + 1000))
        await asyncio.wait_for(far.dialled.wait(), PATIENCE)
        far.may_open.set()
        application = await asyncio.wait_for(far.opened.get(), PATIENCE)
        (end,) = server.state.connections
        speaker = application if who == "application" else client
        slow = end if who == "application" else end.other  # type: ignore[union-attr]
        flooding = asyncio.create_task(speaker.send(bytes(64 * MEGABYTE)))
        await stays(lambda: unsent(speaker), "it can send no more")
        assert slow.transport.get_write_buffer_size() < 2 * MEGABYTE
        flooding.cancel()
        for side in (client, application):
            side.writer.transport.abort()

    async def test_an_application_that_has_said_all_before_the_joining_is_heard(
        self, server: Server, client: Client, far: Far
    ) -> None:
        far.early, far.closes = frame(5) + b"\x88\x00", True
        await client.send(SOCKET)
        assert await client.rest() == SWITCHED + frame(5) + b"\x88\x00"
        await until(lambda: server.application.carried == [9], "it is over")


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
        # Long beside the fifth of a second within which nothing moves, which a busy machine may stretch.
        monkeypatch.setattr(tunnel, "STALLED_SECONDS_LIMIT", 2.0)
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

    @pytest.mark.parametrize("who", ["client", "application"])
    async def test_one_side_may_have_ended_before(self, server: Server, pair: Pair, who: str) -> None:
        """What can't be said to it any more must not keep the server from telling all others."""
        ended, other = (pair.client, pair.application) if who == "client" else (pair.application, pair.client)
        ended.writer.write_eof()
        assert await asyncio.wait_for(other.reader.read(), PATIENCE) == b""
        server.shut_down()
        assert await ended.rest() == (CLOSE_TO_CLIENT if who == "client" else CLOSE_TO_APPLICATION)
        other.writer.close()
        await until(lambda: not server.state.connections and not server.state.tasks, "the server may stop")

    async def test_its_time_is_not_made_longer_by_what_comes(
        self, server: Server, pair: Pair, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(tunnel, "STOP_SECONDS_LIMIT", 0.5)
        large = frame(64 * MEGABYTE)
        await pair.application.send(large[:100])
        await read(pair.client, 100)
        server.shut_down()
        pair.application.writer.write(large[100:])  # which the client does not read
        await until(lambda: not server.state.connections and not server.state.tasks, "the server may stop")

    async def test_one_that_opens_meanwhile_ends_at_once(self, server: Server, client: Client, far: Far) -> None:
        far.may_open.clear()
        await client.send(SOCKET)
        await asyncio.wait_for(far.dialled.wait(), PATIENCE)
        server.shut_down()
        far.may_open.set()
        assert await client.rest() == SWITCHED + CLOSE_TO_CLIENT


class TestOverTls:
    """Whose connections can't be ended in one direction alone."""

    @pytest.fixture
    def contexts(self, tmp_path: Path) -> Contexts:
        certificate, authority = self_signed(tmp_path, "localhost")
        return certificate, trusting(authority)

    async def test_every_byte_passes_both_ways(self, pair: Pair) -> None:
        words = os.urandom(3 * MEGABYTE)
        sent = asyncio.gather(pair.application.send(words), pair.client.send(words))
        assert await read(pair.client, len(words)) == await read(pair.application, len(words)) == words
        await sent

    async def test_a_frame_that_has_begun_is_completed_before_the_end(self, server: Server, pair: Pair) -> None:
        large = frame(70_000)
        await pair.application.send(large[:40_000])
        await read(pair.client, 40_000)
        server.shut_down()
        assert await read(pair.application, len(CLOSE_TO_APPLICATION)) == CLOSE_TO_APPLICATION
        await pair.application.send(large[40_000:])
        assert await pair.client.rest() == large[40_000:] + CLOSE_TO_CLIENT
        assert await pair.application.rest() == b""
        await until(lambda: not server.state.connections and not server.state.tasks, "the server may stop")

    @pytest.mark.parametrize("who", ["client", "application"])
    async def test_last_words_arrive_and_then_the_end(self, server: Server, pair: Pair, who: str) -> None:
        speaker, hearer = (pair.client, pair.application) if who == "client" else (pair.application, pair.client)
        await speaker.send(b"last words")
        speaker.writer.close()
        assert await hearer.rest() == b"last words"
        await until(lambda: len(server.application.carried) == 1, "it is over")


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
        await until(lambda: len(server.application.gone) == 2, "it is told that there was nobody to join")
        assert server.application.carried == []


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
