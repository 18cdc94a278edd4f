"""Requests that a lane takes, on real sockets: their answers, their places in the queue, and clients that leave."""

from __future__ import annotations

import asyncio

import pytest

from gateway.wire import protocol
from tests.store.conftest import until
from tests.wire.application import PATIENCE, Client, Server
from tests.wire.road import MEGABYTE, Road, Trip, read, taken
from tests.wire.test_protocol import HOST, TOO_LARGE, get, post


class TestCrossing:
    async def test_what_is_taken_is_answered_without_the_application(
        self, server: Server, client: Client, road: Road
    ) -> None:
        for number in range(1, 4):
            await client.send(get(b"/short?%d" % number, b"X-A: 1", b"x-a: 2", method=b"HEAD"))
            trip = await taken(road, number)
            assert (trip.method, trip.target) == ("HEAD", b"/short?%d" % number)
            assert trip.headers == [(b"host", b"gate.example"), (b"x-a", b"1"), (b"x-a", b"2")]
            assert not trip.line.begin_answer()
            trip.answer()
            assert (await client.answer()).body == b"/short?%d " % number
        assert server.application.begun == []

    async def test_the_answer_comes_as_it_is_written(self, client: Client, road: Road) -> None:
        await client.send(get(b"/short"))
        trip = await taken(road)
        for piece in (b"HTTP/1.1 200 OK\r\n", b"content-length: 5\r\n\r\n", b"h", b"ello"):
            trip.line.write(piece)
            assert await read(client, len(piece)) == piece
        trip.line.finish()
        await client.send(get(b"/after"))
        assert (await client.answer()).body == b"/after "

    async def test_what_is_not_taken_goes_to_the_application_with_what_was_found_out(
        self, server: Server, client: Client
    ) -> None:
        await client.send(get(b"/plain"))
        assert (await client.answer()).body == b"/plain "
        assert server.application.found == [b"seen /plain"]

    @pytest.mark.parametrize(
        "request_",
        [
            b"GET /short HTTP/1.0\r\n" + HOST + b"\r\n",
            b"GET /short HTTP/1.0\r\n" + HOST + b"connection: keep-alive\r\n\r\n",
            get(b"/short", b"connection: upgrade", b"upgrade: h2c"),
            b"CONNECT short:80 HTTP/1.1\r\n" + HOST + b"\r\n",
        ],
        ids=["HTTP/1.0", "HTTP/1.0 that goes on", "an upgrade", "a tunnel"],
    )
    async def test_what_the_short_way_is_not_for_is_not_offered(
        self, server: Server, client: Client, road: Road, request_: bytes
    ) -> None:
        await client.send(request_)
        head = await asyncio.wait_for(client.reader.readuntil(b"\r\n\r\n"), PATIENCE)
        assert head.startswith(b"HTTP/1.1 ")
        assert road.offered == []

    async def test_a_refused_head_is_not_offered(self, client: Client, road: Road) -> None:
        await client.send(TOO_LARGE["too many headers"].replace(b" / ", b" /short ", 1))
        assert (await client.answer()).status == 431
        assert road.offered == []

    async def test_an_empty_line_before_a_request_is_nothing(self, client: Client, road: Road) -> None:
        await client.send(get(b"/short/1") + b"\r\n")
        (await taken(road)).answer()
        await client.answer()
        await client.send(b"\r\n" + get(b"/short/2"))
        (await taken(road, 2)).answer()
        assert (await client.answer()).body == b"/short/2 "


class TestQueue:
    async def test_what_comes_behind_waits_and_goes_to_the_application(
        self, server: Server, client: Client, road: Road
    ) -> None:
        await client.send(get(b"/short/1") + get(b"/short/2") + post(b"/3", b"body") + get(b"/short/4"))
        trip = await taken(road)
        await self.others_have_had_a_turn(server)
        assert server.application.begun == [b"/other"]
        trip.answer()
        answers = [(await client.answer()).body for _ in range(4)]
        assert answers == [b"/short/1 ", b"/short/2 ", b"/3 body", b"/short/4 "]
        assert server.application.begun == [b"/other", b"/short/2", b"/3", b"/short/4"]
        assert set(server.application.found[1:]) == {None}, "what was found out is not found out of another"
        await client.send(get(b"/short/5"))
        (await taken(road, 2)).answer()
        assert (await client.answer()).body == b"/short/5 "

    async def test_behind_an_answer_of_the_application_nothing_is_offered(
        self, server: Server, client: Client, road: Road
    ) -> None:
        await client.send(get(b"/wait") + get(b"/short"))
        await until(lambda: server.application.seen == [(b"/wait", b"")], "the first is begun")
        server.application.go.set()
        assert [(await client.answer()).body for _ in range(2)] == [b"/wait ", b"/short "]
        assert road.offered == [b"/wait"]
        assert server.application.found == [b"seen /wait", None], "what was found out is not found out of another"

    async def test_an_upload_behind_it_arrives_whole(self, server: Server, client: Client, road: Road) -> None:
        body = bytes(number % 251 for number in range(300_000))
        sending = asyncio.create_task(client.send(get(b"/short") + post(b"/upload", body)))
        (await taken(road)).answer()
        assert (await client.answer()).body == b"/short "
        assert (await client.answer()).body == b"/upload " + body
        await sending

    async def test_it_comes_behind_an_upload_that_was_answered_early(
        self, server: Server, client: Client, road: Road
    ) -> None:
        await client.send(get(b"/short/1", b"content-length: 0") + b"\r\n")
        (await taken(road)).answer()
        await client.answer()
        await client.send(post(b"/", b"x" * 100_000) + get(b"/short/2"))
        await client.answer()
        await client.answer()
        assert road.offered == [b"/short/1", b"/"]

    async def others_have_had_a_turn(self, server: Server) -> None:
        other = await server.client()
        await other.send(get(b"/other"))
        await other.answer()


class TestTheLongWayAfterAll:
    async def test_the_application_answers_with_what_was_found_out(
        self, server: Server, client: Client, road: Road
    ) -> None:
        await client.send(get(b"/short?a=%41#b", b"X-A: 1"))
        trip = await taken(road)
        trip.line.begun = "found out"
        trip.line.go_the_long_way()
        assert (await client.answer()).body == b"/short?a=%41#b "
        application = server.application
        assert (application.seen, application.found) == ([(b"/short?a=%41#b", b"")], ["found out"])
        assert application.headers == [[(b"host", b"gate.example"), (b"x-a", b"1")]]
        await client.send(get(b"/short/2"))
        (await taken(road, 2)).answer()
        assert (await client.answer()).body == b"/short/2 "

    async def test_it_keeps_its_place_in_the_queue(self, server: Server, client: Client, road: Road) -> None:
        await client.send(get(b"/short/1") + post(b"/2", b"body") + get(b"/3"))
        trip = await taken(road)
        trip.line.begun = "found out"
        trip.line.go_the_long_way()
        assert [(await client.answer()).body for _ in range(3)] == [b"/short/1 ", b"/2 body", b"/3 "]
        assert server.application.found == ["found out", None, None]

    async def test_what_comes_while_the_application_is_at_work_waits(
        self, server: Server, client: Client, road: Road
    ) -> None:
        await client.send(get(b"/short/wait"))
        (await taken(road)).line.go_the_long_way()
        await until(lambda: server.application.begun == [b"/short/wait"], "the application is at work")
        await client.send(get(b"/short/2"))
        server.application.go.set()
        assert [(await client.answer()).body for _ in range(2)] == [b"/short/wait ", b"/short/2 "]
        assert len(road.trips) == 1

    @pytest.mark.parametrize("closing", [False, True])
    async def test_the_connection_ends_as_the_client_asked(
        self, server: Server, client: Client, road: Road, closing: bool
    ) -> None:
        await client.send(get(b"/short", *([b"connection: close"] if closing else [])))
        (await taken(road)).line.go_the_long_way()
        assert ("connection" in (await client.answer()).headers) == closing
        await client.send(get(b"/after"))
        if closing:
            assert await client.rest() == b""
        else:
            assert (await client.answer()).body == b"/after "

    async def test_a_client_that_leaves_is_missed_by_the_application(
        self, server: Server, client: Client, road: Road
    ) -> None:
        await client.send(get(b"/short/wait"))
        trip = await taken(road)
        trip.line.go_the_long_way()
        await until(lambda: server.application.begun == [b"/short/wait"], "the application is at work")
        await client.leave()
        await until(lambda: server.application.gone == [b"/short/wait"], "the application is told")
        assert trip.told == []


class TestLeaving:
    @pytest.mark.parametrize("begun", [False, True], ids=["before the answer", "during it"])
    async def test_is_told_once(self, server: Server, client: Client, road: Road, begun: bool) -> None:
        await client.send(get(b"/short"))
        trip = await taken(road)
        if begun:
            trip.begin(10)
            trip.line.write(b"half ")
            await client.reader.readuntil(b"half ")
        await client.leave()
        await until(lambda: bool(trip.told), "it is told")
        await until(lambda: not server.state.connections, "the connection is gone")
        assert trip.told == ["left"]

    async def test_what_waits_behind_it_is_not_carried_out(self, server: Server, client: Client, road: Road) -> None:
        await client.send(get(b"/short") + get(b"/2") + post(b"/3", b"body"))
        trip = await taken(road)
        await client.leave()
        trip.begin(2**30)
        while not trip.told:  # nothing is read any more while requests wait: writing finds it out
            trip.line.write(b"x")
            await asyncio.sleep(0)
        await until(lambda: not server.state.connections, "the connection is gone")
        assert (trip.told, server.application.begun) == (["left"], [])

    async def test_after_the_answer_is_nobodys_business(self, server: Server, client: Client, road: Road) -> None:
        await client.send(get(b"/short"))
        trip = await taken(road)
        trip.answer()
        await client.answer()
        await client.leave()
        await until(lambda: not server.state.connections, "the server has noticed")
        assert trip.told == []

    async def test_after_the_answer_was_cut_too(self, server: Server, client: Client, road: Road) -> None:
        await client.send(get(b"/short") + get(b"/2"))
        trip = await taken(road)
        trip.begin(100)
        trip.line.write(b"x" * 10)
        trip.line.abort()
        with pytest.raises((asyncio.IncompleteReadError, ConnectionError)):
            await client.answer()
        await until(lambda: not server.state.connections, "the connection is gone")
        assert (trip.told, server.application.begun) == ([], [])


class TestPausing:
    async def test_is_told_while_the_client_does_not_read(self, server: Server, road: Road) -> None:
        client = await server.client()
        await client.send(get(b"/short"))
        trip = await taken(road)
        size = await self.fill(trip)
        assert trip.told == ["pause"]
        rest = client.reader.readuntil(b"\r\n\r\n")
        await asyncio.wait_for(rest, PATIENCE)
        assert await read(client, size) == b"x" * size
        await until(lambda: trip.told == ["pause", "resume"], "it is told to go on")
        trip.line.write(b"end")
        trip.line.finish()
        assert await read(client, 3) == b"end"

    async def test_is_told_to_nobody_once_the_answer_is_written(
        self, server: Server, client: Client, road: Road
    ) -> None:
        await client.send(get(b"/short"))
        trip = await taken(road)
        size = await self.fill(trip)
        trip.line.write(b"end")
        trip.line.finish()
        await asyncio.wait_for(client.reader.readuntil(b"\r\n\r\n"), PATIENCE)
        assert await read(client, size + 3) == b"x" * size + b"end"
        await client.send(get(b"/after"))
        assert (await client.answer()).body == b"/after "
        assert trip.told == ["pause"]

    async def test_a_client_that_does_not_read_gets_nothing_more_written(
        self, server: Server, client: Client, road: Road
    ) -> None:
        """Whoever is told to pause in the first answer is not told again in the second: it would write without end."""
        await client.send(get(b"/short/1"))
        trip = await taken(road)
        size = await self.fill(trip)
        trip.line.write(b"end")
        trip.line.finish()
        await client.send(get(b"/short/2"))
        await until(lambda: server.application.begun == [b"/short/2"], "the second has come")
        assert len(road.trips) == 1
        await asyncio.wait_for(client.reader.readuntil(b"\r\n\r\n"), PATIENCE)
        assert await read(client, size + 3) == b"x" * size + b"end"
        assert (await client.answer()).body == b"/short/2 "
        await client.send(get(b"/short/3"))
        (await taken(road, 2)).answer()
        assert (await client.answer()).body == b"/short/3 "

    async def test_a_client_that_leaves_meanwhile_is_missed(self, server: Server, client: Client, road: Road) -> None:
        await client.send(get(b"/short"))
        trip = await taken(road)
        await self.fill(trip)
        client.writer.transport.abort()
        await until(lambda: trip.told[-1] == "left", "it is told")
        assert trip.told == ["pause", "left"]

    async def test_a_client_that_never_reads_again_is_let_go(
        self, server: Server, client: Client, road: Road, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(protocol, "STALLED_SECONDS_LIMIT", 0.2)
        await client.send(get(b"/short"))
        trip = await taken(road)
        await self.fill(trip)
        await until(lambda: trip.told == ["pause", "left"], "the connection is ended")

    async def fill(self, trip: Trip) -> int:
        """Write until the client's end is full; how much that was."""
        trip.begin(2**30)
        size = 0
        while not trip.told:
            trip.line.write(b"x" * MEGABYTE)
            size += MEGABYTE
            await asyncio.sleep(0)
        return size
