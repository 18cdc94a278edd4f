"""Requests on real sockets: limits of heads, targets as they were sent, clients that leave and answers that are cut."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.ports.wire import HEAD_BYTES_LIMIT, HEADER_COUNT_LIMIT
from gateway.wire import protocol
from gateway.wire.cork import JOINED_BYTES_LIMIT
from tests.store.conftest import until
from tests.wire.application import PATIENCE, Client, Server, running

HOST = b"host: gate.example\r\n"
HANDSHAKE = [
    b"connection: upgrade",
    b"upgrade: websocket",
    b"sec-websocket-version: 13",
    b"sec-websocket-key: AAAAAAAAAAAAAAAAAAAAAA==",
]


def get(target: bytes, *headers: bytes, method: bytes = b"GET") -> bytes:
    return method + b" " + target + b" HTTP/1.1\r\n" + HOST + b"".join(line + b"\r\n" for line in headers) + b"\r\n"


def post(target: bytes, body: bytes, *headers: bytes) -> bytes:
    return get(target, b"content-length: %d" % len(body), *headers, method=b"POST") + body


async def refused(client: Client) -> None:
    """The client is told that its head is too large, in an answer that is well formed and the last one."""
    answer = await client.answer()
    assert answer.status == 431
    assert answer.headers["paywall-reason"] == "head-too-large"
    assert answer.headers["connection"] == "close"
    assert b"64 KiB and 200 headers" in answer.body
    assert await client.rest() == b""


TOO_LARGE = {
    "many small headers": get(b"/", *(b"x-%d: %s" % (number, b"v" * 500) for number in range(150))),
    "one huge header": get(b"/", b"x: " + b"v" * HEAD_BYTES_LIMIT),
    "one huge name": get(b"/", b"x" * HEAD_BYTES_LIMIT + b": v"),
    "a huge target": get(b"/" + b"a" * HEAD_BYTES_LIMIT),
    "a huge query": get(b"/?" + b"a" * HEAD_BYTES_LIMIT),
    "too many headers": get(b"/", *(b"x: 1" for _ in range(HEADER_COUNT_LIMIT))),
    "a header that never ends": b"GET / HTTP/1.1\r\nx: " + b"v" * (HEAD_BYTES_LIMIT + 1),
    "a target that never ends": b"GET /" + b"a" * (HEAD_BYTES_LIMIT + 1),
    "headers that never end": b"GET / HTTP/1.1\r\n" + b"x: 1\r\n" * (HEAD_BYTES_LIMIT // 6 + 1),
}


class TestSizeOfHeads:
    @pytest.mark.parametrize("name", TOO_LARGE)
    async def test_too_large_is_refused_and_never_reaches_the_application(
        self, server: Server, client: Client, name: str
    ) -> None:
        await client.send(TOO_LARGE[name])
        await refused(client)
        assert server.application.seen == []

    @pytest.mark.parametrize(
        "request_",
        [
            get(b"/", *(b"x: 1" for _ in range(HEADER_COUNT_LIMIT - 1))),
            get(b"/" + b"a" * (HEAD_BYTES_LIMIT - 100)),
            get(b"/", b"x: " + b"v" * (HEAD_BYTES_LIMIT - 100)),
        ],
        ids=["200 headers", "a long target", "a long header"],
    )
    async def test_as_large_as_allowed_is_answered(self, server: Server, client: Client, request_: bytes) -> None:
        await client.send(request_)
        assert (await client.answer()).status == 200
        assert len(server.application.seen) == 1

    async def test_a_body_counts_for_no_head(self, server: Server, client: Client) -> None:
        body = bytes(3 * HEAD_BYTES_LIMIT)
        for _ in range(2):
            await client.send(post(b"/", body))
            assert (await client.answer()).body == b"/ " + body
        await client.send(get(b"/after"))
        assert (await client.answer()).body == b"/after "

    async def test_the_second_head_of_a_connection_is_limited_too(self, server: Server, client: Client) -> None:
        await client.send(get(b"/first"))
        assert (await client.answer()).status == 200
        await client.send(TOO_LARGE["too many headers"])
        await refused(client)
        assert len(server.application.seen) == 1

    async def test_the_second_head_of_a_connection_may_not_go_on_for_ever(
        self, server: Server, client: Client, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(protocol, "HEAD_SECONDS_LIMIT", 1000)
        await client.send(get(b"/first"))
        assert (await client.answer()).status == 200
        await client.send(b"GET / HTTP/1.1\r\nx: " + b"v" * 64 * HEAD_BYTES_LIMIT)
        assert (await client.rest()).partition(b"\r\n")[0] in (b"", b"HTTP/1.1 431 Request Header Fields Too Large")
        assert len(server.application.seen) == 1

    async def test_what_is_sent_behind_a_refused_head_is_not_carried_out(self, server: Server, client: Client) -> None:
        await client.send(TOO_LARGE["too many headers"] + post(b"/transfer", b"all of it"))
        await refused(client)
        other = await server.client()
        await other.send(get(b"/other"))
        await other.answer()
        assert server.application.begun == [b"/other"]

    @pytest.mark.parametrize("bad", [TOO_LARGE["too many headers"], b"nonsense\r\n\r\n"], ids=["large", "nonsense"])
    async def test_a_refusal_is_never_taken_for_a_part_of_an_answer_under_way(
        self, server: Server, client: Client, bad: bytes
    ) -> None:
        await client.send(get(b"/part"))
        head = await asyncio.wait_for(client.reader.readuntil(b"\r\n\r\n"), PATIENCE)
        assert await asyncio.wait_for(client.reader.readexactly(10), PATIENCE) == b"x" * 10
        await client.send(bad)
        assert b"content-length: 100" in head
        assert (await client.rest()).strip(b"x") == b""

    @pytest.mark.parametrize("bad", [TOO_LARGE["too many headers"], b"nonsense\r\n\r\n"], ids=["large", "nonsense"])
    async def test_a_refusal_is_never_taken_for_the_answer_to_an_earlier_request(
        self, server: Server, client: Client, bad: bytes
    ) -> None:
        await client.send(get(b"/wait") + bad)
        assert await client.rest() == b""

    async def test_nonsense_is_refused(self, server: Server, client: Client) -> None:
        await client.send(b"nonsense\r\n\r\n")
        answer = await client.answer()
        assert (answer.status, answer.headers["paywall-reason"]) == (400, "request-malformed")
        assert await client.rest() == b""


class TestHandshakes:
    @pytest.mark.parametrize("before", [b"", get(b"/first")], ids=["first", "later"])
    async def test_refused_are_no_fault_of_ours(
        self, server: Server, client: Client, before: bytes, caplog: pytest.LogCaptureFixture
    ) -> None:
        if before:
            await client.send(before)
            assert (await client.answer()).status == 200
        await client.send(get(b"/socket", *HANDSHAKE, b"content-length: 4") + b"GET ")
        answer = await client.answer()
        assert (answer.status, answer.headers["paywall-reason"]) == (400, "request-malformed")
        assert await client.rest() == b""
        await until(lambda: not server.state.connections, "the connection is gone")
        assert caplog.records == [], "nothing of it is a fault in the log"


class TestTimeForHeads:
    """With so little time that the tests do not wait long; what ends one connection shows that it has passed."""

    @pytest.fixture(autouse=True)
    def hurry(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(protocol, "HEAD_SECONDS_LIMIT", 0.2)

    @pytest.mark.parametrize("sent", [b"", b"G", b"GET / HTTP/1.1\r\nhost: x\r\n"])
    async def test_a_head_that_does_not_come_ends_the_connection(
        self, server: Server, client: Client, sent: bytes
    ) -> None:
        await client.send(sent)
        assert await client.rest() == b""
        assert server.application.seen == []

    async def test_the_second_head_of_a_connection_must_come_in_time_too(self, server: Server, client: Client) -> None:
        await client.send(get(b"/") + b"GET /second HTTP/1.1\r\n")
        assert (await client.answer()).status == 200
        assert await client.rest() == b""

    @pytest.mark.parametrize("before", [b"", get(b"/")], ids=["the body of a first request", "of a second request"])
    async def test_a_body_may_take_its_time(self, server: Server, client: Client, before: bytes) -> None:
        await client.send(before + get(b"/", b"content-length: 4", method=b"POST"))
        if before:
            await client.answer()
        await self.time_passes(server)
        await client.send(b"body")
        assert (await client.answer()).body == b"/ body"

    async def test_between_two_requests_nobody_is_hurried(self, server: Server, client: Client) -> None:
        await client.send(get(b"/first"))
        await client.answer()
        await self.time_passes(server)
        await client.send(get(b"/second"))
        assert (await client.answer()).body == b"/second "

    async def test_an_answer_may_take_its_time(self, server: Server, client: Client) -> None:
        await client.send(get(b"/wait"))
        await self.time_passes(server)
        server.application.go.set()
        assert (await client.answer()).body == b"/wait "

    async def time_passes(self, server: Server) -> None:
        assert await (await server.client()).rest() == b""


class TestClientsThatDoNotRead:
    """With so little patience that the tests do not wait long; who is let go shows that the time has passed."""

    pieces = (bytes(2**20),) * 32
    """More than the sockets of a machine take by themselves."""

    @pytest.fixture(autouse=True)
    def hurry(self, server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(protocol, "STALLED_SECONDS_LIMIT", 1.0)
        server.application.pieces = list(self.pieces)

    async def test_are_let_go(self, server: Server, client: Client) -> None:
        await self.time_passes(server, client)
        assert len(await client.rest()) < sum(map(len, self.pieces))

    async def test_and_read_on_in_time_are_none(self, server: Server, client: Client) -> None:
        await client.send(get(b"/pieces"))
        assert len((await client.answer()).body) == sum(map(len, self.pieces))
        await self.time_passes(server, await server.client())
        await client.send(get(b"/still-there"))
        assert (await client.answer()).body == b"/still-there "

    async def time_passes(self, server: Server, client: Client) -> None:
        await client.send(get(b"/pieces"))
        await until(lambda: server.application.gone == [b"/pieces"], "whoever does not read is let go")


TARGETS = [
    b"/",
    b"/a/../b//c/./d",
    b"/%61%2F%zz%00",
    b"/caf%C3%A9?x=%20&y#not-the-end?z",
    b"/a?b?c#d#e",
    b"http://evil.example/x?y=z",
    b"HTTP://gate.example:80//x",
    b"//evil.example/x",
    b"/a;b=c/d",
    b"/{a}|\"<>'",
]


class TestTargets:
    @pytest.mark.parametrize("target", TARGETS)
    async def test_arrive_byte_for_byte(self, server: Server, client: Client, target: bytes) -> None:
        await client.send(get(target))
        assert (await client.answer()).status == 200
        assert server.application.seen == [(target, b"")]

    @pytest.mark.parametrize("target", TARGETS)
    async def test_arrive_byte_for_byte_when_they_come_byte_by_byte(
        self, server: Server, client: Client, target: bytes
    ) -> None:
        client.writer.get_extra_info("socket").setsockopt(6, 1, 1)  # TCP_NODELAY
        for byte in get(target):
            await client.send(bytes([byte]))
            await asyncio.sleep(0)
        assert (await client.answer()).status == 200
        assert server.application.seen == [(target, b"")]


class TestTrailers:
    @pytest.mark.parametrize("apart", [False, True], ids=["in one piece", "the trailer later"])
    async def test_are_no_headers(self, server: Server, client: Client, apart: bool) -> None:
        """Whoever checks the headers of a request, in front or here, has not seen them."""
        body = b"4\r\nbody\r\n0\r\n"
        await client.send(get(b"/", b"transfer-encoding: chunked", method=b"POST") + (b"" if apart else body))
        if apart:
            await until(lambda: server.application.begun == [b"/"], "the request is begun")
            await client.send(body)
        await client.send(b"x-user-id: root\r\n\r\n")
        assert (await client.answer()).body == b"/ body"
        assert server.application.headers == [[(b"host", b"gate.example"), (b"transfer-encoding", b"chunked")]]


class TestPipelining:
    async def test_answers_come_in_order_each_with_its_own_target(self, server: Server, client: Client) -> None:
        await client.send(get(b"/wait") + b"".join(post(b"/%d" % number, b"b%d" % number) for number in range(1, 6)))
        await until(lambda: server.application.seen == [(b"/wait", b"")], "the first is begun, and no other")
        server.application.go.set()
        answers = [(await client.answer()).body for _ in range(6)]
        assert answers == [b"/wait ", *(b"/%d b%d" % (number, number) for number in range(1, 6))]

    async def test_who_leaves_is_missed_by_the_request_under_way(self, server: Server, client: Client) -> None:
        await client.send(get(b"/wait") + get(b"/second"))
        await until(lambda: bool(server.application.seen), "the first is begun")
        await client.leave()
        await until(lambda: server.application.gone == [b"/wait"], "it is told that the client left")
        assert (b"/second", b"") not in server.application.seen

    @pytest.mark.parametrize("version", [b"0.9", b"1.0", b"2.0"])
    async def test_a_websocket_is_of_http_1_1(self, server: Server, client: Client, version: bytes) -> None:
        await client.send(get(b"/socket", *HANDSHAKE).replace(b"HTTP/1.1", b"HTTP/" + version))
        assert (await client.rest()).startswith((b"HTTP/1.1 400 ", b"HTTP/1.1 200 "))
        assert not any(server.application.found) and not server.application.carried

    async def test_blanks_around_its_headers_are_no_part_of_them(self, server: Server, client: Client) -> None:
        await client.send(get(b"/socket", *(line + b" \t" for line in HANDSHAKE)))
        assert (await client.answer()).body == b"/socket "

    async def test_a_websocket_does_not_overtake_the_answer_under_way(self, server: Server, client: Client) -> None:
        await client.send(get(b"/wait"))
        await until(lambda: bool(server.application.seen), "the first is begun")
        await client.send(get(b"/socket", *HANDSHAKE))
        assert await client.rest() == b""
        await until(lambda: server.application.gone == [b"/wait"], "the application is told")
        assert server.application.begun == [b"/wait"]


class TestLeaving:
    @pytest.mark.parametrize("target", [b"/wait", b"/part"], ids=["before the answer", "during it"])
    async def test_is_told_at_once_and_once(self, server: Server, client: Client, target: bytes) -> None:
        await client.send(get(target))
        await until(lambda: bool(server.application.seen), "the request is there")
        await client.leave()
        await until(lambda: bool(server.application.gone), "the application is told")
        server.application.go.set()
        other = await server.client()
        await other.send(get(b"/other"))
        await other.answer()
        assert server.application.gone == [target]

    async def test_after_the_answer_is_nobodys_business(self, server: Server, client: Client) -> None:
        await client.send(get(b"/first") + get(b"/second"))
        await client.answer()
        await client.answer()
        await client.leave()
        await until(lambda: not server.state.connections, "the server has noticed")
        assert server.application.gone == []


class TestCutting:
    async def test_a_cut_answer_is_not_taken_for_a_whole_one(self, server: Server, client: Client) -> None:
        await client.send(get(b"/cut"))
        with pytest.raises((asyncio.IncompleteReadError, ConnectionError)):
            await client.answer()
        assert server.application.seen == [(b"/cut", b"")]

    async def test_a_cut_answer_of_unknown_length_has_no_clean_end(self, server: Server, client: Client) -> None:
        # HTTP/1.0 has nothing but the end of the connection to tell the end of an answer.
        await client.send(b"GET /cut HTTP/1.0\r\nhost: x\r\n\r\n")
        with pytest.raises((asyncio.IncompleteReadError, ConnectionError)):
            await client.answer()


SIZES = [0, 1, 1000, JOINED_BYTES_LIMIT - 1, JOINED_BYTES_LIMIT, JOINED_BYTES_LIMIT + 1, 5 * JOINED_BYTES_LIMIT]


class TestBodies:
    @pytest.mark.parametrize("size", SIZES)
    async def test_of_answers_come_whole(self, server: Server, client: Client, size: int) -> None:
        body = bytes(number % 251 for number in range(size))
        server.application.pieces = [body]
        for _ in range(3):
            await client.send(get(b"/pieces"))
            assert (await client.answer()).body == body

    @pytest.mark.parametrize("size", SIZES)
    async def test_of_requests_come_whole(self, server: Server, client: Client, size: int) -> None:
        body = bytes(number % 251 for number in range(size))
        for _ in range(3):
            await client.send(post(b"/", body))
            assert (await client.answer()).body == b"/ " + body

    async def test_that_look_like_a_head_are_no_head(self, server: Server, client: Client) -> None:
        server.application.pieces = [b"HTTP/1.1 200 OK\r\n", b"HTTP/1.1 500 X\r\n\r\n", b"HTTP/1.1 ", b"end"]
        await client.send(get(b"/pieces"))
        assert (await client.answer()).body == b"".join(server.application.pieces)

    async def test_are_asked_for_at_once_where_the_client_waits(self, server: Server, client: Client) -> None:
        await client.send(get(b"/", b"content-length: 4", b"expect: 100-continue", method=b"POST"))
        interim = await asyncio.wait_for(client.reader.readuntil(b"\r\n\r\n"), PATIENCE)
        assert interim.startswith(b"HTTP/1.1 100 ")
        await client.send(b"body")
        assert (await client.answer()).body == b"/ body"

    async def test_of_refused_heads_are_not_asked_for(self, server: Server, client: Client) -> None:
        await client.send(get(b"/", b"expect: 100-continue", b"content-length: 4", b"x: " + b"v" * HEAD_BYTES_LIMIT))
        await refused(client)


_PIECES = st.lists(st.sampled_from(SIZES) | st.integers(0, 300), max_size=6)


@settings(max_examples=15, deadline=None)
@given(st.lists(_PIECES, min_size=1, max_size=4))
def test_however_an_answer_is_cut_into_pieces_it_comes_whole(cuts: list[list[int]]) -> None:
    async def ask() -> None:
        async with running() as server:
            client = await server.client()
            for sizes in cuts:
                server.application.pieces = [bytes([65 + size % 26]) * size for size in sizes]
                await client.send(get(b"/pieces"))
                assert (await client.answer()).body == b"".join(server.application.pieces)

    asyncio.run(ask())
