"""The short way out: a request at once or not at all, and its answer told as it arrives."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.ports.upstream import Answer, Headers, Relay, UpstreamError, UpstreamFailure
from gateway.upstream.connector import UpstreamConnector
from tests.upstream.application import PATIENCE, Application, Line, Script, answers, connected, get, until, whole
from tests.upstream.test_answer import CASES

OK = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"
MEGABYTE = 1024 * 1024
HEADERS = [(b"host", b"app.example")]


class Told:
    """A receiver that notes what it is told, and in the midst of it does what the test wants."""

    def __init__(self, then: Callable[[Told], None] = lambda told: None) -> None:
        self._then = then
        self.relay: Relay
        self.status = 0
        self.headers: Headers = []
        self.length: int | None = None
        self.body = b""
        """As far as a test can have an interest in it."""
        self.size = 0
        self.complete = False
        self.failure: UpstreamFailure | None = None
        self.untouched = False
        self.times = 0
        """How often anything was told."""

    def answered(self, status: int, headers: Headers, length: int | None, piece: bytes, complete: bool) -> None:
        assert self.times == 0, "the head comes first, and once"
        self.status, self.headers, self.length = status, headers, length
        self._take(piece, complete)

    def arrived(self, piece: bytes, complete: bool) -> None:
        assert self.status, "the head comes first"
        self._take(piece, complete)

    def failed(self, error: UpstreamError, untouched: bool) -> None:
        assert not self.ended, "nothing comes after the end"
        self.failure, self.untouched = error.failure, untouched
        self.times += 1

    @property
    def ended(self) -> bool:
        return self.complete or self.failure is not None

    def _take(self, piece: bytes, complete: bool) -> None:
        assert not self.ended, "nothing comes after the end"
        self.times += 1
        self.size += len(piece)
        if self.size <= 2 * MEGABYTE:
            self.body += piece
        self.complete = complete
        self._then(self)


def at_once(upstream: UpstreamConnector, told: Told, method: bytes = b"GET") -> Told:
    relay = upstream.send_at_once(method, b"/", HEADERS, told)
    assert relay is not None, "an idle connection was there"
    assert told.times == 0, "nothing is told before this returns"
    told.relay = relay
    return told


@asynccontextmanager
async def warm(script: Script, **limits: float) -> AsyncIterator[tuple[Application, UpstreamConnector]]:
    """As `connected`, with one connection that is idle; a script begins with the second request of its connection."""

    async def warmed(line: Line) -> None:
        await line.head()
        await line.say(OK)
        await script(line)

    async with connected(warmed, **limits) as (app, upstream):
        await whole(await get(upstream))
        yield app, upstream


async def told_the_end(told: Told) -> Told:
    await until(lambda: told.ended)
    return told


# At once or not at all


async def test_without_an_idle_connection_nothing_is_sent() -> None:
    async with connected(answers(OK)) as (app, upstream):
        assert upstream.send_at_once(b"GET", b"/", HEADERS, Told()) is None
        assert await whole(await get(upstream)) == b"ok"
        assert app.connections == 1


@pytest.mark.parametrize("method", [b"POST", b"PUT", b"DELETE", b"PATCH", b"TRACE", b"QUERY", b"get"])
async def test_what_is_not_known_to_be_safe_is_not_sent(method: bytes) -> None:
    async with warm(answers(OK)) as (_, upstream):
        assert upstream.send_at_once(method, b"/", HEADERS, Told()) is None
        assert upstream.idle_connections == 1


@pytest.mark.parametrize("target", [b"", b"/a b", b"/a\r\nx: y"])
async def test_what_would_break_the_framing_is_not_sent(target: bytes) -> None:
    async with warm(answers(OK)) as (_, upstream):
        with pytest.raises(ValueError, match="target"):
            upstream.send_at_once(b"GET", target, HEADERS, Told())
        with pytest.raises(ValueError, match="value"):
            upstream.send_at_once(b"GET", b"/", [(b"x", b"1\r\ny: 2")], Told())
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
        assert upstream.send_at_once(method, b"/x?%00#", headers, told) is not None
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
        assert upstream.send_at_once(b"GET", b"/", HEADERS, Told()) is None, "no third is idle"
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

FAILURES: dict[str, tuple[bytes, UpstreamFailure, int, bool]] = {
    # name: what the application says before it closes, the failure, status told before it, untouched
    "nothing": (b"", UpstreamFailure.BROKEN, 0, True),
    "a byte": (b"H", UpstreamFailure.BROKEN, 0, False),
    "an interim head": (b"HTTP/1.1 103 Early Hints\r\n\r\n", UpstreamFailure.BROKEN, 0, False),
    "half a head": (b"HTTP/1.1 200 OK\r\ncontent-le", UpstreamFailure.BROKEN, 0, False),
    "a head": (b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n", UpstreamFailure.BROKEN, 200, False),
    "half a body": (b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\no", UpstreamFailure.BROKEN, 200, False),
    "no last chunk": (
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nok\r\n",
        UpstreamFailure.BROKEN,
        200,
        False,
    ),
    "nonsense": (b"nonsense\r\n\r\n", UpstreamFailure.MALFORMED, 0, False),
    "bad chunks": (
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nok\r\nzz",
        UpstreamFailure.MALFORMED,
        200,
        False,
    ),
    "a head without end": (b"HTTP/1.1 200 OK\r\n" + b"x: y\r\n" * 20_000, UpstreamFailure.MALFORMED, 0, False),
}


@pytest.mark.parametrize("name", FAILURES)
async def test_a_failure_is_told_and_whether_anything_had_come(name: str) -> None:
    words, failure, status, untouched = FAILURES[name]

    async def script(line: Line) -> None:
        await line.head()
        await line.say(words)

    async with warm(script) as (_, upstream):
        told = await told_the_end(at_once(upstream, Told()))
        assert (told.failure, told.status, told.untouched) == (failure, status, untouched)
        assert not told.complete
        assert upstream.open_connections == 0


@pytest.mark.parametrize("words", [b"", b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhello"])
async def test_an_application_that_falls_silent_is_given_up_and_counts_as_touched(words: bytes) -> None:
    """It may be at work on the request still: to send it again would have it done twice."""

    async def script(line: Line) -> None:
        await line.head()
        await line.say(words)
        await line.closed_by_gateway()

    async with warm(script, read_timeout=0.2) as (app, upstream):
        told = await told_the_end(at_once(upstream, Told()))
        assert (told.failure, told.untouched) == (UpstreamFailure.TIMEOUT, False)
        await until(lambda: app.open_lines == 0)


async def test_each_piece_is_a_sign_of_life() -> None:
    async def script(line: Line) -> None:
        await line.head()
        for piece in (b"HTTP/1.1 103 \r\n\r\n", b"HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\n", b"a", b"b", b"c"):
            await asyncio.sleep(0.2)
            await line.say(piece)
        await line.closed_by_gateway()

    async with warm(script, read_timeout=0.6) as (_, upstream):
        assert (await told_the_end(at_once(upstream, Told()))).body == b"abc"


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
        assert upstream.send_at_once(b"GET", b"/", HEADERS, Told()) is None
        go_on.set()
        assert (await told_the_end(told)).body == b"ok"
        assert upstream.open_connections == 0


# Pausing


async def pours(line: Line, size: int, written: list[int]) -> None:
    await line.head()
    await line.say(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n" % size)
    for _ in range(size // MEGABYTE):
        await line.say(b"x" * MEGABYTE)
        written[0] += MEGABYTE


async def stands_still(written: list[int]) -> None:
    seen, still = -1, 0
    while still < 20:
        await asyncio.sleep(0.01)
        still = still + 1 if written[0] == seen else 0
        seen = written[0]


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


# Going on as an answer that is read


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
                relay = upstream.send_at_once(b"GET", b"/", HEADERS, told)
                if relay is None:
                    return  # in doubt where the last answer ended, its connection was not kept
                told.relay = relay
                while not told.ended:
                    told.turn()
                    await asyncio.sleep(0)
                assert (told.body, told.complete) == (body, True)

    asyncio.run(ask())
