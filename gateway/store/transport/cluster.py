"""A cluster: which of its nodes has which slot, learnt from the nodes themselves (Redis Cluster specification).

The map is learnt before the first question, and anew whenever a node redirects or does not answer. Every node has a
breaker of its own: one that is away stops nobody who is not its subject.
"""

from __future__ import annotations

import asyncio
import random
from typing import Any

from redis.asyncio import Redis
from redis.crc import key_slot
from redis.exceptions import MovedError, TryAgainError

from gateway.ports.state import NotAsked, StoreUnavailable
from gateway.store.transport.node import ANSWER_TIMEOUT, Node
from gateway.store.transport.place import Place
from gateway.store.transport.redirected import Redirected

SLOTS = 16384
RETRY_SECONDS = 0.02
"""Between two questions about a key that no node has for the moment, because it is moving."""
NODES_LIMIT = 1000
"""As many as a cluster may have (Redis Cluster specification)."""
LEARN_SECONDS = 0.25
"""The map is learnt anew no more often than this because a node did not answer."""

Address = tuple[str, int]


class Cluster:
    """The port `Topology` for a cluster."""

    is_cluster = True
    has_sentinels = False

    def __init__(self, place: Place) -> None:
        self._place = place
        self.name = place.name
        self._nodes: dict[Address, Node] = {}
        self._slots: list[Address | None] = [None] * SLOTS
        self._learning: asyncio.Task[None] | None = None
        self._learnt_at = float("-inf")
        self._trouble = ""
        """Why the map could not be learnt the last time."""
        self._parting: set[asyncio.Task[None]] = set()
        self._closed = False

    def nodes(self) -> tuple[Node, ...]:
        """See the port: those that have slots."""
        return tuple(self._nodes[address] for address in dict.fromkeys(self._slots) if address is not None)

    def known(self, key: str) -> Node | None:
        """See the port."""
        address = self._slots[key_slot(key.encode("utf-8", "surrogatepass"))]
        return None if address is None else self._nodes[address]

    async def find(self, key: str) -> Node:
        """See the port."""
        found = self.known(key)
        if found is None and not self._has_learnt_just_now():
            await self._learn()
            found = self.known(key)
        if found is None:
            raise StoreUnavailable(self._trouble or f"{self.name} has no node that keeps this key: see CLUSTER INFO")
        return found

    async def follow(self, redirected: Redirected, key: str) -> tuple[Node, bool]:
        """See the port."""
        answer: Any = redirected.answer
        if isinstance(answer, TryAgainError) or not hasattr(answer, "node_addr"):
            await asyncio.sleep(RETRY_SECONDS)
            return await self.find(key), False
        address = answer.node_addr
        if not address[0] or (isinstance(answer, MovedError) and not 0 <= answer.slot_id < SLOTS):
            await self._learn()  # it does not say where to
            return await self.find(key), False
        if isinstance(answer, MovedError):
            node = self._node(address)
            self._slots[answer.slot_id] = address  # the node that says so knows it; the rest is learnt beside it
            self._begin_learning()
            return node, False
        return self._node(address), True

    def doubt(self) -> None:
        """See the port."""
        if not self._has_learnt_just_now():
            self._begin_learning()

    def listener(self) -> Redis:
        """See the port: what is published at one node is heard at all of them."""
        addresses = [address for address in dict.fromkeys(self._slots) if address is not None]
        return self._place.at(*random.choice(addresses or self._place.hosts)).client(ANSWER_TIMEOUT, connections=1)  # noqa: S311

    async def close(self) -> None:
        """See the port."""
        self._closed = True
        if self._learning is not None:
            self._learning.cancel()
            await asyncio.wait([self._learning])
        await asyncio.gather(*(node.close() for node in self._nodes.values()), *self._parting)

    # The map

    def _has_learnt_just_now(self) -> bool:
        """Whether there is a map, and asking for it again is too soon."""
        is_recent = asyncio.get_running_loop().time() - self._learnt_at <= LEARN_SECONDS
        return is_recent and (self._learning is None or self._learning.done())

    def _node(self, address: Address) -> Node:
        node = self._nodes.get(address)
        if node is None:
            if self._closed:
                raise NotAsked(f"{self.name} was not asked: the gateway is stopping")
            if len(self._nodes) >= NODES_LIMIT:
                raise StoreUnavailable(f"{self.name} names more than {NODES_LIMIT} nodes: see CLUSTER NODES")
            node = self._nodes[address] = Node(self._place.at(*address), checks_role=False, still_away=self.doubt)
        return node

    def _begin_learning(self) -> asyncio.Task[None]:
        if self._learning is None or self._learning.done():
            self._learnt_at = asyncio.get_running_loop().time()
            self._learning = asyncio.create_task(self._ask_for_slots(), name="cluster map")
            self._learning.add_done_callback(_note)
        return self._learning

    async def _learn(self) -> None:
        learning = self._begin_learning()
        try:
            await asyncio.shield(learning)
        except asyncio.CancelledError:
            if learning.cancelled():  # not we
                raise NotAsked(f"{self.name} was not asked: the gateway is stopping") from None
            raise

    async def _ask_for_slots(self) -> None:
        """Of any node that is known, or stands in the address, the first that answers: those first that did last time.
        Raises `StoreUnavailable` when none does."""
        trouble: StoreUnavailable | None = None
        addresses = list({*self._nodes, *self._place.hosts})
        random.shuffle(addresses)
        for address in sorted(addresses, key=lambda each: self._node(each).is_away):
            try:
                ranges = await self._node(address).inquire("CLUSTER", "SLOTS")
            except StoreUnavailable as error:
                trouble = error
                continue
            if ranges:
                self._take(ranges, address[0])
                return
        trouble = trouble or StoreUnavailable(f"{self.name} has given its slots to no node yet: see CLUSTER INFO")
        self._trouble = str(trouble)
        raise trouble

    def _take(self, ranges: list[Any], asked: str) -> None:
        slots: list[Address | None] = [None] * SLOTS
        for first, last, primary, *_ in ranges:
            host = primary[0].decode() if primary[0] else ""
            address = (host if host not in ("", "?") else asked, int(primary[1]))
            slots[first : last + 1] = [address] * (last + 1 - first)
        self._slots, self._trouble = slots, ""
        kept = {address for address in slots if address is not None}
        for address in kept:
            self._node(address)
        for address in self._nodes.keys() - kept - set(self._place.hosts):
            self._part(self._nodes.pop(address))

    def _part(self, node: Node) -> None:
        """What is under way at a node that has left may still end well."""
        task = asyncio.create_task(node.close(), name="a node that has left")
        self._parting.add(task)
        task.add_done_callback(self._parting.discard)


def _note(task: asyncio.Task[None]) -> None:
    """Whoever waits for the map is told why there is none; that nobody waits is no news."""
    if not task.cancelled():
        task.exception()
