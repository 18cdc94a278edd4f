"""Which connection serves a request, and when a request is sent again."""

from __future__ import annotations

import asyncio

import pytest

from gateway.ports.upstream import Answer, UpstreamError, UpstreamFailure
from gateway.upstream.connection import Connection
from gateway.upstream.limits import UpstreamLimits
from gateway.upstream.pool import Pool
from tests.upstream.application import (
    Fed,
    Line,
    Pieces,
    Script,
    answers,
    answers_and_closes,
    application,
    connected,
    connector,
    get,
    until,
    whole,
)

OK = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"


def closes_on_second_request(executed: list[bytes], last_words: bytes = b"") -> Script:
    """The race of every kept-alive connection, made certain: the second request meets a closing door."""

    async def script(line: Line) -> None:
        executed.append((await line.head()).split(b" ")[0])
        await line.say(OK)
        if line.number == 1:
            second = await line.head()
            if second:
                executed.append(second.split(b" ")[0])
                await line.say(last_words)
        else:
            await line.closed_by_gateway()

    return script


@pytest.mark.parametrize("method", [b"GET", b"HEAD", b"OPTIONS"])
async def test_safe_request_is_sent_again_once_on_a_fresh_connection(method: bytes) -> None:
    executed: list[bytes] = []
    async with connected(closes_on_second_request(executed)) as (app, upstream):
        await whole(await get(upstream))
        answer = await get(upstream, method)
        assert answer.status == 200
        assert executed == [b"GET", method, method]
        assert app.connections == 2
        answer.abort()


@pytest.mark.parametrize("method", [b"POST", b"PUT", b"DELETE", b"PATCH", b"TRACE", b"QUERY"])
async def test_any_other_request_is_not(method: bytes) -> None:
    executed: list[bytes] = []
    async with connected(closes_on_second_request(executed)) as (app, upstream):
        await whole(await get(upstream))
        with pytest.raises(UpstreamError) as error:
            await get(upstream, method)
        assert error.value.failure is UpstreamFailure.BROKEN
        assert (executed, app.connections) == ([b"GET", method], 1)


async def test_request_with_a_body_is_not() -> None:
    executed: list[bytes] = []
    async with connected(closes_on_second_request(executed)) as (_, upstream):
        await whole(await get(upstream))
        with pytest.raises(UpstreamError):
            await get(upstream, b"GET", Pieces([b"x"], 1))
        assert executed == [b"GET", b"GET"]


async def test_request_that_may_not_be_repeated_is_not() -> None:
    executed: list[bytes] = []
    async with connected(closes_on_second_request(executed)) as (_, upstream):
        await whole(await get(upstream))
        with pytest.raises(UpstreamError):
            await upstream.send(b"GET", b"/", [], None, may_retry=False)
        assert executed == [b"GET", b"GET"]


@pytest.mark.parametrize("last_words", [b"H", b"HTTP/1.1 100 Continue\r\n\r\n"])
async def test_request_with_a_byte_of_an_answer_is_not(last_words: bytes) -> None:
    executed: list[bytes] = []
    async with connected(closes_on_second_request(executed, last_words)) as (_, upstream):
        await whole(await get(upstream))
        with pytest.raises(UpstreamError):
            await get(upstream)
        assert executed == [b"GET", b"GET"]


async def test_request_on_a_fresh_connection_is_not() -> None:
    async with connected(answers_and_closes(b"")) as (app, upstream):
        with pytest.raises(UpstreamError):
            await get(upstream)
        assert app.connections == 1


async def test_second_attempt_is_the_last() -> None:
    executed = 0

    async def script(line: Line) -> None:
        nonlocal executed
        await line.head()
        executed += 1
        if line.number == 1:
            await line.say(OK)
            await line.head()
            executed += 1

    async with connected(script) as (app, upstream):
        await whole(await get(upstream))
        with pytest.raises(UpstreamError):
            await get(upstream)
        assert (executed, app.connections) == (3, 2)


async def test_second_attempt_takes_no_other_used_connection() -> None:
    """Where one kept connection is stale, all of them are: the application has restarted."""
    both_in = asyncio.Barrier(2)

    async def script(line: Line) -> None:
        await line.head()
        if line.number <= 2:
            await both_in.wait()
        await line.say(OK)
        if line.number <= 2:
            await line.head()
        else:
            await line.closed_by_gateway()

    async with connected(script, max_connections=2) as (app, upstream):
        for answer in await asyncio.gather(get(upstream), get(upstream)):
            await whole(answer)
        assert upstream.idle_connections == 2
        assert (await get(upstream)).status == 200
        assert app.connections == 3


async def test_connection_closed_by_the_application_is_dropped_at_once() -> None:
    async with connected(answers_and_closes(OK)) as (app, upstream):
        await whole(await get(upstream))
        await until(lambda: upstream.open_connections == 0)
        assert await whole(await get(upstream, b"POST")) == b"ok"
        assert app.connections == 2


@pytest.mark.parametrize(
    ("answer", "stays"),
    [
        (b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok", True),
        (b"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 2\r\n\r\nok", False),
        (b"HTTP/1.1 200 OK\r\nConnection: x, CLOSE\r\ncontent-length: 2\r\n\r\nok", False),
        (b"HTTP/1.0 200 OK\r\ncontent-length: 2\r\n\r\nok", False),
        (b"HTTP/1.0 200 OK\r\nconnection: Keep-Alive\r\ncontent-length: 2\r\n\r\nok", True),
        (b"HTTP/1.0 200 OK\r\nconnection: close\r\nconnection: keep-alive\r\ncontent-length: 2\r\n\r\nok", False),
    ],
)
async def test_connection_is_kept_as_the_application_wishes(answer: bytes, stays: bool) -> None:
    async with connected(answers(answer)) as (_, upstream):
        assert await whole(await get(upstream)) == b"ok"
        assert upstream.idle_connections == (1 if stays else 0)


async def test_the_connection_used_last_is_used_next() -> None:
    numbers: list[int] = []
    hold = asyncio.Event()

    async def script(line: Line) -> None:
        while await line.head():
            numbers.append(line.number)
            if line.number == 1:
                await hold.wait()
            await line.say(OK)

    async with connected(script) as (_, upstream):
        first = asyncio.create_task(get(upstream))
        await until(lambda: numbers == [1])
        await whole(await get(upstream))
        hold.set()
        await whole(await first)  # 2 became idle first, 1 last
        for _ in range(3):
            await whole(await get(upstream))
        assert numbers == [1, 2, 1, 1, 1]


async def test_idle_connections_are_closed_after_a_while() -> None:
    async with connected(answers(OK, OK), keepalive_idle=0.2) as (app, upstream):
        await whole(await get(upstream))
        assert upstream.idle_connections == 1
        await until(lambda: app.open_lines == 0)
        assert upstream.open_connections == 0


async def test_idle_connections_are_closed_before_the_application_does() -> None:
    hinting = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\nkeep-alive: timeout=1, max=5\r\n\r\nok"
    async with connected(answers(hinting, hinting), keepalive_idle=60) as (app, upstream):
        await whole(await get(upstream))
        assert upstream.open_connections == 0  # a second less than it says: at once
        assert await whole(await get(upstream)) == b"ok"
        assert app.connections == 2


def holds(release: asyncio.Event) -> Script:
    async def script(line: Line) -> None:
        while await line.head():
            await release.wait()
            await line.say(OK)

    return script


@pytest.mark.parametrize("most", [1, 3])
async def test_no_more_connections_than_allowed_and_first_come_first_served(most: int) -> None:
    release = asyncio.Event()
    served: list[int] = []
    async with connected(holds(release), max_connections=most) as (app, upstream):

        async def ask(number: int) -> None:
            answer = await get(upstream)
            served.append(number)
            await whole(answer)

        asking = [asyncio.create_task(ask(number)) for number in range(10)]
        await until(lambda: app.connections == most)
        assert upstream.open_connections == most
        release.set()
        await asyncio.gather(*asking)
        assert sorted(served) == list(range(10))
        assert most > 1 or served == sorted(served)  # of several connections, any may be faster
        assert app.connections == most


async def test_waiting_for_a_connection_has_an_end() -> None:
    release = asyncio.Event()
    async with connected(holds(release), max_connections=1, connect_timeout=0.2) as (app, upstream):
        first = asyncio.create_task(get(upstream))
        await until(lambda: app.connections == 1)
        with pytest.raises(UpstreamError) as error:
            await get(upstream)
        assert error.value.failure is UpstreamFailure.OVERLOADED
        assert "max_connections" in str(error.value)
        assert upstream.queued_requests == 0
        release.set()
        await whole(await first)
        assert await whole(await get(upstream)) == b"ok"  # the one who gave up left nothing behind
        assert app.connections == 1


async def test_giving_up_in_the_queue_passes_the_place_on() -> None:
    release = asyncio.Event()
    async with connected(holds(release), max_connections=1) as (app, upstream):
        first, second, third = (asyncio.create_task(get(upstream)) for _ in range(3))
        await until(lambda: app.connections == 1)
        second.cancel()
        release.set()
        await whole(await first)
        await whole(await third)
        assert second.cancelled()
        assert upstream.idle_connections == 1


async def test_giving_up_in_the_moment_of_being_served_passes_the_connection_on() -> None:
    release = asyncio.Event()
    async with connected(holds(release), max_connections=1) as (app, upstream):

        async def ask_first() -> Answer:
            answer = await get(upstream)
            # The same bytes that woke us gave the connection to the second, which has not run since.
            second.cancel()
            return answer

        first, second, third = (asyncio.create_task(ask) for ask in (ask_first(), get(upstream), get(upstream)))
        await until(lambda: app.connections == 1)
        release.set()
        await whole(await first)
        assert await whole(await third) == b"ok"
        assert app.connections == 1


async def test_queue_moves_on_when_connections_break() -> None:
    async def script(line: Line) -> None:
        await line.head()
        while line.number > 1:
            await line.say(OK)
            if not await line.head():
                break

    async with connected(script, max_connections=1) as (app, upstream):
        results = await asyncio.gather(*(get(upstream) for _ in range(3)), return_exceptions=True)
        assert [isinstance(result, UpstreamError) for result in results] == [True, False, False]
        assert app.connections == 2


async def test_refused_connections_free_their_places() -> None:
    async with application(answers(OK)) as app:
        address = app.address
    async with connector(address, max_connections=1) as upstream:
        for _ in range(3):
            with pytest.raises(UpstreamError) as error:
                await get(upstream)
            assert error.value.failure is UpstreamFailure.UNREACHABLE
            assert str(address) in str(error.value)


async def test_closing_ends_everything_and_everyone_is_told() -> None:
    release = asyncio.Event()
    async with connected(holds(release), max_connections=2) as (app, upstream):
        asking = [asyncio.create_task(get(upstream)) for _ in range(3)]
        uploading = asyncio.create_task(get(upstream, b"POST", Fed(None)))
        await until(lambda: app.connections == 2)
        await upstream.close()
        for result in await asyncio.gather(*asking, uploading, return_exceptions=True):
            assert isinstance(result, UpstreamError)
        assert upstream.open_connections == 0
        with pytest.raises(UpstreamError):
            await get(upstream)
        release.set()
        await until(lambda: app.open_lines == 0)
        await upstream.close()


async def test_a_retired_connector_ends_with_its_last_exchange() -> None:
    release = asyncio.Event()
    async with connected(holds(release)) as (app, upstream):
        asking = [asyncio.create_task(get(upstream)) for _ in range(2)]
        await until(lambda: app.connections == 2)
        upstream.retire()
        asking.append(asyncio.create_task(get(upstream)))  # late
        await until(lambda: app.connections == 3)
        release.set()
        for each in asking:
            assert await whole(await each) == b"ok"
        assert upstream.open_connections == 0
        await until(lambda: app.open_lines == 0)


async def test_retiring_closes_idle_connections() -> None:
    async with connected(answers(OK)) as (app, upstream):
        await whole(await get(upstream))
        upstream.retire()
        assert upstream.open_connections == 0
        await until(lambda: app.open_lines == 0)


async def test_an_answer_of_the_past_cannot_touch_the_next_exchange() -> None:
    release = asyncio.Event()

    async def script(line: Line) -> None:
        await line.head()
        await line.say(OK)
        await line.head()
        await release.wait()
        await line.say(OK)
        await line.closed_by_gateway()

    async with connected(script) as (app, upstream):
        past = await get(upstream)
        asking = asyncio.create_task(get(upstream))
        await until(lambda: upstream.idle_connections == 0)
        past.abort()
        assert await whole(past) == b"ok"
        release.set()
        assert await whole(await asking) == b"ok"
        assert app.connections == 1


async def test_a_fresh_connection_takes_the_place_of_an_idle_one() -> None:
    async with application(answers(OK)) as app:
        pool = Pool(app.address, UpstreamLimits(max_connections=1, keepalive_idle=60.0))
        used = await pool.acquire()
        await whole(used.begin(b"GET", b"GET / HTTP/1.1\r\n\r\n", None))
        assert pool.idle_count == 1
        fresh = await pool.acquire(fresh=True)
        assert (fresh.reused, used.closed, pool.open_count) == (False, True, 1)
        await pool.close()


async def test_who_waits_for_a_fresh_connection_gets_no_used_one() -> None:
    async with application(answers(OK)) as app:
        pool = Pool(app.address, UpstreamLimits(max_connections=1, keepalive_idle=60.0))
        used = await pool.acquire()
        acquiring = asyncio.create_task(pool.acquire(fresh=True))
        await until(lambda: pool.queue_length == 1)
        await whole(used.begin(b"GET", b"GET / HTTP/1.1\r\n\r\n", None))
        fresh = await acquiring
        assert (fresh.reused, used.closed, pool.open_count) == (False, True, 1)
        await pool.close()


async def test_a_connection_that_closes_between_being_given_and_taken_is_not_used() -> None:
    async with application(answers(OK, OK)) as app:
        pool = Pool(app.address, UpstreamLimits(max_connections=1, keepalive_idle=60.0))
        used = await pool.acquire("somebody")
        acquiring = asyncio.create_task(pool.acquire("another"))
        await until(lambda: pool.queue_length == 1)
        give = used._on_idle

        def give_and_close(connection: Connection) -> None:
            give(connection)
            connection.close()  # as when the application closes right behind its answer

        used._on_idle = give_and_close
        await whole(used.begin(b"GET", b"GET / HTTP/1.1\r\n\r\n", None))
        taken = await acquiring
        assert (taken.closed, taken is used, taken.owner) == (False, False, "another")
        assert await whole(taken.begin(b"GET", b"GET / HTTP/1.1\r\n\r\n", None)) == b"ok"
        assert pool._shares.owners == 0
        await pool.close()


async def test_what_may_not_be_repeated_keeps_off_connections_that_idled(monkeypatch: pytest.MonkeyPatch) -> None:
    """The application closes idle connections in its own time: what can't be sent again must not meet that."""
    executed: list[bytes] = []
    async with connected(closes_on_second_request(executed)) as (app, upstream):
        await whole(await get(upstream))
        monkeypatch.setattr("gateway.upstream.pool.WARM_SECONDS", 0.0)
        await whole(await get(upstream, b"POST"))
        await whole(await upstream.send(b"GET", b"/", [], None, may_retry=False))
        assert (executed, app.connections) == ([b"GET", b"POST", b"GET"], 3)
