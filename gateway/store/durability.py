"""Waiting for the disk, and for a replica where there is one, before anyone is told "paid".

What the server can't promise by its settings is told by its examination (`findings`), before the first payment; here is
only what shows with a payment.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

from redis.asyncio.connection import AbstractConnection
from redis.exceptions import NoPermissionError, ResponseError

from gateway.ports.state import StoreUnavailable
from gateway.store.fitness.examination import ask_each, read_info, replicas_online
from gateway.store.transport.line import Argument
from gateway.store.transport.link import Link
from gateway.store.transport.node import Node
from gateway.store.transport.script import Script
from gateway.store.transport.verb import Verb, run

DISK_DEADLINE = 3.0
"""Seconds. With `appendfsync everysec` the disk is up to a second behind, and a replica's up to another."""
MEMORY_SECONDS = 60.0
"""How long a replica that has answered without a disk is not waited for again to write to one."""
_TURN_MS = 250
"""How long one question to the server lasts at most: shorter than the link's timeout."""


class Durability:
    """Runs verbs whose effect is on disk, and at a replica, before they return, as far as the server can promise it.

    The server's own disk is a condition: without it nobody is told "paid". A replica is waited for as long, and then
    the payment counts all the same, with a warning: a replica that hangs must not stop every payment.
    """

    def __init__(self, link: Link) -> None:
        self._link = link
        self._warning = ""
        self._memory_until = 0.0
        """By the loop's clock: until then a replica's memory is enough."""

    def warnings(self) -> list[str]:
        """What the last payment did not get of what it was to have."""
        return [self._warning] if self._warning else []

    async def call(self, script: Script, keys: Sequence[str], args: Sequence[Argument]) -> Any:
        """Run one verb and wait for the disk. Raises `StoreUnavailable` also when the disk is late: repeat the verb.

        The script must write even when it only repeats, or there would be nothing to wait for.
        """
        verb = Verb(script, keys, args)
        return await self._link.at(keys[0], lambda node, asking: self._call_at(node, verb, asking))

    async def _call_at(self, node: Node, verb: Verb, asking: bool) -> Any:
        async with node.alone() as connection:
            answer = await run(connection, verb, asking)
            replicas = min(1, await self._replicas(connection))
            self._warning = await self._wait(connection, replicas)
            return answer

    async def _replicas(self, connection: AbstractConnection) -> int:
        """How many are connected at this moment; one that is away must not be waited for."""
        try:
            told = await _ask(connection, "INFO", "replication")
        except ResponseError:
            return 0  # who is not told of them can't wait for them; the examination says so
        return replicas_online(read_info(told.decode() if isinstance(told, bytes) else str(told)))

    async def _wait(self, connection: AbstractConnection, replicas: int) -> str:
        """Wait for this server's disk and for replicas. Gives what is to be warned of."""
        now = asyncio.get_running_loop().time()
        give_up = now + DISK_DEADLINE
        with_disks = replicas if now >= self._memory_until else 0
        warning = ""
        try:
            if await self._wait_for_disks(connection, with_disks, give_up) >= replicas:
                return ""
        except ResponseError as error:
            with_disks, warning = 0, self._without_disk(error)
        if not replicas:
            return warning
        unconfirmed = await self._wait_for_memory(connection, replicas, give_up)
        if with_disks and not unconfirmed:
            self._memory_until = asyncio.get_running_loop().time() + MEMORY_SECONDS
        return unconfirmed or warning

    async def _wait_for_disks(self, connection: AbstractConnection, replicas: int, give_up: float) -> int:
        """Wait for this server's disk, and as long for those of replicas. Gives how many replicas have it on theirs."""
        while True:
            own, copies = await _ask(connection, "WAITAOF", 1, replicas, _TURN_MS)
            is_late = asyncio.get_running_loop().time() > give_up
            if own and (copies >= replicas or is_late):
                return int(copies)
            if is_late:
                raise StoreUnavailable(f"{self._link.name} did not write to its disk within {DISK_DEADLINE:g} s")

    def _without_disk(self, error: ResponseError) -> str:
        """The server can't tell: what is to be warned of. Raises the error where it means something else, as where the
        server became a replica meanwhile: the verb is to be repeated then."""
        if isinstance(error, NoPermissionError):
            return f"{self._link.name} does not let itself be asked when a payment is on its disk: {error}"
        if not any(words in str(error).lower() for words in ("unknown command", "appendonly is disabled")):
            raise error
        return ""  # known since the start, by the examination

    async def _wait_for_memory(self, connection: AbstractConnection, replicas: int, give_up: float) -> str:
        """Wait until replicas have received it: what they have in memory survives a fail-over, too."""
        while True:
            try:
                if await _ask(connection, "WAIT", replicas, _TURN_MS) >= replicas:
                    return ""
            except NoPermissionError as error:
                return f"{self._link.name} does not let itself be asked whether its replica has a payment: {error}"
            if asyncio.get_running_loop().time() > give_up:
                return (
                    f"{self._link.name}: its replica did not confirm the last payment within {DISK_DEADLINE:g} s, and "
                    "a fail-over may lose it; find out why the replica is slow (INFO replication), or take it away"
                )


async def _ask(connection: AbstractConnection, *command: Argument) -> Any:
    """The answer as the server gives it: what redis-py would make of INFO is another thing in each of its versions."""
    [answer] = await ask_each(connection, command)
    if isinstance(answer, Exception):
        raise answer
    return answer
