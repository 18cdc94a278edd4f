"""Time, memory and the ends that come early."""

from __future__ import annotations

import asyncio
from typing import cast

import pytest

from gateway.ports.upstream import ClientGone, UpstreamError, UpstreamFailure
from gateway.upstream.exchange import Exchange
from tests.upstream.application import Fed, Line, Pieces, answers, connected, get, until, whole

OK = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"
MEGABYTE = 1024 * 1024


def head_of(length: int) -> bytes:
    return b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n" % length


async def stuck(written: list[int]) -> None:
    """Return once a counter has stood still for a while: whoever advances it is being held back."""
    seen, still = -1, 0
    while still < 20:
        await asyncio.sleep(0.01)
        still = still + 1 if written[0] == seen else 0
        seen = written[0]


# Memory


@pytest.mark.parametrize("chunked", [False, True])
async def test_slow_reader_holds_the_application_back(chunked: bool) -> None:
    """200 MB go through, and at no moment is more buffered than the high-water mark and one read of the socket."""
    size, high_water = 200 * MEGABYTE, 256 * 1024
    written = [0]
    block = b"x" * MEGABYTE

    async def script(line: Line) -> None:
        await line.head()
        await line.say(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n" if chunked else head_of(size))
        for _ in range(size // MEGABYTE):
            await line.say(b"100000\r\n" + block + b"\r\n" if chunked else block)
            written[0] += MEGABYTE
        if chunked:
            await line.say(b"0\r\n\r\n")
        await line.closed_by_gateway()

    async with connected(script, read_high_water=high_water) as (_, upstream):
        answer = cast(Exchange, await get(upstream))
        await stuck(written)
        assert written[0] < 32 * MEGABYTE  # what the sockets of both sides hold
        assert high_water < answer.unread <= high_water + 256 * 1024
        read, most = 0, 0
        while piece := await answer.read():
            most = max(most, answer.unread)
            read += len(piece)
        assert read == size
        assert most <= high_water + 256 * 1024
        assert upstream.idle_connections == 1


async def test_connection_paused_for_its_reader_serves_the_next_request() -> None:
    size = 3 * MEGABYTE

    async def script(line: Line) -> None:
        while await line.head():
            await line.say(head_of(size) + b"x" * size)

    async with connected(script, read_high_water=1024) as (app, upstream):
        for _ in range(3):
            answer = cast(Exchange, await get(upstream))
            await until(lambda answer=answer: answer.reading_paused)  # type: ignore[misc]
            assert len(await whole(answer)) == size
        assert app.connections == 1


async def test_application_that_reads_slowly_holds_the_client_back() -> None:
    size = 100 * MEGABYTE
    taken = [0]
    may_read = asyncio.Event()

    class Body:
        length: int | None = size

        async def read(self) -> bytes:
            piece = b"x" * min(MEGABYTE, size - taken[0])
            taken[0] += len(piece)
            return piece

    async def script(line: Line) -> None:
        await line.head()
        await may_read.wait()
        await line.reader.readexactly(size)
        await line.say(OK)
        await line.closed_by_gateway()

    async with connected(script) as (_, upstream):
        asking = asyncio.create_task(get(upstream, b"POST", Body()))
        await stuck(taken)
        assert taken[0] < 32 * MEGABYTE
        may_read.set()
        assert await whole(await asking) == b"ok"
        assert taken[0] == size


# Both ways at once


async def test_answer_comes_while_the_body_is_still_going_up() -> None:
    """Piece for piece there and back, as a streaming application does it."""

    async def script(line: Line) -> None:
        await line.head()
        await line.say(head_of(6))
        for _ in range(3):
            await line.say(await line.reader.readexactly(2))
        await line.closed_by_gateway()

    body = Fed(6)
    async with connected(script) as (_, upstream):
        answer = await get(upstream, b"POST", body)
        for piece in (b"ab", b"cd", b"ef"):
            body.feed(piece)
            assert await answer.read() == piece
        assert await answer.read() == b""
        assert upstream.idle_connections == 1


async def test_early_answer_is_delivered_and_the_connection_not_used_again() -> None:
    body = Fed(10)
    body.feed(b"abc")
    refusal = b"HTTP/1.1 413 Content Too Large\r\ncontent-length: 2\r\n\r\nno"
    async with connected(answers(refusal)) as (app, upstream):
        answer = await get(upstream, b"POST", body)
        assert (answer.status, await whole(answer)) == (413, b"no")
        assert upstream.open_connections == 0
        await until(lambda: app.open_lines == 0)
        await until(lambda: body.cancelled)  # nobody reads the client's body any more


async def test_early_answer_is_delivered_when_the_application_closes_without_reading() -> None:
    class Endless:
        length: int | None = None

        async def read(self) -> bytes:
            return b"x" * 65536

    async def script(line: Line) -> None:
        await line.head()
        await line.say(b"HTTP/1.1 413 Content Too Large\r\nconnection: close\r\ncontent-length: 2\r\n\r\nno")

    async with connected(script) as (_, upstream):
        answer = await get(upstream, b"POST", Endless())
        assert (answer.status, await whole(answer)) == (413, b"no")


async def test_answer_to_a_complete_upload_keeps_the_connection() -> None:
    async def script(line: Line) -> None:
        while await line.head():
            assert await line.reader.readexactly(3) == b"abc"
            await line.say(OK)

    async with connected(script) as (app, upstream):
        for pieces in ([b"abc"], [b"a", b"b", b"c"]):
            assert await whole(await get(upstream, b"POST", Pieces(pieces, 3))) == b"ok"
        assert (app.connections, upstream.idle_connections) == (1, 1)


async def test_body_that_is_always_at_hand_leaves_the_loop_to_others() -> None:
    pieces, turns = 5000, 0

    async def script(line: Line) -> None:
        await line.head()
        await line.reader.readexactly(pieces)
        await line.say(OK)
        await line.closed_by_gateway()

    async def take_turns() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    async with connected(script) as (_, upstream):
        other = asyncio.create_task(take_turns())
        await whole(await get(upstream, b"POST", Pieces([b"x"] * pieces, pieces)))
        other.cancel()
        assert turns > pieces / 2


# Ends


async def holds_answer(line: Line) -> None:
    await line.head()
    await line.closed_by_gateway()


async def holds_body(line: Line) -> None:
    await line.head()
    await line.say(head_of(10) + b"hello")
    await line.closed_by_gateway()


async def test_client_that_leaves_ends_the_exchange() -> None:
    body = Fed(10)
    body.feed(b"abc")
    async with connected(holds_answer) as (app, upstream):
        asking = asyncio.create_task(get(upstream, b"POST", body))
        await until(lambda: app.open_lines == 1)
        body.feed(ClientGone("left"))
        with pytest.raises(ClientGone, match="left"):
            await asking
        await until(lambda: app.open_lines == 0)
        assert upstream.open_connections == 0


async def test_client_that_leaves_during_the_answer_ends_it() -> None:
    body = Fed(10)
    async with connected(holds_body) as (app, upstream):
        answer = await get(upstream, b"POST", body)
        assert await answer.read() == b"hello"
        body.feed(ClientGone("left"))
        with pytest.raises(ClientGone):
            await answer.read()
        await until(lambda: app.open_lines == 0)


async def test_reader_of_the_body_that_is_cancelled_ends_the_exchange() -> None:
    class Cancelled:
        length: int | None = 10

        async def read(self) -> bytes:
            raise asyncio.CancelledError

    async with connected(holds_answer) as (_, upstream):
        with pytest.raises(ClientGone):
            await get(upstream, b"POST", Cancelled())


async def test_error_of_the_body_reaches_the_caller() -> None:
    body = Fed(10)
    body.feed(KeyError("a fault of the caller"))
    async with connected(holds_answer) as (_, upstream):
        with pytest.raises(KeyError):
            await get(upstream, b"POST", body)
        assert upstream.open_connections == 0


@pytest.mark.parametrize("with_body", [False, True])
async def test_cancelling_closes_the_connection(with_body: bool) -> None:
    async with connected(holds_answer) as (app, upstream):
        asking = asyncio.create_task(get(upstream, b"POST", Fed(5) if with_body else None))
        await until(lambda: app.open_lines == 1)
        asking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asking
        assert upstream.open_connections == 0
        await until(lambda: app.open_lines == 0)


async def test_abort_closes_the_connection_and_wakes_the_reader() -> None:
    async with connected(holds_body) as (app, upstream):
        answer = await get(upstream)
        assert await answer.read() == b"hello"
        reading = asyncio.create_task(answer.read())
        await asyncio.sleep(0)
        answer.abort()
        answer.abort()
        with pytest.raises(UpstreamError):
            await reading
        assert upstream.open_connections == 0
        await until(lambda: app.open_lines == 0)


async def test_abort_of_a_complete_answer_keeps_the_connection() -> None:
    async with connected(answers(OK)) as (_, upstream):
        answer = await get(upstream)
        answer.abort()
        assert upstream.idle_connections == 1
        assert await whole(answer) == b"ok"


async def test_cancelled_read_loses_nothing() -> None:
    more = asyncio.Event()

    async def script(line: Line) -> None:
        await line.head()
        await line.say(head_of(5))
        await more.wait()
        await line.say(b"hello")
        await line.closed_by_gateway()

    async with connected(script) as (_, upstream):
        answer = await get(upstream)
        reading = asyncio.create_task(answer.read())
        await asyncio.sleep(0)
        reading.cancel()
        with pytest.raises(asyncio.CancelledError):
            await reading
        more.set()
        assert await whole(answer) == b"hello"


# Time


@pytest.mark.parametrize("head", [b"", b"HTTP/1.1 200 OK\r\n", b"HTTP/1.1 103 Early Hints\r\n\r\n"])
async def test_application_without_a_head_is_given_up(head: bytes) -> None:
    async def script(line: Line) -> None:
        await line.head()
        await line.say(head)
        await line.closed_by_gateway()

    async with connected(script, read_timeout=0.2) as (app, upstream):
        with pytest.raises(UpstreamError) as error:
            await get(upstream)
        assert error.value.failure is UpstreamFailure.TIMEOUT
        assert "read_timeout" in str(error.value)
        await until(lambda: app.open_lines == 0)
        assert upstream.open_connections == 0


async def test_application_that_falls_silent_in_the_body_is_given_up() -> None:
    async with connected(holds_body, read_timeout=0.2) as (_, upstream):
        answer = await get(upstream)
        assert await answer.read() == b"hello"
        with pytest.raises(UpstreamError) as error:
            await answer.read()
        assert error.value.failure is UpstreamFailure.TIMEOUT


async def test_application_that_does_not_read_is_given_up() -> None:
    class Endless:
        length: int | None = None

        async def read(self) -> bytes:
            return b"x" * 65536

    async def script(line: Line) -> None:
        await line.head()
        line.writer.transport.pause_reading()  # type: ignore[attr-defined]
        await asyncio.Event().wait()

    async with connected(script, read_timeout=0.3) as (_, upstream):
        with pytest.raises(UpstreamError) as error:
            await get(upstream, b"POST", Endless())
        assert error.value.failure is UpstreamFailure.TIMEOUT


async def test_time_does_not_run_while_the_client_is_slow() -> None:
    """Neither while it sends, nor while it reads: the other side of that wait is not the application's fault."""

    async def script(line: Line) -> None:
        await line.head()
        assert await line.reader.readexactly(2) == b"ab"
        await line.say(head_of(10) + b"hello")
        await may_end.wait()
        await line.say(b"world")
        await line.closed_by_gateway()

    may_end = asyncio.Event()
    body = Fed(2)
    async with connected(script, read_timeout=0.1) as (_, upstream):
        asking = asyncio.create_task(get(upstream, b"POST", body))
        for piece in (b"a", b"b"):
            await asyncio.sleep(0.4)
            assert not asking.done()
            body.feed(piece)
        answer = await asking
        await asyncio.sleep(0.4)
        may_end.set()
        assert await whole(answer) == b"helloworld"


async def test_interim_heads_are_signs_of_life() -> None:
    async def script(line: Line) -> None:
        await line.head()
        for _ in range(6):
            await asyncio.sleep(0.1)
            await line.say(b"HTTP/1.1 102 Processing\r\n\r\n")
        await line.say(OK)
        await line.closed_by_gateway()

    async with connected(script, read_timeout=0.4) as (_, upstream):
        assert await whole(await get(upstream)) == b"ok"
