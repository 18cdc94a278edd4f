"""The one way to the store: whichever server has a key is asked for it, and asked again where it has moved.

One server, the primary that sentinels name, and a cluster differ in their `Topology` alone. What is asked again was
provably not done: a node that redirects has done nothing. What was never answered is not asked again here.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Protocol, TypeVar

from redis.asyncio import Redis

from gateway.ports.state import NotAsked, StoreUnavailable
from gateway.store.transport.line import Argument, Command, Heard
from gateway.store.transport.node import Node
from gateway.store.transport.redirected import Redirected
from gateway.store.transport.script import Script
from gateway.store.transport.verb import Verb

T = TypeVar("T")
Attempt = Callable[[Node, bool], Awaitable[T]]
"""Something done at one node; the flag says to ask it for a key that is on its way to it (`Node`)."""

REDIRECTED_SECONDS = 0.5
"""How long a key is run after that moves, or that no node has for the moment."""


class Topology(Protocol):
    """Which node has which key."""

    name: str
    """The store as people know it, without a password."""
    is_cluster: bool
    has_sentinels: bool
    """Whether sentinels say which server it is."""

    def nodes(self) -> tuple[Node, ...]:
        """All that keep something, as far as is known."""
        ...

    def known(self, key: str) -> Node | None:
        """The node that has this key, where that is known; with an empty key any node."""
        ...

    async def find(self, key: str) -> Node:
        """The same, found out. Raises `StoreUnavailable`."""
        ...

    async def follow(self, redirected: Redirected, key: str) -> tuple[Node, bool]:
        """Who is to be asked instead, and whether for a key that is on its way there. Raises `redirected` where there
        is nobody."""
        ...

    def doubt(self) -> None:
        """A node did not answer: another may have taken its place."""
        ...

    def listener(self) -> Redis:
        """A client for listening to what is published; for the caller to close."""
        ...

    async def close(self) -> None:
        """Close every connection. Never raises."""
        ...


class Link:
    """Asks the store. Belongs to one event loop."""

    def __init__(self, topology: Topology) -> None:
        self._topology = topology
        self.name = topology.name
        """The store as people know it, without a password."""
        self._refusal = ""

    def refuse(self, why: str) -> None:
        """From now on nothing is asked any more."""
        self._refusal = why

    async def call(self, script: Script, keys: Sequence[str], args: Sequence[Argument]) -> Any:
        """Run one verb. A caller that is cancelled waits until it is through (`Node.call`)."""
        verb = Verb(script, keys, args)
        return await self.at(keys[0], lambda node, asking: node.call(verb, asking))

    def tell(self, script: Script, keys: Sequence[str], args: Sequence[Argument], heard: Heard) -> None:
        """Run one verb whose answer nobody waits for: `heard` is told it, or `StoreUnavailable`, which may mean no more
        than that it takes some waiting. Not before this returns."""
        node = self._topology.known(keys[0])
        if node is None or self._refusal:
            why = self._refusal or f"{self.name} was not looked at yet"
            asyncio.get_running_loop().call_soon(heard, NotAsked(why))
        else:
            node.tell(Verb(script, keys, args), heard)

    async def call_at_length(self, script: Script, keys: Sequence[str], args: Sequence[Argument]) -> Any:
        """Run one verb that takes or gives much, with time for it, apart from the others."""
        verb = Verb(script, keys, args)
        return await self.at(keys[0], lambda node, asking: node.call_at_length(verb, asking))

    async def ask(self, *commands: Command, key: str | None = None) -> list[Any]:
        """Run plain commands in one round trip, with time for large values. Not a transaction.

        All are about keys of one slot: `key`, or what stands second in the first of them.
        """
        if key is None:
            key = str(commands[0][1]) if len(commands[0]) > 1 else ""
        return await self.at(key, lambda node, asking: node.ask(*commands, asking=asking))

    async def at(self, key: str, attempt: Attempt[T]) -> T:
        """Do this at the node that has the key, and again where that node says that another has it."""
        if self._refusal:
            raise NotAsked(self._refusal)
        topology = self._topology
        node, asking = topology.known(key) or await topology.find(key), False
        give_up = asyncio.get_running_loop().time() + REDIRECTED_SECONDS
        while True:
            try:
                return await attempt(node, asking)
            except Redirected as redirected:
                if asyncio.get_running_loop().time() > give_up:
                    raise
                node, asking = await topology.follow(redirected, key)
            except StoreUnavailable as error:
                other = topology.known(key)
                if isinstance(error, NotAsked) and other not in (None, node):
                    node, asking = other, False  # its place was taken meanwhile, and nothing has happened yet
                    continue
                topology.doubt()
                raise

    @property
    def is_cluster(self) -> bool:
        """Whether several nodes share the keys."""
        return self._topology.is_cluster

    @property
    def has_sentinels(self) -> bool:
        """Whether sentinels say which server it is, and may name another at any time."""
        return self._topology.has_sentinels

    @property
    def nodes(self) -> tuple[Node, ...]:
        """All that keep something, as far as is known."""
        return self._topology.nodes()

    async def look(self) -> tuple[Node, ...]:
        """The same, found out. Raises `StoreUnavailable`."""
        await self._topology.find("")
        return self._topology.nodes()

    def listener(self) -> Redis:
        """A client for listening to what is published; for the caller to close."""
        return self._topology.listener()

    async def ping(self) -> None:
        """Ask whether the store is there, all of it. Raises `StoreUnavailable`."""
        if self._refusal:
            raise NotAsked(self._refusal)
        for node in await self.look():
            await node.ping()

    async def close(self) -> None:
        """Let what is under way end, then close every connection. Never raises."""
        await self._topology.close()
