"""Waiting for the disk before anyone is told "paid"."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

from redis.asyncio import Redis
from redis.exceptions import ResponseError

from gateway.ports.state import StoreUnavailable
from gateway.store.line import Argument
from gateway.store.link import Link
from gateway.store.node import Node, Verb, run
from gateway.store.script import Script

DISK_DEADLINE = 3.0
"""Seconds. With `appendfsync everysec` the disk is up to a second behind."""
_TURN_MS = 250
"""How long one question to the server lasts at most: shorter than the link's timeout."""


class Durability:
    """Runs verbs whose effect is on disk before they return, as far as the server can promise that."""

    def __init__(self, link: Link) -> None:
        self._link = link
        self._can_wait = True
        self._warning = ""

    def warnings(self) -> list[str]:
        """Why the server can't promise the disk; empty when it can, or was not asked yet."""
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
            if self._can_wait:
                await self._wait(connection)
            return answer

    async def _wait(self, connection: Redis) -> None:
        give_up = asyncio.get_running_loop().time() + DISK_DEADLINE
        while True:
            try:
                written = await connection.execute_command("WAITAOF", 1, 0, _TURN_MS)  # type: ignore[no-untyped-call]
            except ResponseError as error:
                await self._without_waiting(connection, error)
                return
            if written[0] >= 1:
                self._warning = ""
                return
            if asyncio.get_running_loop().time() > give_up:
                raise StoreUnavailable(f"{self._link.name} did not write to its disk within {DISK_DEADLINE:g} s")

    async def _without_waiting(self, connection: Redis, error: ResponseError) -> None:
        """The server can't tell: fine where it writes to the disk anyway, else something for `doctor` to show."""
        if "unknown command" not in str(error).lower():
            self._warning = (
                f"{self._link.name} can't say when a payment is on its disk: {error}; "
                "set appendonly yes, and allow WAITAOF to the gateway's user"
            )
            return
        self._can_wait = False
        try:
            settings = await connection.config_get("append*")
        except ResponseError:
            settings = {}
        named = {_text(name): _text(value) for name, value in settings.items()}
        if named.get("appendonly") != "yes" or named.get("appendfsync") != "always":
            self._warning = (
                f"{self._link.name} is older than Redis 7.2 and can't say when a payment is on its disk: "
                "use Redis 7.2 or Valkey, or set appendonly yes and appendfsync always"
            )


def _text(value: object) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)
