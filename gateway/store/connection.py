"""The store as the rest of the gateway holds it."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import urlsplit

from gateway.ports.state import StoreUnavailable
from gateway.store.changes import Changes
from gateway.store.checkup import Checkup
from gateway.store.durability import Durability
from gateway.store.events import EventWriter
from gateway.store.holds import StoredHolds
from gateway.store.link import Link, client
from gateway.store.near import NearMemory
from gateway.store.operations import StoredOperations
from gateway.store.payments import StoredPayments
from gateway.store.subjects import StoredSubjects

SCHEMES = ("redis", "rediss", "unix")
_LATER = ("redis+sentinel", "redis+cluster")


class Store:
    """One Redis or Valkey server. Made without any effect; belongs to the event loop that starts it."""

    def __init__(self, url: str) -> None:
        self.link = Link(url, _name(url))
        self._durability = Durability(self.link)
        self._checkup = Checkup(self.link)
        self._near = NearMemory()
        self._changes = Changes(client(url, None, connections=1), self._near)
        self.subjects = StoredSubjects(self.link, self._near)
        self.holds = StoredHolds(self.link)
        self.payments = StoredPayments(self.link, self._durability)
        self.operations = StoredOperations(self.link, self._durability)
        self.events = EventWriter(self.link)

    async def start(self, tell: Callable[[str], None] | None = None) -> None:
        """Begin to deliver events and to hear of changes; with `tell`, to examine the server and say what is wrong with
        it. Does not wait for the server: it may come up later than the gateway."""
        await self.events.start()
        await self._changes.start()
        if tell is not None:
            self._checkup.start(tell)

    async def stop(self) -> None:
        """Deliver the events that are left and close every connection. Never raises."""
        await self._checkup.stop()
        await self.events.stop()
        await self._changes.stop()
        await self.link.close()

    async def ping(self) -> bool:
        """Whether the server answers now."""
        try:
            await self.link.ping()
        except StoreUnavailable:
            return False
        return True

    def warnings(self) -> list[str]:
        """What an operator should mend, one sentence each: by the last examination, and by the last payment."""
        return [*self._checkup.warnings(), *self._durability.warnings()]


def open_store(url: str) -> Store:
    """The store at `redis://`, `rediss://` or `unix://`. Connects to nothing yet; `ValueError` says what is wrong."""
    scheme = urlsplit(url).scheme
    if scheme in _LATER:
        raise ValueError(f"store: {scheme}:// is not supported yet; give the address of one server: redis://HOST:6379")
    if scheme not in SCHEMES:
        raise ValueError(
            "store: the address must begin with redis://, rediss:// or unix://, as in redis://127.0.0.1:6379"
        )
    return Store(url)


def _name(url: str) -> str:
    """The server for people: no user, no password, no options."""
    parts = urlsplit(url)
    place = parts.path if parts.scheme == "unix" else f"{parts.hostname or 'localhost'}:{parts.port or 6379}"
    return f"the store at {parts.scheme}://{place}"
