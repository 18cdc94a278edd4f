"""What the application receives is what the caller gave, framed by us, or nothing at all."""

from __future__ import annotations

import asyncio

import pytest

from gateway.ports.upstream import ClientGone, Headers, RequestBody
from tests.upstream.application import Fed, Line, Pieces, connected, get, until, whole

OK = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"


class Recorder:
    """Keeps the bytes of one request and answers it once `ending` has come."""

    def __init__(self, ending: bytes) -> None:
        self.bytes = b""
        self.first_read = b""
        self._ending = ending

    async def __call__(self, line: Line) -> None:
        while not self.bytes.endswith(self._ending):
            data = await line.reader.read(65536)
            if not data:
                return
            self.first_read = self.first_read or data
            self.bytes += data
        await line.say(OK)
        await line.closed_by_gateway()


async def sent(method: bytes, target: bytes, headers: Headers, body: RequestBody | None, ending: bytes) -> bytes:
    recorder = Recorder(ending)
    async with connected(recorder) as (_, upstream):
        answer = await upstream.send(method, target, headers, body)
        assert await whole(answer) == b"ok"
    return recorder.bytes


@pytest.mark.parametrize(
    "target",
    [b"/", b"/a%2Fb/../c//d;e?", b"/?a=1&&=&%zz", b"//evil/%2e%2e?x=#not-a-fragment", b"/caf\xe9?\xff=\x80", b"*"],
)
async def test_target_arrives_byte_for_byte(target: bytes) -> None:
    assert await sent(b"GET", target, [], None, b"\r\n\r\n") == b"GET " + target + b" HTTP/1.1\r\n\r\n"


async def test_headers_arrive_in_order_with_duplicates_and_any_bytes() -> None:
    headers = [(b"host", b"a"), (b"x-name", b"\xe9\xff"), (b"cookie", b"a=1"), (b"x-empty", b""), (b"cookie", b"b=\t2")]
    assert await sent(b"GET", b"/", headers, None, b"\r\n\r\n") == (
        b"GET / HTTP/1.1\r\nhost: a\r\nx-name: \xe9\xff\r\ncookie: a=1\r\nx-empty: \r\ncookie: b=\t2\r\n\r\n"
    )


@pytest.mark.parametrize("method", [b"POST", b"PUT", b"PATCH"])
async def test_methods_that_usually_have_a_body_say_when_they_have_none(method: bytes) -> None:
    assert await sent(method, b"/", [], None, b"\r\n\r\n") == method + b" / HTTP/1.1\r\ncontent-length: 0\r\n\r\n"


@pytest.mark.parametrize("method", [b"GET", b"DELETE", b"PURGE"])
async def test_other_methods_without_a_body_say_nothing(method: bytes) -> None:
    assert await sent(method, b"/", [], None, b"\r\n\r\n") == method + b" / HTTP/1.1\r\n\r\n"


async def test_known_length_is_announced() -> None:
    request = await sent(b"GET", b"/", [], Pieces([b"ab", b"c"], 3), b"\r\n\r\nabc")
    assert request == b"GET / HTTP/1.1\r\ncontent-length: 3\r\n\r\nabc"


async def test_unknown_length_is_chunked() -> None:
    request = await sent(b"POST", b"/", [], Pieces([b"ab", b"c" * 17], None), b"0\r\n\r\n")
    assert request == (
        b"POST / HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n2\r\nab\r\n11\r\n" + b"c" * 17 + b"\r\n0\r\n\r\n"
    )


async def test_body_without_bytes_is_not_waited_for() -> None:
    body = Fed(0)  # its read would never return
    assert await sent(b"POST", b"/", [], body, b"\r\n\r\n") == b"POST / HTTP/1.1\r\ncontent-length: 0\r\n\r\n"


async def test_head_and_a_body_at_hand_are_one_write() -> None:
    recorder = Recorder(b"body")
    async with connected(recorder) as (_, upstream):
        await whole(await get(upstream, b"POST", Pieces([b"body"], 4)))
    assert recorder.first_read == recorder.bytes


async def test_head_does_not_wait_for_a_slow_body() -> None:
    recorder, body = Recorder(b"body"), Fed(4)
    async with connected(recorder) as (_, upstream):
        asking = asyncio.create_task(get(upstream, b"POST", body))
        await until(lambda: recorder.bytes.endswith(b"\r\n\r\n"))
        body.feed(b"body")
        assert await whole(await asking) == b"ok"


LINE_BREAKERS = [b"a\r\nb", b"a\nb", b"a\rb", b"a\0b"]


@pytest.mark.parametrize("bad", [*LINE_BREAKERS, b"", b"a b", b"a:b", b"\xe9"])
async def test_bad_header_name_is_refused(bad: bytes) -> None:
    await refused(b"GET", b"/", [(bad, b"x")])


@pytest.mark.parametrize("bad", LINE_BREAKERS)
async def test_bad_header_value_is_refused_by_name(bad: bytes) -> None:
    assert "x-bad" in await refused(b"GET", b"/", [(b"x-good", b"1"), (b"x-bad", bad)])


async def test_value_that_would_balance_a_missing_line_is_refused() -> None:
    await refused(b"GET", b"/", [(b"x", b"1\r"), (b"y", b"\n2")])


@pytest.mark.parametrize("bad", [*LINE_BREAKERS, b"", b"/a b", b"/\t", b"/\x7f"])
async def test_bad_target_is_refused(bad: bytes) -> None:
    await refused(b"GET", bad, [])


@pytest.mark.parametrize("bad", [*LINE_BREAKERS, b"", b"GE T", b"CONNECT", b"G\xe9T"])
async def test_bad_method_is_refused(bad: bytes) -> None:
    await refused(bad, b"/", [])


@pytest.mark.parametrize(
    "name", [b"content-length", b"Transfer-Encoding", b"connection", b"upgrade", b"CONTENT-LENGTH"]
)
async def test_framing_is_not_the_callers(name: bytes) -> None:
    await refused(b"POST", b"/", [(name, b"5")])


async def test_a_method_called_like_a_framing_header_opens_no_door_to_the_header() -> None:
    assert (await sent(b"content-length", b"/", [], None, b"\r\n\r\n")).startswith(b"content-length / ")
    await refused(b"GET", b"/", [(b"content-length", b"5")])


async def refused(method: bytes, target: bytes, headers: Headers) -> str:
    async def script(line: Line) -> None:
        raise AssertionError(f"the application received {await line.reader.read(100)!r}")

    async with connected(script) as (app, upstream):
        with pytest.raises(ValueError) as refusal:
            await upstream.send(method, target, headers, None)
        assert app.connections == 0
    return str(refusal.value)


@pytest.mark.parametrize(
    ("pieces", "length", "expected"),
    [
        ([b"abc"], 5, ClientGone),
        ([], 5, ClientGone),
        ([b"abcdef"], 5, ValueError),
        ([b"abc", b"def"], 5, ValueError),
        ([b"abcde", b"f"], 5, ValueError),
    ],
)
async def test_body_of_another_length_than_announced_never_completes(
    pieces: list[bytes], length: int, expected: type[Exception]
) -> None:
    received = bytearray()

    async def script(line: Line) -> None:
        await line.head()
        while data := await line.reader.read(100):
            received.extend(data)

    async with connected(script) as (app, upstream):
        with pytest.raises(expected):
            await get(upstream, b"POST", Pieces(pieces, length))
        await until(lambda: app.connections == 0 or app.open_lines == 0)
        assert upstream.open_connections == 0
    assert len(received) <= length


async def test_chunked_body_that_breaks_off_gets_no_last_chunk() -> None:
    received = bytearray()

    async def script(line: Line) -> None:
        await line.head()
        while data := await line.reader.read(100):
            received.extend(data)

    body = Fed(None)
    body.feed(b"abc")
    body.feed(ClientGone("left"))
    async with connected(script) as (app, upstream):
        with pytest.raises(ClientGone):
            await get(upstream, b"POST", body)
        await until(lambda: app.open_lines == 0)
    assert not received.endswith(b"0\r\n\r\n")
