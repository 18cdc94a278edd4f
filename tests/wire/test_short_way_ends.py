"""What ends a connection whose requests a lane takes: the client's word, the server's stop, bad requests, time."""

from __future__ import annotations

import asyncio

import pytest

from gateway.wire import protocol
from tests.store.conftest import until
from tests.wire.application import PATIENCE, Client, Server
from tests.wire.road import Road, taken
from tests.wire.test_protocol import HANDSHAKE, HOST, TOO_LARGE, get


class TestTheLastAnswer:
    async def test_is_the_last_where_the_client_closes(self, server: Server, client: Client, road: Road) -> None:
        await client.send(get(b"/short", b"connection: close") + get(b"/behind"))
        trip = await taken(road)
        assert trip.line.begin_answer()
        trip.answer()
        assert (await client.answer()).headers["connection"] == "close"
        assert await client.rest() == b""
        assert server.application.begun == []

    async def test_is_the_last_where_the_server_is_told_to_stop(
        self, server: Server, client: Client, road: Road
    ) -> None:
        await client.send(get(b"/short"))
        trip = await taken(road)
        server.shut_down()
        assert trip.line.begin_answer()
        trip.answer()
        assert (await client.answer()).headers["connection"] == "close"
        assert await client.rest() == b""

    async def test_goes_on_to_its_end_where_the_server_is_told_to_stop_in_the_midst_of_it(
        self, server: Server, client: Client, road: Road
    ) -> None:
        await client.send(get(b"/short"))
        trip = await taken(road)
        trip.begin(10)
        server.shut_down()
        trip.line.write(b"x" * 10)
        trip.line.finish()
        assert (await client.answer()).body == b"x" * 10
        assert await client.rest() == b""

    async def test_of_a_server_that_is_told_to_stop_may_go_the_long_way(
        self, server: Server, client: Client, road: Road
    ) -> None:
        await client.send(get(b"/short"))
        trip = await taken(road)
        server.shut_down()
        trip.line.go_the_long_way()
        answer = await client.answer()
        assert (answer.body, answer.headers["connection"]) == (b"/short ", "close")
        assert await client.rest() == b""

    async def test_what_waits_behind_it_is_answered_before_the_server_stops(
        self, server: Server, client: Client, road: Road
    ) -> None:
        await client.send(get(b"/short") + get(b"/2"))
        trip = await taken(road)
        server.shut_down()
        trip.answer()
        assert [(await client.answer()).body for _ in range(2)] == [b"/short ", b"/2 "]
        assert await client.rest() == b""

    async def test_what_waits_behind_one_that_goes_the_long_way_is_answered_too(
        self, server: Server, client: Client, road: Road
    ) -> None:
        await client.send(get(b"/short") + get(b"/2"))
        trip = await taken(road)
        server.shut_down()
        trip.line.go_the_long_way()
        first, second = await client.answer(), await client.answer()
        assert (first.body, first.headers.get("connection")) == (b"/short ", None), "it is not the last"
        assert (second.body, second.headers["connection"]) == (b"/2 ", "close")
        assert await client.rest() == b""

    async def test_a_connection_that_waits_for_a_request_ends_at_once(
        self, server: Server, client: Client, road: Road
    ) -> None:
        await client.send(get(b"/short"))
        (await taken(road)).answer()
        await client.answer()
        server.shut_down()
        assert await client.rest() == b""

    @pytest.mark.parametrize("begun", [False, True], ids=["before the answer", "during it"])
    @pytest.mark.parametrize("bad", [TOO_LARGE["too many headers"], b"nonsense\r\n\r\n"], ids=["large", "nonsense"])
    async def test_a_refusal_is_never_taken_for_it_or_a_part_of_it(
        self, client: Client, road: Road, bad: bytes, begun: bool
    ) -> None:
        await client.send(get(b"/short"))
        trip = await taken(road)
        if begun:
            trip.begin(100)
            await asyncio.wait_for(client.reader.readuntil(b"\r\n\r\n"), PATIENCE)
        await client.send(bad)
        assert await client.rest() == b""
        await until(lambda: trip.told == ["left"], "it is told")

    async def test_a_websocket_is_never_opened_in_the_midst_of_it(self, client: Client, road: Road) -> None:
        """Its frames would be taken for parts of the answer, and nobody would hear any more that the client left."""
        await client.send(get(b"/short"))
        trip = await taken(road)
        trip.begin(100)
        await asyncio.wait_for(client.reader.readuntil(b"\r\n\r\n"), PATIENCE)
        await client.send(get(b"/socket", *HANDSHAKE))
        assert await client.rest() == b""
        await until(lambda: trip.told == ["left"], "it is told")


class TestTime:
    """With so little time that the tests do not wait long; what ends one connection shows that it has passed."""

    @pytest.fixture(autouse=True)
    def hurry(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(protocol, "HEAD_SECONDS_LIMIT", 0.2)

    async def test_an_answer_may_take_its_time(self, server: Server, client: Client, road: Road) -> None:
        await client.send(get(b"/short"))
        trip = await taken(road)
        await self.time_passes(server)
        trip.answer()
        assert (await client.answer()).body == b"/short "

    async def test_between_two_requests_nobody_is_hurried(self, server: Server, client: Client, road: Road) -> None:
        for number in (1, 2):
            await client.send(get(b"/short"))
            (await taken(road, number)).answer()
            assert (await client.answer()).body == b"/short "
            await self.time_passes(server)

    async def test_between_two_requests_nobody_stays_for_ever(self, server: Server, road: Road) -> None:
        server.keep_alive(0.2)
        client = await server.client()
        await client.send(get(b"/short"))
        (await taken(road)).answer()
        await client.answer()
        assert await client.rest() == b""

    async def test_a_head_that_follows_must_come_in_time(self, client: Client, road: Road) -> None:
        await client.send(get(b"/short"))
        (await taken(road)).answer()
        await client.answer()
        await client.send(b"GET /short HTTP/1.1\r\n")
        assert await client.rest() == b""
        assert len(road.trips) == 1

    async def test_time_does_not_run_while_nobody_reads(self, server: Server, client: Client, road: Road) -> None:
        """Behind a request that waits for its turn nothing is read, so the rest of a head can't come."""
        await client.send(get(b"/short") + get(b"/second") + b"GET /third HTTP/1.1\r\n")
        trip = await taken(road)
        await self.time_passes(server)
        await client.send(HOST + b"\r\n")
        trip.answer()
        assert [(await client.answer()).body for _ in range(3)] == [b"/short ", b"/second ", b"/third "]

    async def test_a_head_behind_others_must_come_in_time_once_it_is_read(
        self, server: Server, client: Client, road: Road
    ) -> None:
        await client.send(get(b"/short") + get(b"/second") + b"GET /third HTTP/1.1\r\n")
        trip = await taken(road)
        await self.time_passes(server)
        trip.answer()
        assert [(await client.answer()).body for _ in range(2)] == [b"/short ", b"/second "]
        assert await client.rest() == b""

    async def time_passes(self, server: Server) -> None:
        assert await (await server.client()).rest() == b""
