"""Slots of a cluster on their way from one node to another."""

from __future__ import annotations

from redis.crc import key_slot

from gateway.core.subject import Subject
from gateway.store.keys import subject_key
from tests.free_port import free_port

from .fleet import CLUSTERED, HOST, Fleet, Server, wait_until


class Move:
    """A slot on its way from one node to another, key by key, as resharding does it."""

    def __init__(self, slot: int, source: Server, target: Server, nodes: list[Server]) -> None:
        self._slot, self._source, self._target, self._nodes = str(slot), source, target, nodes

    @classmethod
    def of(cls, subject: Subject, nodes: list[Server]) -> Move:
        """The move of this subject's keys to the node before that which has them."""
        slot = key_slot(subject_key(subject).encode())
        place = next(place for place, node in enumerate(nodes) if has_slot(node, slot))
        return cls(slot, nodes[place], nodes[place - 1], nodes)

    @classmethod
    def to_and_fro(cls, subject: Subject, guest: Server, nodes: list[Server]) -> tuple[Move, Move]:
        """The move of this subject's keys to a guest, and the way back."""
        slot = key_slot(subject_key(subject).encode())
        home = next(node for node in nodes if has_slot(node, slot))
        return cls(slot, home, guest, nodes), cls(slot, guest, home, nodes)

    def run(self) -> None:
        """From its beginning to its end."""
        self.begin()
        self.end()

    def begin(self) -> None:
        """From now on its keys may go."""
        ids = {server.port: server.ask("CLUSTER", "MYID") for server in (self._source, self._target)}
        assert self._target.ask("CLUSTER", "SETSLOT", self._slot, "IMPORTING", ids[self._source.port]) == "OK"
        assert self._source.ask("CLUSTER", "SETSLOT", self._slot, "MIGRATING", ids[self._target.port]) == "OK"

    def left(self) -> list[str]:
        """Keys that are still where they were."""
        return sorted(self._source.ask("CLUSTER", "GETKEYSINSLOT", self._slot, "1000").split())

    def take(self, key: str) -> None:
        """Move one key."""
        answer = self._source.ask("MIGRATE", HOST, str(self._target.port), key, "0", "5000")
        assert answer in ("OK", "NOKEY"), answer

    def end(self) -> None:
        """Move the rest, and tell every node."""
        for key in self.left():
            self.take(key)
        new = self._target.ask("CLUSTER", "MYID")
        for node in (self._target, self._source, *self._nodes):
            assert node.ask("CLUSTER", "SETSLOT", self._slot, "NODE", new) == "OK"


def has_slot(node: Server, slot: int) -> bool:
    """Whether the node says that the slot is its own."""
    own = next(line for line in node.ask("CLUSTER", "NODES").splitlines() if "myself" in line)
    for part in own.split()[8:]:
        first, _, last = part.partition("-")
        if first.isdigit() and int(first) <= slot <= int(last or first):
            return True
    return False


def join_cluster(servers: Fleet, nodes: list[Server]) -> Server:
    """A node that belongs to the cluster from now on, without slots."""
    port = free_port()
    # Else it becomes a replica as soon as its last slot has gone.
    guest = servers.start("--cluster-allow-replica-migration", "no", *CLUSTERED, str(port))
    assert nodes[0].ask("CLUSTER", "MEET", HOST, str(guest.port), str(port)) == "OK"
    for node in (guest, *nodes):
        wait_until(lambda node=node: f":{guest.port}@" in node.ask("CLUSTER", "NODES"), "it is known")  # type: ignore[misc]
        wait_until(lambda node=node: "cluster_state:ok" in node.ask("CLUSTER", "INFO"), "the cluster is whole")  # type: ignore[misc]
    return guest
