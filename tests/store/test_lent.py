"""Connections that are lent to one caller at a time: whoever is next reads no answer but their own."""

from __future__ import annotations

import asyncio
import random

from gateway.store.connection import Store
from gateway.store.transport.node import Node
from gateway.store.transport.verb import in_one_trip

ECHOES = 4


def _lent(node: Node) -> int:
    """How many connections are out."""
    pools = (node._quick.connection_pool, node._bulk.connection_pool)
    return sum(len(pool._in_use_connections) for pool in pools)


async def test_a_thousand_cancelled_borrowers_leave_nothing_unread_and_nothing_lent(store: Store) -> None:
    one = store.link.nodes[0]
    chance, heard, wrong = random.Random(5), 0, list[object]()

    async def borrow(number: int) -> None:
        nonlocal heard
        commands = [("ECHO", f"{number}-{part}-" + "x" * chance.choice((1, 200_000))) for part in range(ECHOES)]
        if number % 2:
            answers = await one.ask(*commands)
        else:
            async with one.alone() as connection:
                answers = await in_one_trip(connection, commands, False)
        heard += 1
        if answers != [command[1].encode() for command in commands]:
            wrong.append(number)

    async def leave(task: asyncio.Task[None]) -> None:
        for _ in range(chance.randrange(40)):
            await asyncio.sleep(0)
        await asyncio.sleep(chance.choice((0, 0, 0.001, 0.003)))
        task.cancel()

    for round_ in range(40):
        tasks = [asyncio.create_task(borrow(25 * round_ + each)) for each in range(25)]
        ends = await asyncio.gather(*tasks, *map(leave, tasks), return_exceptions=True)
        assert not [end for end in ends if isinstance(end, Exception)]
        await borrow(-round_)
    assert not wrong
    assert 40 < heard < 1000, "some were cancelled, and some were not"
    assert _lent(one) == 0


async def test_whoever_is_cancelled_while_asking_again_and_again_ends(store: Store) -> None:
    one = store.link.nodes[0]

    async def go_on() -> None:
        while True:
            await one.ask(("PING",))

    for turns in range(300):
        task = asyncio.create_task(go_on())
        for _ in range(turns % 30):
            await asyncio.sleep(0)
        task.cancel()
        _, still_there = await asyncio.wait([task], timeout=10)
        assert not still_there, f"cancelled after {turns} turns it goes on"
    assert _lent(one) == 0
