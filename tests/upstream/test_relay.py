"""The short way out: a request at once or not at all, and its answer told as it arrives."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.core.header_lines import header_lines
from gateway.ports.upstream import UpstreamFailure
from tests.upstream.application import Line, answers, connected, get, until, whole
from tests.upstream.receiver import (
    FAILURES,
    HEADERS,
    MEGABYTE,
    OK,
    Told,
    at_once,
    pours,
    stands_still,
    told_the_end,
    warm,
)
from tests.upstream.test_answer import CASES

# At once or not at all


async def test_without_an_idle_connection_nothing_is_sent() -> None:
    async with connected(answers(OK)) as (app, upstream):
        assert upstream.send_at_once(b"GET", b"/", header_lines(HEADERS), Told(), may_retry=True) is None
        assert await whole(await get(upstream)) == b"ok"
        assert app.connections == 1


@pytest.mark.parametrize(
    ("method", "may_retry"),
    [*((method, True) for method in (b"POST", b"PUT", b"DELETE", b"PATCH", b"QUERY", b"get")), (b"GET", False)],
)
async def test_what_may_not_be_sent_twice_keeps_off_connections_that_idled(
    method: bytes, may_retry: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with warm(answers(OK)) as (_, upstream):
        monkeypatch.setattr("gateway.upstream.pool.WARM_SECONDS", 0.0)
        assert upstream.send_at_once(method, b"/", header_lines(HEADERS), Told(), may_retry=may_retry) is None
        assert upstream.idle_connections == 1
        monkeypatch.setattr("gateway.upstream.pool.WARM_SECONDS", 60.0)
        assert (await told_the_end(at_once(upstream, Told(), method, may_retry))).body == b"ok"


@pytest.mark.parametrize(
    ("method", "may_retry", "again"),
    [
        *((method, True, True) for method in (b"GET", b"HEAD", b"OPTIONS")),
        *((method, True, False) for method in (b"POST", b"PUT", b"DELETE", b"PATCH", b"QUERY", b"get")),
        (b"GET", False, False),
    ],
)
async def test_what_went_unanswered_may_be_sent_again_only_where_that_is_harmless(
    method: bytes, may_retry: bool, again: bool
) -> None:
    """The application may have carried it out before it closed the connection."""

    async def script(line: Line) -> None:
        await line.head()

    async with warm(script) as (_, upstream):
        told = await told_the_end(at_once(upstream, Told(), method, may_retry))
        assert (told.failure, told.may_retry) == (UpstreamFailure.BROKEN, again)


@pytest.mark.parametrize("target", [b"", b"/a b", b"/a\r\nx: y"])
async def test_what_would_break_the_framing_is_not_sent(target: bytes) -> None:
    async with warm(answers(OK)) as (_, upstream):
        with pytest.raises(ValueError, match="target"):
            upstream.send_at_once(b"GET", target, header_lines(HEADERS), Told(), may_retry=True)
        with pytest.raises(ValueError, match="value"):
            header_lines([(b"x", b"1\r\ny: 2")])
        assert (await told_the_end(at_once(upstream, Told()))).body == b"ok"


@pytest.mark.parametrize("method", [b"GET", b"HEAD", b"OPTIONS"])
async def test_the_same_bytes_go_out_as_on_the_long_way(method: bytes) -> None:
    heads = []

    async def script(line: Line) -> None:
        while head := await line.head():
            heads.append(head)
            await line.say(b"HTTP/1.1 204 No Content\r\n\r\n")

    headers = [(b"host", b"app.example"), (b"x-a", b"1"), (b"x-a", b"\xff2"), (b"cookie", b"")]
    async with warm(script) as (_, upstream):
        await whole(await upstream.send(method, b"/x?%00#", headers, None))
        told = Told()
        assert upstream.send_at_once(method, b"/x?%00#", header_lines(headers), told, may_retry=True) is not None
        await told_the_end(told)
        assert heads[0] == heads[1]


async def test_several_at_once_get_each_its_own_answer() -> None:
    both_in = asyncio.Barrier(2)

    async def script(line: Line) -> None:
        await line.head()
        if line.number <= 2:
            await both_in.wait()
        await line.say(OK)
        while await line.head():
            await both_in.wait()
            await line.say(b"HTTP/1.1 200 OK\r\ncontent-length: 1\r\n\r\n%d" % line.number)

    async with connected(script) as (_, upstream):
        for answer in await asyncio.gather(get(upstream), get(upstream)):
            await whole(answer)
        both = [at_once(upstream, Told()), at_once(upstream, Told())]
        assert upstream.send_at_once(b"GET", b"/", header_lines(HEADERS), Told(), may_retry=True) is None, (
            "no third is idle"
        )
        assert {(await told_the_end(told)).body for told in both} == {b"1", b"2"}
        assert upstream.idle_connections == 2


# Answers


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("cut", [0, 1, 7])
async def test_an_answer_is_told_as_it_is_read(name: str, cut: int) -> None:
    """However it is cut into pieces."""
    method, answer, status, length, body = CASES[name]

    async def script(line: Line) -> None:
        await line.head()
        for start in range(0, len(answer), cut or len(answer)):
            await line.say(answer[start : start + (cut or len(answer))])
            await asyncio.sleep(0)
        await line.head()
        await line.say(OK)
        await line.closed_by_gateway()

    async with warm(script) as (_, upstream):
        told = await told_the_end(at_once(upstream, Told(), method))
        assert (told.status, told.length, told.body, told.complete) == (status, length, body, True)
        assert b"content-length" not in dict(told.headers)
        assert await whole(await get(upstream)) == b"ok"


@pytest.mark.parametrize("head", [b"HTTP/1.0 200 OK\r\n\r\n", b"HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n"])
async def test_an_answer_that_ends_with_its_connection(head: bytes) -> None:
    async def script(line: Line) -> None:
        await line.head()
        await line.say(head)
        await line.say(b"until the ")
        await line.say(b"end")

    async with warm(script) as (_, upstream):
        told = await told_the_end(at_once(upstream, Told()))
        assert (told.status, told.length, told.body, told.complete) == (200, None, b"until the end", True)
        assert upstream.open_connections == 0


async def test_the_beginning_is_told_before_the_rest_is_there() -> None:
    told = Told()

    async def script(line: Line) -> None:
        await line.head()
        await line.say(b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\n")
        await until(lambda: told.status == 200 and not told.complete)
        await line.say(b"hello")
        await until(lambda: told.body == b"hello" and not told.complete)
        await line.say(b"world")
        await line.closed_by_gateway()

    async with warm(script) as (_, upstream):
        at_once(upstream, told)
        assert (await told_the_end(told)).body == b"helloworld"
        assert upstream.idle_connections == 1


# Failures


@pytest.mark.parametrize("name", FAILURES)
async def test_a_failure_is_told_and_whether_the_request_may_be_sent_again(name: str) -> None:
    words, failure, status, may_retry = FAILURES[name]

    async def script(line: Line) -> None:
        await line.head()
        await line.say(words)

    async with warm(script) as (_, upstream):
        told = await told_the_end(at_once(upstream, Told()))
        assert (told.failure, told.status, told.may_retry) == (failure, status, may_retry)
        assert not told.complete
        assert upstream.open_connections == 0


@pytest.mark.parametrize("words", [b"", b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhello"])
async def test_an_application_that_falls_silent_is_given_up_and_not_asked_again(words: bytes) -> None:
    """It may be at work on the request still: to send it again would have it done twice."""

    async def script(line: Line) -> None:
        await line.head()
        await line.say(words)
        await line.closed_by_gateway()

    async with warm(script, read_timeout=0.2) as (app, upstream):
        told = await told_the_end(at_once(upstream, Told()))
        assert (told.failure, told.may_retry) == (UpstreamFailure.TIMEOUT, False)
        await until(lambda: app.open_lines == 0)


async def test_each_piece_is_a_sign_of_life() -> None:
    async def script(line: Line) -> None:
        await line.head()
        pieces = [b"HTTP/1.1 103 \r\n\r\n"] * 6 + [b"HTTP/1.1 200 OK\r\ncontent-length: 7\r\n\r\n"] + [b"x"] * 7
        for piece in pieces:
            await asyncio.sleep(0.25)
            await line.say(piece)
        await line.closed_by_gateway()

    async with warm(script, read_timeout=1.5) as (_, upstream):
        assert (await told_the_end(at_once(upstream, Told()))).body == b"xxxxxxx"


async def test_closing_the_connector_is_told() -> None:
    async with warm(answers()) as (_, upstream):
        told = at_once(upstream, Told())
        await upstream.close()
        assert told.failure is UpstreamFailure.BROKEN


async def test_a_retired_connector_ends_with_its_last_answer() -> None:
    go_on = asyncio.Event()

    async def script(line: Line) -> None:
        await line.head()
        await go_on.wait()
        await line.say(OK)
        await line.closed_by_gateway()

    async with warm(script) as (_, upstream):
        told = at_once(upstream, Told())
        upstream.retire()
        assert upstream.send_at_once(b"GET", b"/", header_lines(HEADERS), Told(), may_retry=True) is None
        go_on.set()
        assert (await told_the_end(told)).body == b"ok"
        assert upstream.open_connections == 0


# Pausing


async def test_paused_the_application_is_held_back_and_nothing_is_lost() -> None:
    size, written = 100 * MEGABYTE, [0]

    async def script(line: Line) -> None:
        await pours(line, size, written)
        await line.head()
        await line.say(OK)
        await line.closed_by_gateway()

    async with warm(script) as (app, upstream):
        told = at_once(upstream, Told())
        await until(lambda: told.status == 200)
        told.relay.pause()
        await stands_still(written)
        assert written[0] < size // 2
        so_far = told.times
        await stands_still(written)
        assert told.times == so_far, "paused, nothing is told"
        told.relay.resume()
        await told_the_end(told)
        assert told.size == size
        assert await whole(await get(upstream)) == b"ok"
        assert app.connections == 1


@pytest.mark.parametrize("pieces", [[OK], [OK[:-2], OK[-2:]], [OK[:-1], OK[-1:]]], ids=["whole", "head", "all but one"])
async def test_paused_by_the_last_piece_the_connection_serves_the_next_request(pieces: list[bytes]) -> None:
    """The answer fills the client's buffer with its very last piece: nothing is left to be resumed."""

    async def script(line: Line) -> None:
        while await line.head():
            for piece in pieces:
                await line.say(piece)
                await asyncio.sleep(0.01)

    def pause_at_the_end(told: Told) -> None:
        if told.complete:
            told.relay.pause()

    async with warm(script, read_timeout=2.0) as (app, upstream):
        for _ in range(2):
            assert (await told_the_end(at_once(upstream, Told(pause_at_the_end)))).complete
            assert await whole(await get(upstream)) == b"ok"
        assert app.connections == 1


async def test_time_does_not_run_while_paused() -> None:
    """What is given up on another connection shows that the time has passed."""

    async def script(line: Line) -> None:
        await line.head()
        if line.number == 1:
            await line.say(OK[:-1])
            await may_end.wait()
            await line.say(OK[-1:])
        await line.closed_by_gateway()

    may_end = asyncio.Event()
    async with warm(script, read_timeout=0.2) as (_, upstream):
        told = at_once(upstream, Told())
        await until(lambda: told.body == b"o")
        told.relay.pause()
        await whole(await get(upstream))
        other = await told_the_end(at_once(upstream, Told()))
        assert other.failure is UpstreamFailure.TIMEOUT
        assert not told.ended
        may_end.set()
        told.relay.resume()
        assert (await told_the_end(told)).body == b"ok"


async def test_resumed_time_runs_again() -> None:
    async def script(line: Line) -> None:
        await line.head()
        await line.say(OK[:-1])
        await line.closed_by_gateway()

    async with warm(script, read_timeout=0.2) as (_, upstream):
        told = at_once(upstream, Told())
        await until(lambda: told.body == b"o")
        told.relay.pause()
        told.relay.resume()
        assert (await told_the_end(told)).failure is UpstreamFailure.TIMEOUT


async def test_an_end_of_connection_is_found_after_a_pause() -> None:
    async def script(line: Line) -> None:
        await line.head()
        await line.say(b"HTTP/1.0 200 OK\r\n\r\n" + b"x" * MEGABYTE)

    async with warm(script) as (app, upstream):
        told = at_once(upstream, Told(lambda told: told.relay.pause()))
        while not told.complete:
            await until(lambda: told.status == 200)
            told.relay.resume()
            await asyncio.sleep(0)
        assert told.body == b"x" * MEGABYTE
        await until(lambda: app.open_lines == 0)


async def test_what_is_asked_of_a_past_answer_does_not_touch_the_next() -> None:
    go_on = asyncio.Event()

    async def script(line: Line) -> None:
        await line.head()
        await line.say(OK)
        await line.head()
        await go_on.wait()
        await line.say(OK)
        await line.closed_by_gateway()

    async with warm(script) as (app, upstream):
        past = await told_the_end(at_once(upstream, Told()))
        told = at_once(upstream, Told())
        past.relay.pause()
        past.relay.abort()
        go_on.set()
        assert (await told_the_end(told)).body == b"ok"
        assert (app.connections, past.times) == (1, 1)


# Leaving


async def ends(line: Line, words: bytes, go_on: asyncio.Event) -> None:
    await line.head()
    await line.say(words)
    await go_on.wait()
    await line.closed_by_gateway()


@pytest.mark.parametrize("words", [b"", b"H", OK[:-2], OK[:-1]], ids=["nothing", "a byte", "a head", "half a body"])
@pytest.mark.parametrize("paused", [False, True])
async def test_abort_closes_the_connection_and_nothing_more_is_told(words: bytes, paused: bool) -> None:
    go_on = asyncio.Event()

    async def script(line: Line) -> None:
        await ends(line, words, go_on)

    async with warm(script) as (app, upstream):
        told = at_once(upstream, Told())
        await until(lambda: told.status == 200 or words in (b"", b"H"))
        if paused:
            told.relay.pause()
        before = told.times
        told.relay.abort()
        told.relay.abort()
        told.relay.resume()
        assert upstream.open_connections == 0
        go_on.set()
        await until(lambda: app.open_lines == 0)
        assert told.times == before


@pytest.mark.parametrize("answer", [OK, OK[:-1], OK[:-2]], ids=["complete", "with more to come", "head alone"])
async def test_abort_in_the_midst_of_being_told(answer: bytes) -> None:
    async def script(line: Line) -> None:
        await line.head()
        await line.say(answer)
        await line.closed_by_gateway()

    async with warm(script) as (app, upstream):
        told = at_once(upstream, Told(lambda told: told.relay.abort()))
        await until(lambda: told.times == 1)
        await until(lambda: app.open_lines == 0)
        assert (upstream.open_connections, told.times) == (0, 1)


# Any order of events


class Stepping(Told):
    """Paused, by a plan, in the midst of being told; resumed so many turns of the event loop later."""

    def __init__(self, plan: Iterator[int]) -> None:
        super().__init__(lambda told: self._pause())
        self._plan = plan
        self._pauses_for = 0

    def _pause(self) -> None:
        self._pauses_for = next(self._plan, 0)
        if self._pauses_for:
            self.relay.pause()

    def turn(self) -> None:
        if self._pauses_for:
            self._pauses_for -= 1
            if not self._pauses_for:
                self.relay.resume()


_BODIES = st.binary(max_size=300) | st.integers(0, 200_000).map(lambda size: b"z" * size)


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.tuples(_BODIES, st.booleans(), st.lists(st.integers(1, 100_000), max_size=5)), min_size=1, max_size=4),
    st.lists(st.integers(0, 5), max_size=20),
)
def test_however_pieces_and_pauses_fall_every_answer_is_whole(
    exchanges: list[tuple[bytes, bool, list[int]]], pauses: list[int]
) -> None:
    async def script(line: Line) -> None:
        for body, chunked, cuts in exchanges:
            await line.head()
            framed = b"%x\r\n%b\r\n" % (len(body), body) if body else b""
            data = (
                b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n" + framed + b"0\r\n\r\n"
                if chunked
                else b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n" % len(body) + body
            )
            for cut in cuts:
                await line.say(data[:cut])
                data = data[cut:]
                await asyncio.sleep(0)
            await line.say(data)
        await line.closed_by_gateway()

    async def ask() -> None:
        async with warm(script, read_timeout=5.0) as (_, upstream):
            for body, _, _ in exchanges:
                told = Stepping(iter(pauses))
                relay = upstream.send_at_once(b"GET", b"/", header_lines(HEADERS), told, may_retry=True)
                if relay is None:
                    return  # in doubt where the last answer ended, its connection was not kept
                told.relay = relay
                while not told.ended:
                    told.turn()
                    await asyncio.sleep(0)
                assert (told.body, told.complete) == (body, True)

    asyncio.run(ask())
