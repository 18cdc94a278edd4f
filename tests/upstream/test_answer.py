"""What the caller gets of a well-formed answer, however its bytes are cut."""

from __future__ import annotations

import asyncio
import itertools
import socket
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.ports.upstream import Headers, UpstreamError, UpstreamFailure
from gateway.upstream.parsing import AnswerParser
from tests.upstream.application import (
    Line,
    answers,
    answers_and_closes,
    application,
    connected,
    connector,
    get,
    until,
    whole,
)

CASES: dict[str, tuple[bytes, bytes, int, int | None, bytes]] = {
    # name: request method, answer, status, length, body
    "length": (b"GET", b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", 200, 5, b"hello"),
    "length, no bytes": (b"GET", b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n", 200, 0, b""),
    "body of line ends": (b"GET", b"HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\n\r\n\r\n", 200, 4, b"\r\n\r\n"),
    "no reason": (b"GET", b"HTTP/1.1 402\r\ncontent-length: 1\r\n\r\nx", 402, 1, b"x"),
    "odd reason": (b"GET", b"HTTP/1.1 599 \xe9t\xe9\r\ncontent-length: 1\r\n\r\nx", 599, 1, b"x"),
    "chunked": (
        b"GET",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\n\r\n5\r\nhello\r\nA\r\n0123456789\r\n0\r\n\r\n",
        200,
        None,
        b"hello0123456789",
    ),
    "chunked, no bytes": (b"GET", b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n", 200, None, b""),
    "chunk extensions": (
        b"GET",
        b'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n05;a=b;c="d"\r\nhello\r\n0;last\r\n\r\n',
        200,
        None,
        b"hello",
    ),
    "trailers": (
        b"GET",
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\ntrailer: digest\r\n\r\n"
        b"5\r\nhello\r\n0\r\ndigest: 0\r\nx-injected: 1\r\n\r\n",
        200,
        None,
        b"hello",
    ),
    "head": (b"HEAD", b"HTTP/1.1 200 OK\r\ncontent-length: 5000\r\n\r\n", 200, 5000, b""),
    "head, no bytes": (b"HEAD", b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n", 200, 0, b""),
    "head, chunked": (b"HEAD", b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n", 200, None, b""),
    "head, nothing": (b"HEAD", b"HTTP/1.1 404 Not Found\r\nserver: x\r\n\r\n", 404, None, b""),
    "no content": (b"GET", b"HTTP/1.1 204 No Content\r\n\r\n", 204, 0, b""),
    "not modified": (b"GET", b"HTTP/1.1 304 Not Modified\r\ncontent-length: 99\r\netag: x\r\n\r\n", 304, 99, b""),
    "continue": (b"GET", b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok", 200, 2, b"ok"),
    "early hints": (
        b"GET",
        b"HTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 103 Early Hints\r\nlink: </a>\r\nconnection: link\r\n\r\n"
        b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok",
        200,
        2,
        b"ok",
    ),
    "early hints, head": (
        b"HEAD",
        b"HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n",
        200,
        2,
        b"",
    ),
}
CLOSING: dict[str, tuple[bytes, bytes, int, int | None, bytes]] = {
    "close": (b"GET", b"HTTP/1.1 200 OK\r\nserver: x\r\n\r\nhello", 200, None, b"hello"),
    "close, 1.0": (b"GET", b"HTTP/1.0 200 OK\r\n\r\nhello", 200, None, b"hello"),
    "close, no bytes": (b"GET", b"HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n", 200, None, b""),
}


@pytest.mark.parametrize("case", CASES | CLOSING)
async def test_answer_arrives(case: str) -> None:
    method, data, status, length, body = (CASES | CLOSING)[case]
    async with connected((answers if case in CASES else answers_and_closes)(data)) as (_, upstream):
        answer = await get(upstream, method)
        assert (answer.status, answer.length, await whole(answer)) == (status, length, body)
        assert await answer.read() == b""
        assert not any(name in (b"x-injected", b"digest", b"link") for name, _ in answer.headers)


# Where its end is not certain, a connection is rather closed (see the tests of what lies beyond an answer).
UNCERTAIN = {"trailers", "chunk extensions", "body of line ends", "early hints, head"}


@pytest.mark.parametrize("case", sorted(CASES.keys() - UNCERTAIN))
async def test_connection_is_used_again(case: str) -> None:
    method, data, *_ = CASES[case]
    async with connected(answers(data, data, data)) as (app, upstream):
        for _ in range(3):
            await whole(await get(upstream, method))
        assert (app.connections, upstream.open_connections, upstream.idle_connections) == (1, 1, 1)


@pytest.mark.parametrize("case", CASES | CLOSING)
async def test_answer_cut_at_every_byte_is_the_same(case: str) -> None:
    method, data, status, length, body = (CASES | CLOSING)[case]

    async def script(line: Line) -> None:
        """Cut where the target says."""
        while request := await line.head():
            cut = int(request.split()[1].strip(b"/"))
            await line.say(data[:cut])
            await asyncio.sleep(0.001)  # lets most halves arrive apart; the parser's own test has them all apart
            await line.say(data[cut:])
            if case in CLOSING:
                return

    async with application(script) as app, connector(app.address) as upstream:
        for cut in range(1, len(data)):
            answer = await upstream.send(method, b"/%d" % cut, [], None)
            assert (answer.status, answer.length, await whole(answer)) == (status, length, body), cut
            answer.abort()


def parsed(method: bytes, pieces: list[bytes]) -> tuple[int, Headers, int | None, bytes, bool]:
    parser = AnswerParser(65536, 1000)
    parser.expect(to_head=method == b"HEAD")
    body = b""
    for piece in pieces:
        parser.feed(piece)
        body += b"".join(parser.pieces)
        parser.pieces = []
    parser.end()
    return parser.status, parser.headers, parser.length, body, parser.complete


@pytest.mark.parametrize("case", CASES | CLOSING)
def test_parser_is_blind_to_how_bytes_are_cut(case: str) -> None:
    method, data, *_ = (CASES | CLOSING)[case]
    at_once = parsed(method, [data])
    assert at_once[-1]
    assert parsed(method, [data[i : i + 1] for i in range(len(data))]) == at_once
    for cut in range(1, len(data)):
        assert parsed(method, [data[:cut], data[cut:]]) == at_once, cut


@given(st.sampled_from(sorted(CASES)), st.lists(st.integers(1, 200), max_size=8))
def test_parser_is_blind_to_any_number_of_cuts(case: str, cuts: list[int]) -> None:
    method, data, *_ = CASES[case]
    edges = sorted({0, len(data), *(cut for cut in cuts if cut < len(data))})
    pieces = [data[a:b] for a, b in itertools.pairwise(edges)]
    assert parsed(method, pieces) == parsed(method, [data])


async def headers_of(head: bytes) -> Headers:
    async with connected(answers(b"HTTP/1.1 200 OK\r\n" + head + b"content-length: 0\r\n\r\n")) as (_, upstream):
        return (await get(upstream)).headers


async def test_headers_keep_order_duplicates_and_bytes_and_lose_case_and_white_space() -> None:
    assert await headers_of(b"Set-Cookie: a=1\r\nX-B:\t\xe9\xff \t\r\nset-cookie: b=2\r\nX-Empty:\r\nx: a\tb\r\n") == [
        (b"set-cookie", b"a=1"),
        (b"x-b", b"\xe9\xff"),
        (b"set-cookie", b"b=2"),
        (b"x-empty", b""),
        (b"x", b"a\tb"),
    ]


async def test_headers_of_the_connection_go_no_further() -> None:
    assert await headers_of(
        b"Connection: Keep-Alive, X-Internal\r\nx-internal: 1\r\nKeep-Alive: timeout=5\r\nX-Other: 2\r\n"
        b"Proxy-Connection: x\r\nTE: x\r\nTrailer: x\r\nUpgrade: h2c\r\nX-INTERNAL: 3\r\nProxy-Authenticate: x\r\n"
        b"connection: x-second\r\nx-second: 4\r\n"
    ) == [(b"x-other", b"2")]


async def test_an_upgrade_on_offer_is_no_upgrade() -> None:
    data = b"HTTP/1.1 200 OK\r\nUpgrade: h2,h2c\r\nConnection: Upgrade\r\ncontent-length: 2\r\n\r\nok"
    async with connected(answers(data, data)) as (app, upstream):
        assert await whole(await get(upstream)) == b"ok"
        assert await whole(await get(upstream)) == b"ok"
        assert app.connections == 1


async def test_small_answer_is_there_without_waiting_again() -> None:
    async with connected(answers(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok")) as (_, upstream):
        answer = await get(upstream)
        for expected in (b"ok", b""):
            with pytest.raises(StopIteration) as ended:  # it never suspends
                answer.read().__await__().__next__()
            assert ended.value.value == expected


@pytest.mark.parametrize(
    "data",
    [
        b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhello",
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n",
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n",
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n6\r\nhello",
    ],
)
async def test_truncated_body_is_never_taken_for_whole(data: bytes) -> None:
    async with connected(answers_and_closes(data)) as (_, upstream):
        answer = await get(upstream)
        assert await answer.read() == b"hello"
        for _ in range(2):
            with pytest.raises(UpstreamError) as error:
                await answer.read()
            assert error.value.failure is UpstreamFailure.BROKEN


@pytest.mark.parametrize(
    "data", [b"", b"HTTP/1.1 20", b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n", b"HTTP/1.1 100 C\r\n\r\n"]
)
async def test_no_head_at_all_is_broken(data: bytes) -> None:
    async with connected(answers_and_closes(data)) as (app, upstream):
        with pytest.raises(UpstreamError) as error:
            await get(upstream)
        assert error.value.failure is UpstreamFailure.BROKEN
        assert str(app.address) in str(error.value)
        await until(lambda: upstream.open_connections == 0)
        assert app.connections == 1


async def test_close_delimited_body_ended_by_a_reset_is_truncated() -> None:
    may_reset = asyncio.Event()

    async def script(line: Line) -> None:
        await line.head()
        await line.say(b"HTTP/1.1 200 OK\r\n\r\nhello")
        await may_reset.wait()
        raw = line.writer.get_extra_info("socket")
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))  # close becomes a reset
        line.writer.transport.abort()

    async with connected(script) as (_, upstream):
        answer = await get(upstream)
        assert await answer.read() == b"hello"
        may_reset.set()
        with pytest.raises(UpstreamError) as error:
            await answer.read()
        assert error.value.failure is UpstreamFailure.BROKEN
