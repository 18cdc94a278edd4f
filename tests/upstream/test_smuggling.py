"""Answers with two readings are refused; bytes beyond an answer never reach another request.

Each refused form stands beside the nearest form that must pass: a guard that refuses everything guards nothing.
"""

from __future__ import annotations

import pytest

from gateway.ports.upstream import UpstreamError, UpstreamFailure
from gateway.upstream.parsing import AnswerParser
from tests.upstream.application import Line, answers, application, connected, connector, get, until, whole

OK = b"HTTP/1.1 200 OK\r\n"
CHUNKED = OK + b"transfer-encoding: chunked\r\n\r\n"

REFUSED_HEADS = {
    "both lengths": OK + b"content-length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
    "both lengths, other order": OK + b"transfer-encoding: chunked\r\ncontent-length: 5\r\n\r\n0\r\n\r\n",
    "lengths differ": OK + b"content-length: 5\r\ncontent-length: 6\r\n\r\nhello!",
    "lengths twice": OK + b"content-length: 5\r\ncontent-length: 5\r\n\r\nhello",
    "length list": OK + b"content-length: 5, 5\r\n\r\nhello",
    "length signed": OK + b"content-length: +5\r\n\r\nhello",
    "length negative": OK + b"content-length: -5\r\n\r\nhello",
    "length empty": OK + b"content-length:\r\n\r\nhello",
    "length hex": OK + b"content-length: 0x5\r\n\r\nhello",
    "length underscore": OK + b"content-length: 1_0\r\n\r\nhellohello",
    "length immense": OK + b"content-length: 99999999999999999999999\r\n\r\nhello",
    "coding gzip, chunked": OK + b"transfer-encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
    "coding chunked, gzip": OK + b"transfer-encoding: chunked, gzip\r\n\r\n0\r\n\r\n",
    "coding chunked, chunked": OK + b"transfer-encoding: chunked, chunked\r\n\r\n0\r\n\r\n",
    "coding twice": OK + b"transfer-encoding: chunked\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
    "coding identity": OK + b"transfer-encoding: identity\r\n\r\n0\r\n\r\n",
    "coding unknown": OK + b"transfer-encoding: xchunked\r\n\r\n0\r\n\r\n",
    "coding with parameter": OK + b"transfer-encoding: chunked;a=b\r\n\r\n0\r\n\r\n",
    "coding empty": OK + b"transfer-encoding:\r\n\r\n0\r\n\r\n",
    "coding after vertical tab": OK + b"transfer-encoding: \x0bchunked\r\n\r\n0\r\n\r\n",
    "coding in 1.0": b"HTTP/1.0 200 OK\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
    "coding of HEAD and length": OK + b"content-length: 5\r\ntransfer-encoding: chunked\r\n\r\n",
    "line feeds alone": b"HTTP/1.1 200 OK\ncontent-length: 0\n\n",
    "one line feed alone": OK + b"x: a\ncontent-length: 0\r\n\r\n",
    "line feed ends the head": OK + b"content-length: 0\r\n\n",
    "carriage return alone": OK + b"x: a\rcontent-length: 9\r\ncontent-length: 0\r\n\r\n",
    "carriage return ends the head": OK + b"content-length: 1\r\n\rXa",
    "folded line": OK + b"x: a\r\n b\r\ncontent-length: 0\r\n\r\n",
    "folded first line": OK + b" x: a\r\ncontent-length: 0\r\n\r\n",
    "space before colon": OK + b"content-length : 0\r\n\r\n",
    "space in name": OK + b"content length: 0\r\n\r\n",
    "empty name": OK + b": x\r\ncontent-length: 0\r\n\r\n",
    "no colon": OK + b"content-length 0\r\n\r\n",
    "odd name": OK + b"x(y): a\r\ncontent-length: 0\r\n\r\n",
    "obs-text in name": OK + b"x\xe9: a\r\ncontent-length: 0\r\n\r\n",
    "NUL in value": OK + b"x: a\0b\r\ncontent-length: 0\r\n\r\n",
    "control in value": OK + b"x: a\x01b\r\ncontent-length: 0\r\n\r\n",
    "DEL in value": OK + b"x: a\x7fb\r\ncontent-length: 0\r\n\r\n",
    "version 0.9": b"HTTP/0.9 200 OK\r\ncontent-length: 0\r\n\r\n",
    "version 1.2": b"HTTP/1.2 200 OK\r\ncontent-length: 0\r\n\r\n",
    "version 2.0": b"HTTP/2.0 200 OK\r\ncontent-length: 0\r\n\r\n",
    "another protocol": b"SSH-2.0-OpenSSH_9.2\r\n",
    "html without a head": b"<html>\r\n\r\n",
    "empty line first": b"\r\n" + OK + b"content-length: 0\r\n\r\n",
    "status below 100": b"HTTP/1.1 099 X\r\ncontent-length: 0\r\n\r\n",
    "status above 599": b"HTTP/1.1 600 X\r\ncontent-length: 0\r\n\r\n",
    "status of two digits": b"HTTP/1.1 20 X\r\ncontent-length: 0\r\n\r\n",
    "status of four digits": b"HTTP/1.1 2000 X\r\ncontent-length: 0\r\n\r\n",
    "unasked upgrade": b"HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: x\r\n\r\nabc",
    "unasked 101 without upgrade": b"HTTP/1.1 101 Switching Protocols\r\n\r\n",
    "interim with bad name": b"HTTP/1.1 103 X\r\na b: c\r\n\r\n" + OK + b"content-length: 0\r\n\r\n",
}
PASSING_HEADS = {
    "one length": OK + b"content-length: 5\r\n\r\nhello",
    "length with zeros": OK + b"content-length: 005\r\n\r\nhello",
    "one coding": CHUNKED + b"5\r\nhello\r\n0\r\n\r\n",
    "coding in capitals": OK + b"TRANSFER-ENCODING: CHUNKED \r\n\r\n5\r\nhello\r\n0\r\n\r\n",
    "odd token": OK + b"x!#$%&'*+-.^_`|~y: a\r\ncontent-length: 5\r\n\r\nhello",
    "obs-text and tab in value": OK + b"x: a\xff\tb\r\ncontent-length: 5\r\n\r\nhello",
    "version 1.0": b"HTTP/1.0 200 OK\r\ncontent-length: 5\r\n\r\nhello",
    "status 599": b"HTTP/1.1 599 X\r\ncontent-length: 5\r\n\r\nhello",
}
REFUSED_CHUNKS = {
    "line feed after size": b"5\nhello\r\n0\r\n\r\n",
    "line feed after data": b"5\r\nhello\n0\r\n\r\n",
    "line feed in extension": b"5;a\nb\r\nhello\r\n0\r\n\r\n",
    "line feed ends trailers": b"5\r\nhello\r\n0\r\n\n",
    "0x": b"0x5\r\nhello\r\n0\r\n\r\n",
    "sign": b"+5\r\nhello\r\n0\r\n\r\n",
    "space before size": b" 5\r\nhello\r\n0\r\n\r\n",
    "space after size": b"5 \r\nhello\r\n0\r\n\r\n",
    "empty size": b"\r\nhello\r\n0\r\n\r\n",
    "immense size": b"ffffffffffffffffff\r\nhello\r\n0\r\n\r\n",
    "longer than its size": b"4\r\nhello\r\n0\r\n\r\n",
    "junk after data": b"5\r\nhelloXX0\r\n\r\n",
    "control in extension": b"5;a\x01\r\nhello\r\n0\r\n\r\n",
    "carriage return alone": b"5\rXhello\r\n0\r\n\r\n",
    "bad trailer": b"5\r\nhello\r\n0\r\nno colon\r\n\r\n",
    "length in trailer": b"5\r\nhello\r\n0\r\ncontent-length: 5\r\n\r\n",
}


@pytest.mark.parametrize("case", REFUSED_HEADS)
async def test_head_is_refused(case: str) -> None:
    await refused(b"HEAD" if "HEAD" in case else b"GET", REFUSED_HEADS[case])


@pytest.mark.parametrize("case", PASSING_HEADS)
async def test_its_honest_neighbour_passes(case: str) -> None:
    async with connected(answers(PASSING_HEADS[case])) as (_, upstream):
        assert await whole(await get(upstream)) == b"hello"


@pytest.mark.parametrize("case", REFUSED_CHUNKS)
async def test_chunks_are_refused(case: str) -> None:
    await refused(b"GET", CHUNKED + REFUSED_CHUNKS[case])


async def refused(method: bytes, data: bytes) -> None:
    """The caller learns of it, and the connection serves nobody else."""
    async with connected(answers(data)) as (app, upstream):
        with pytest.raises(UpstreamError) as error:
            await whole(await get(upstream, method))
        assert error.value.failure is UpstreamFailure.MALFORMED
        assert str(app.address) in str(error.value)
        assert upstream.open_connections == 0
        await until(lambda: app.open_lines == 0)


HELLO = OK + b"content-length: 5\r\n\r\nhello"
EVIL = OK + b"content-length: 4\r\n\r\nevil"
BEYOND = {
    "another answer": (b"GET", HELLO + EVIL, b"hello"),
    "one byte": (b"GET", HELLO + b"H", b"hello"),
    "an empty line": (b"GET", HELLO + b"\r\n", b"hello"),
    "a line feed": (b"GET", HELLO + b"\n", b"hello"),
    "line ends after a body of line ends": (b"GET", OK + b"content-length: 2\r\n\r\n\r\n\r\n", b"\r\n"),
    "body of HEAD": (b"HEAD", HELLO, b""),
    "answer after HEAD": (b"HEAD", OK + b"content-length: 5\r\n\r\n" + EVIL, b""),
    "chunk after HEAD": (b"HEAD", CHUNKED + b"5\r\n\r\n", b""),
    "body of 204": (b"GET", b"HTTP/1.1 204 No Content\r\n\r\n" + EVIL, b""),
    "announced body of 204": (b"GET", b"HTTP/1.1 204 No Content\r\ncontent-length: 4\r\n\r\n", b""),
    "announced chunks of 204": (b"GET", b"HTTP/1.1 204 No Content\r\ntransfer-encoding: chunked\r\n\r\n", b""),
    "body of 304": (b"GET", b"HTTP/1.1 304 Not Modified\r\ncontent-length: 4\r\n\r\nevil", b""),
    "empty line after 304": (b"GET", b"HTTP/1.1 304 Not Modified\r\netag: x\r\n\r\n\r\n", b""),
    "after no bytes": (b"GET", OK + b"content-length: 0\r\n\r\nx", b""),
    "after chunks": (b"GET", CHUNKED + b"5\r\nhello\r\n0\r\n\r\n" + EVIL, b"hello"),
    "empty line after chunks": (b"GET", CHUNKED + b"5\r\nhello\r\n0\r\n\r\n\r\n", b"hello"),
    "answer said close": (b"GET", OK + b"connection: close\r\ncontent-length: 5\r\n\r\nhello" + EVIL, b"hello"),
    "interim": (b"GET", HELLO + b"HTTP/1.1 100 Continue\r\n\r\n", b"hello"),
}


@pytest.mark.parametrize("case", BEYOND)
async def test_bytes_beyond_an_answer_end_the_connection(case: str) -> None:
    method, data, body = BEYOND[case]

    async def script(line: Line) -> None:
        await line.head()
        await line.say(data if line.number == 1 else HELLO)
        await line.closed_by_gateway()

    async with connected(script) as (app, upstream):
        assert await whole(await get(upstream, method)) == body
        assert upstream.open_connections == 0
        assert await whole(await get(upstream)) == b"hello"
        assert app.connections == 2


async def test_bytes_on_an_idle_connection_end_it() -> None:
    async def script(line: Line) -> None:
        await line.head()
        await line.say(HELLO)
        if line.number == 1:
            await until(lambda: upstream.idle_connections == 1)
            await line.say(EVIL)
        await line.closed_by_gateway()

    async with application(script) as app, connector(app.address) as upstream:
        assert await whole(await get(upstream)) == b"hello"
        await until(lambda: upstream.open_connections == 0)
        assert await whole(await get(upstream)) == b"hello"
        assert app.connections == 2


@pytest.mark.parametrize(
    "data",
    [
        OK + b"x: " + b"a" * 9000,
        OK + b"x: " + b"a" * 9000 + b"\r\n\r\n",
        b"HTTP/1.1 200 " + b"a" * 9000,
        OK + b"a: b\r\n" * 2000 + b"\r\n",
        b"HTTP/1.1 103 X\r\n\r\n" + OK + b"x: " + b"a" * 9000 + b"\r\ncontent-length: 0\r\n\r\n",
        CHUNKED + b"5;" + b"a" * 20000,
        CHUNKED + b"0\r\nx: " + b"a" * 20000,
    ],
    ids=["value", "whole value", "reason", "many", "after interim", "extension", "trailer"],
)
async def test_what_has_no_end_is_cut_off(data: bytes) -> None:
    async def script(line: Line) -> None:
        await line.head()
        for start in range(0, len(data), 1000):
            await line.say(data[start : start + 1000])
        await line.closed_by_gateway()

    async with connected(script, max_head_bytes=8192, max_headers=1000) as (_, upstream):
        with pytest.raises(UpstreamError) as error:
            await whole(await get(upstream))
        assert error.value.failure is UpstreamFailure.MALFORMED


async def test_too_many_headers_are_refused_and_just_enough_pass() -> None:
    for count, passes in ((10, True), (11, False)):
        data = OK + b"a: b\r\n" * (count - 1) + b"content-length: 0\r\n\r\n"
        async with connected(answers(data), max_headers=10) as (_, upstream):
            if passes:
                assert len((await get(upstream)).headers) == count - 1
            else:
                with pytest.raises(UpstreamError, match="over 10 headers"):
                    await get(upstream)


async def test_head_just_below_the_limit_passes() -> None:
    async with connected(answers(OK + b"x: " + b"a" * 60_000 + b"\r\ncontent-length: 5\r\n\r\nhello")) as (_, upstream):
        answer = await get(upstream)
        assert len(answer.headers[0][1]) == 60_000
        assert await whole(answer) == b"hello"


async def test_large_body_in_the_same_bytes_as_the_head_is_not_counted_as_head() -> None:
    data = OK + b"content-length: 9000\r\n\r\n" + b"a" * 9000
    async with connected(answers(data), max_head_bytes=100) as (_, upstream):
        assert len(await whole(await get(upstream))) == 9000


@pytest.mark.parametrize("more", [1, 2, 3, 4, 5, 100])
def test_what_follows_a_head_answer_never_counts_as_its_end_however_it_is_cut(more: int) -> None:
    data = CHUNKED + b"5\r\nhello\r\n0\r\n\r\n"
    for cut in range(1, len(CHUNKED)):
        parser = AnswerParser(8192, 100)
        parser.expect(to_head=True)
        parser.feed(data[:cut])
        parser.feed(data[cut : cut + more])
        assert not parser.persistent or cut + more == len(CHUNKED), cut
