"""One server, or whichever the sentinels say is the primary."""

from __future__ import annotations

from redis.asyncio import Redis

from gateway.store.transport.node import ANSWER_TIMEOUT, Node
from gateway.store.transport.place import Place
from gateway.store.transport.redirected import Redirected


class Single:
    """The port `Topology` where one node has every key. Where sentinels name it, that is found out with each new
    connection."""

    is_cluster = False

    def __init__(self, place: Place) -> None:
        self._place = place
        self.name = place.name
        self.has_sentinels = place.kind == "sentinel"
        self._node = Node(place)

    def nodes(self) -> tuple[Node, ...]:
        """See the port."""
        return (self._node,)

    def known(self, key: str) -> Node:
        """See the port."""
        return self._node

    async def find(self, key: str) -> Node:
        """See the port."""
        return self._node

    async def follow(self, redirected: Redirected, key: str) -> tuple[Node, bool]:
        """See the port: its address is that of a cluster's node, which must be mended."""
        raise redirected

    def doubt(self) -> None:
        """See the port: the next connection is opened to whoever has taken its place."""

    def listener(self) -> Redis:
        """See the port."""
        return self._place.client(ANSWER_TIMEOUT, connections=1)

    async def close(self) -> None:
        """See the port."""
        await self._node.close()
