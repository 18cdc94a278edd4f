"""No client has all connections to the application: an eighth of them is left to others."""

from __future__ import annotations

import asyncio

import pytest

from gateway.core.header_lines import header_lines
from gateway.ports.upstream import UpstreamError, UpstreamFailure
from gateway.upstream.shares import Shares
from tests.upstream.application import Line, connected, until, whole
from tests.upstream.receiver import HEADERS, Told

OK = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"
GREEDY, OTHER = "192.0.2.1", "192.0.2.2"


class TestShares:
    @pytest.mark.parametrize(("connections", "most"), [(1, 1), (7, 7), (8, 7), (64, 56), (256, 224)])
    def test_an_eighth_is_left_where_there_is_one(self, connections: int, most: int) -> None:
        assert Shares(connections).most == most

    def test_one_owner_does_not_touch_the_share_of_another_and_nobody_has_no_limit(self) -> None:
        shares = Shares(8)
        assert [shares.try_enter(GREEDY) for _ in range(9)] == [True] * 7 + [False] * 2
        assert shares.try_enter(OTHER) and all(shares.try_enter("") for _ in range(20))
        shares.leave(GREEDY)
        assert shares.try_enter(GREEDY) and not shares.try_enter(GREEDY)

    def test_what_is_free_again_is_forgotten(self) -> None:
        shares = Shares(8)
        for number in range(100):
            assert shares.try_enter(f"owner-{number}")
            shares.leave(f"owner-{number}")
        assert shares.owners == 0

    async def test_the_first_who_waits_is_the_first_to_go_on_and_who_gives_up_takes_nothing(self) -> None:
        shares = Shares(8)
        for _ in range(7):
            assert shares.try_enter(GREEDY)
        waiting = [asyncio.create_task(shares.enter(GREEDY)) for _ in range(3)]
        await until(lambda: shares.queue_length == 3)
        waiting[0].cancel()
        await until(lambda: shares.queue_length == 2)
        shares.leave(GREEDY)
        waiting[1].cancel()  # in the very moment in which it was given one: the next has it
        await until(lambda: waiting[2].done())
        assert not waiting[2].cancelled() and shares.queue_length == 0
        for _ in range(7):
            shares.leave(GREEDY)
        assert shares.owners == 0


async def test_whoever_holds_all_it_may_have_keeps_nobody_else_out() -> None:
    async def script(line: Line) -> None:
        while target := (await line.head()).split(b" ")[1:2]:
            if target == [b"/held"]:
                await line.say(b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n")
            else:
                await line.say(OK)

    async with connected(script, max_connections=8, connect_timeout=0.2) as (_, upstream):
        held = [await upstream.send(b"GET", b"/held", HEADERS, None, owner=GREEDY) for _ in range(7)]
        with pytest.raises(UpstreamError, match="trusted_proxies") as refused:
            await upstream.send(b"GET", b"/", HEADERS, None, owner=GREEDY)
        assert refused.value.failure is UpstreamFailure.OVERLOADED
        for _ in range(3):
            assert await whole(await upstream.send(b"GET", b"/", HEADERS, None, owner=OTHER)) == b"ok"
        lines, told = header_lines(HEADERS), Told()
        assert upstream.send_at_once(b"GET", b"/", lines, told, may_retry=True, owner=GREEDY) is None
        assert upstream.send_at_once(b"GET", b"/", lines, told, may_retry=True, owner=OTHER) is not None
        await until(lambda: upstream.idle_connections == 1)
        waiting = asyncio.create_task(upstream.send(b"GET", b"/", HEADERS, None, owner=GREEDY))
        await until(lambda: upstream.queued_requests == 1)
        held.pop().abort()
        assert await whole(await waiting) == b"ok"
        for answer in held:
            answer.abort()
        await until(lambda: upstream._pool._shares.owners == 0)
