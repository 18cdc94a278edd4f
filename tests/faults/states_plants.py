"""The stores that faults befall: one server, one behind a relay, the embedded one, sentinels, a cluster."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

import redis

from gateway.store.embedded.server_socket import Health, ask, socket_path
from tests.faults.states_relay import Relay
from tests.store.fleet import HOST, Fleet, Server, cluster_address, fleet, start_cluster, start_sentinels, wait_until

DATA = "data"
"""The gateway's folder for its own data, below that of the run."""


@dataclass
class Plant:
    """A store that is there."""

    folder: Path
    address: str
    """What stands in the gateway's config."""
    direct: str
    """Where it is reached while it is well."""
    fleet: Fleet | None = None
    servers: list[Server] = field(default_factory=list)
    """Those that keep data: the primaries first."""
    relay: Relay | None = None

    @property
    def one(self) -> Server:
        """The server, or the first of them."""
        return self.servers[0]

    @property
    def servers_of_it(self) -> Fleet:
        """For starting one again."""
        assert self.fleet is not None
        return self.fleet

    @property
    def socket(self) -> Path:
        """Of the embedded store."""
        return socket_path((self.folder / DATA).resolve() / "store")


@contextmanager
def single(folder: Path) -> Iterator[Plant]:
    """One server of Debian's Redis."""
    with fleet(folder) as servers:
        one = servers.start("--enable-debug-command", "local", "--loading-process-events-interval-bytes", "1024")
        address = f"redis://{HOST}:{one.port}"
        yield Plant(folder, address, address, servers, [one])


@contextmanager
def relayed(folder: Path) -> Iterator[Plant]:
    """The same, reached through a relay."""
    with single(folder) as plant, contextlib.closing(Relay(plant.one.port)) as relay:
        plant.relay, plant.address = relay, f"redis://{HOST}:{relay.port}"
        yield plant


@contextmanager
def embedded(folder: Path) -> Iterator[Plant]:
    """The Valkey that the gateway starts and watches."""
    plant = Plant(folder, "embedded", "")
    plant.direct = f"unix://{quote(str(plant.socket))}"
    yield plant


@contextmanager
def sentinels(folder: Path) -> Iterator[Plant]:
    """A primary and its replica, watched by three sentinels."""
    with fleet(folder) as servers:
        primary = servers.start("--repl-diskless-sync-delay", "0")
        replica = servers.start("--replicaof", HOST, str(primary.port), "--repl-diskless-sync-delay", "0")
        wait_until(lambda: "state=online" in primary.ask("INFO", "replication"), "the replica is there")
        watching = start_sentinels(servers, primary)
        for each in watching:
            wait_until(lambda each=each: "slaves=1" in each.ask("INFO", "sentinel"), "they know the replica")  # type: ignore[misc]
        address = "redis+sentinel://" + ",".join(f"{HOST}:{each.port}" for each in watching) + "/main"
        yield Plant(folder, address, address, servers, [primary, replica])


@contextmanager
def cluster(folder: Path) -> Iterator[Plant]:
    """Three primaries, each with a replica."""
    with fleet(folder) as servers:
        nodes = start_cluster(servers, replicas=1)
        address = cluster_address(nodes[:3])
        yield Plant(folder, address, address, servers, nodes)


PlantMaker = Callable[[Path], contextlib.AbstractContextManager[Plant]]


def command(port: int, *words: object) -> object:
    """One command at a server. Raises what redis-py raises."""
    with contextlib.closing(redis.Redis(HOST, port, socket_timeout=1.0)) as client:
        return client.execute_command(*words)  # type: ignore[no-untyped-call]


def until_ready(plant: Plant) -> float:
    """Wait for the embedded store; the instant."""
    wait_until(lambda: ask(plant.socket, timeout=0.1) is Health.READY, "the embedded store is back")
    return time.monotonic()


def until_answers(server: Server) -> float:
    """Wait until this server answers; the instant."""
    wait_until(lambda: _says(server, "PING") is True, f"the server at {server.port} answers")
    return time.monotonic()


def until_promoted(server: Server) -> float:
    """Wait until this replica takes writes as a primary; the instant."""

    def leads() -> bool:
        role, state = _says(server, "ROLE"), _says(server, "INFO", "cluster")
        whole = "cluster_state:fail" not in str(_says(server, "CLUSTER", "INFO"))
        return isinstance(role, list) and role[0] == b"master" and whole and state is not None

    wait_until(leads, f"the server at {server.port} is promoted", 60)
    return time.monotonic()


def _says(server: Server, *words: object) -> object:
    try:
        return command(server.port, *words)
    except redis.ResponseError as error:
        return str(error)
    except (redis.RedisError, OSError):
        return None
