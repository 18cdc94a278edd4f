"""The store as the rest of the gateway holds it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from gateway.ports.state import StoreUnavailable
from gateway.store.attempts import StoredAttempts
from gateway.store.books import StoredBooks
from gateway.store.changes import Changes
from gateway.store.durability import Durability
from gateway.store.events.stream import EventWriter
from gateway.store.files.identity import Identity
from gateway.store.fitness.checkup import Checkup
from gateway.store.holds import StoredHolds
from gateway.store.merges import Merges
from gateway.store.near import NearMemory
from gateway.store.operations import StoredOperations
from gateway.store.payments import StoredPayments
from gateway.store.pending import StoredPending
from gateway.store.schema import agree_if_it_answers
from gateway.store.stock import StoredStock
from gateway.store.subjects import StoredSubjects
from gateway.store.transport.cluster import Cluster
from gateway.store.transport.link import Link, Topology
from gateway.store.transport.place import Place
from gateway.store.transport.single import Single


class Store:
    """Redis or Valkey. Made without any effect; belongs to the event loop that starts it."""

    def __init__(self, link: Link, spools: Path | None, log: Callable[[str], None]) -> None:
        self.link = link
        self._durability = Durability(self.link)
        self._checkup = Checkup(self.link)
        self._near = NearMemory()
        self._changes = Changes(link.listener, self._near)
        self.subjects = StoredSubjects(self.link, self._near)
        self.holds = StoredHolds(self.link)
        self.stock = StoredStock(self.link)
        merges = Merges(self.link, self._durability, self.holds)
        self.payments = StoredPayments(self.link, self._durability, merges)
        self.pending = StoredPending(self.link)
        self.operations = StoredOperations(self.link, self._durability, merges)
        self.attempts = StoredAttempts(self.link, self._durability)
        self.books = StoredBooks(self.link, merges)
        self.identity = Identity(self.link)
        self.events = EventWriter(self.link, spools, log, identity=self.identity)

    async def start(self, tell: Callable[[str], None] | None = None) -> None:
        """Begin to deliver events and to hear of changes; with `tell`, to examine the server and say what is wrong with
        it. Does not wait for the server: it may come up later than the gateway. Raises `SchemaTooNew`, having begun
        nothing."""
        await agree_if_it_answers(self.link)
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
        """What an operator should mend, one sentence each: by the last examination, by the last payment, and by what
        events there are."""
        return [*self._checkup.warnings(), *self._durability.warnings(), *self.events.warnings()]


def open_store(url: str, spools: Path | None = None, log: Callable[[str], None] = lambda line: None) -> Store:
    """The store at an address as `place` describes them. Connects to nothing yet; `ValueError` says what is wrong.

    Events that it does not take at once wait in the folder `spools`, in memory alone where there is none.
    """
    return Store(open_link(url), spools, log)


def open_link(url: str) -> Link:
    """The way to it alone."""
    return Link(topology(url))


def topology(url: str) -> Topology:
    """Which servers it is made of, as far as the address tells."""
    place = Place.read(url)
    return Cluster(place) if place.kind == "cluster" else Single(place)
