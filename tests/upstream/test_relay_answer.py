"""An answer that was told to a receiver and goes on as one that is read by a task."""

from __future__ import annotations

import asyncio

import pytest

from gateway.ports.upstream import Answer, UpstreamError, UpstreamFailure
from gateway.upstream.connector import UpstreamConnector
from tests.upstream.application import PATIENCE, Line, get, until, whole
from tests.upstream.receiver import FAILURES, MEGABYTE, OK, Told, at_once, pours, stands_still, warm
from tests.upstream.test_answer import CASES


async def read_on(upstream: UpstreamConnector, method: bytes = b"GET") -> tuple[Told, Answer]:
    found: list[Answer] = []
    told = at_once(upstream, Told(lambda told: found.append(told.relay.to_answer())), method)
    await until(lambda: bool(found))
    return told, found[0]


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("late", [False, True], ids=["complete", "the last byte later"])
async def test_an_answer_can_be_read_from_its_first_byte_on(name: str, late: bool) -> None:
    method, answer, status, length, body = CASES[name]
    found: list[Answer] = []

    async def script(line: Line) -> None:
        await line.head()
        await line.say(answer[:-1] if late else answer)
        if late:
            await until(lambda: bool(found) or not body)
            await line.say(answer[-1:])
        await line.head()
        await line.say(OK)
        await line.closed_by_gateway()

    async with warm(script) as (_, upstream):
        told = at_once(upstream, Told(lambda told: found.append(told.relay.to_answer())), method)
        await until(lambda: bool(found))
        read = found[0]
        assert (read.status, read.headers, read.length) == (status, told.headers, length)
        assert await asyncio.wait_for(whole(read), PATIENCE) == body
        assert told.times == 1, "nothing more is told"
        assert await whole(await get(upstream)) == b"ok"


async def test_what_came_with_the_head_of_a_large_answer_is_there_and_the_rest_waits() -> None:
    size, written = 50 * MEGABYTE, [0]

    async def script(line: Line) -> None:
        await pours(line, size, written)
        await line.head()
        await line.say(OK)
        await line.closed_by_gateway()

    async with warm(script, read_high_water=1024) as (app, upstream):
        told, answer = await read_on(upstream)
        await stands_still(written)
        assert written[0] < size // 2, "nobody reads it"
        told.relay.pause()
        told.relay.resume()
        told.relay.abort()  # of no effect any more
        assert len(await whole(answer)) == size
        assert await whole(await get(upstream)) == b"ok"
        assert app.connections == 1


@pytest.mark.parametrize(
    ("words", "body", "failure"),
    [
        (OK[:-2], b"", UpstreamFailure.BROKEN),
        (OK[:-1], b"o", UpstreamFailure.BROKEN),
        (FAILURES["bad chunks"][0], b"ok", UpstreamFailure.MALFORMED),
    ],
    ids=["no body", "half a body", "malformed behind its beginning"],
)
async def test_a_cut_answer_raises_after_what_there_is_of_it(
    words: bytes, body: bytes, failure: UpstreamFailure
) -> None:
    async def script(line: Line) -> None:
        await line.head()
        await line.say(words)

    async with warm(script) as (_, upstream):
        told, answer = await read_on(upstream)
        read = b""
        with pytest.raises(UpstreamError) as error:
            while True:
                read += await asyncio.wait_for(answer.read(), PATIENCE)
        assert (read, error.value.failure) == (body, failure)
        assert (told.times, upstream.open_connections) == (1, 0)


async def test_read_on_an_application_that_falls_silent_is_given_up() -> None:
    async def script(line: Line) -> None:
        await line.head()
        await line.say(OK[:-1])
        await line.closed_by_gateway()

    async with warm(script, read_timeout=0.2) as (_, upstream):
        _, answer = await read_on(upstream)
        assert await answer.read() == b"o"
        with pytest.raises(UpstreamError) as error:
            await answer.read()
        assert error.value.failure is UpstreamFailure.TIMEOUT


async def test_read_on_it_can_be_ended() -> None:
    async def script(line: Line) -> None:
        await line.head()
        await line.say(OK[:-1])
        await line.closed_by_gateway()

    async with warm(script) as (app, upstream):
        _, answer = await read_on(upstream)
        answer.abort()
        await until(lambda: app.open_lines == 0)
        assert upstream.open_connections == 0


async def test_an_answer_of_http_1_0_is_read_on_to_its_end() -> None:
    async def script(line: Line) -> None:
        await line.head()
        await line.say(b"HTTP/1.0 200 OK\r\n\r\nuntil the ")
        await until(lambda: bool(found))
        await line.say(b"end")

    found: list[Answer] = []
    async with warm(script) as (_, upstream):
        at_once(upstream, Told(lambda told: found.append(told.relay.to_answer())))
        await until(lambda: bool(found))
        assert await whole(found[0]) == b"until the end"
