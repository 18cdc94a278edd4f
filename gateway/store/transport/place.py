"""Where the store is, and how its connections are made: the one place that reads its address and sets up redis-py.

| address | what it is |
|---|---|
| `redis://`, `rediss://`, `unix://` | one server |
| `redis+sentinel://HOST:26379,HOST2:26379/NAME/DB` | the primary that the sentinels name for the service NAME |
| `redis+cluster://HOST:6379,HOST2:6379` | a cluster, found by any of its nodes |

`rediss+sentinel` and `rediss+cluster` are the same over TLS. User and password stand before the first host, options of
redis-py after `?`; those of the sentinels themselves are `sentinel_username` and `sentinel_password`.
"""

from __future__ import annotations

import weakref
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import urlsplit

from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.connection import AbstractConnection, parse_url
from redis.asyncio.retry import Retry
from redis.asyncio.sentinel import (
    MasterNotFoundError,
    Sentinel,
    SentinelManagedConnection,
    SentinelManagedSSLConnection,
)
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError, RedisError
from redis.maint_notifications import MaintNotificationsConfig

CONNECT_TIMEOUT = 0.5
"""Seconds for opening a connection. A host that swallows packets must not keep the way back for longer."""
_PORT, _SENTINEL_PORT = 6379, 26379


@dataclass(frozen=True, slots=True)
class Place:
    """An address that was read; nothing is connected."""

    kind: str
    """`server`, `sentinel` or `cluster`."""
    name: str
    """The store for people: no user, no password, no options."""
    options: Mapping[str, Any]
    """What redis-py is told of every connection."""
    hosts: tuple[tuple[str, int], ...] = ()
    """Of the sentinels, or of nodes of the cluster."""
    service: str = ""
    sentinel_options: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def read(cls, url: str) -> Place:
        """Raises `ValueError` that says what is wrong, and never shows a password."""
        scheme, _, rest = url.partition("://")
        transport, _, kind = scheme.partition("+")
        if scheme not in SCHEMES:
            *most, last = (f"{each}://" for each in SCHEMES)
            raise ValueError(f"the address must begin with {', '.join(most)} or {last}, as in redis://127.0.0.1:6379")
        found = _read_several(transport, kind, rest) if kind else _read_one(transport, url)
        found._try_options()
        return found

    def at(self, host: str, port: int) -> Place:
        """One node of the cluster."""
        name = f"the store's node at {_written((host, port))}"
        return replace(self, kind="server", name=name, options={**self.options, "host": host, "port": port})

    def client(self, answer_timeout: float | None, connections: int) -> Redis:
        """A client that asks once, waits no longer than this, and answers in bytes."""
        options = _COMMON | {"max_connections": connections, "timeout": answer_timeout}
        options |= {"socket_timeout": answer_timeout} | dict(self.options)
        if self.kind == "sentinel":
            return Redis.from_pool(_SentinelPool(self, options))
        return Redis.from_pool(BlockingConnectionPool(**options))

    def _try_options(self) -> None:
        """Connects to nothing: a misspelt option shows up here and not with the first request. Raises `ValueError`."""
        if ours := sorted(_OURS & self.options.keys()):
            raise ValueError(
                f"the address has the option {ours[0]}, which is not for you to choose: the gateway reads what the "
                "server answers in one way only; leave it out"
            )
        try:
            self.client(1.0, 1).connection_pool.make_connection()  # type: ignore[no-untyped-call]
        except TypeError as error:
            raise ValueError(f"the address has an option that does not exist: {error}") from None


async def _greet(connection: AbstractConnection) -> None:
    """What redis-py does first, which takes the server's first answer for a map whatever it is."""
    try:
        await connection.on_connect_check_health(check_health=False)
    except AttributeError:
        raise ConnectionError("its first answer can't be read: is it a Redis or Valkey?") from None


_COMMON: dict[str, Any] = {
    "redis_connect_func": _greet,
    "socket_connect_timeout": CONNECT_TIMEOUT,
    "retry": Retry(NoBackoff(), 0),
    "protocol": 3,
    "legacy_responses": False,
    # A subject's id may hold lone surrogates; what came in is stored as it came.
    "encoding_errors": "surrogatepass",
    # Both cost a round trip for each new connection and serve managed Redis only.
    "driver_info": None,
    "maint_notifications_config": MaintNotificationsConfig(enabled=False),
}
_OURS = frozenset({"protocol", "decode_responses", "encoding", "encoding_errors", "legacy_responses"})
"""What decides how an answer is read."""
SCHEMES = (
    "redis", "rediss", "unix", "redis+sentinel", "rediss+sentinel", "redis+cluster", "rediss+cluster",
)  # fmt: skip


def _read_one(transport: str, url: str) -> Place:
    parts = urlsplit(url)
    try:
        place = parts.path if transport == "unix" else f"{parts.hostname or 'localhost'}:{parts.port or _PORT}"
        return Place("server", f"the store at {transport}://{place}", parse_url(url))
    except ValueError:  # its text may have a part of the password
        raise ValueError(
            "the address can't be read: a password with one of / # ? @ : must have it escaped, as %2F for a slash"
        ) from None


def _read_several(transport: str, kind: str, rest: str) -> Place:
    """An address with several hosts, of which redis-py reads all but these."""
    authority, slash, tail = rest.partition("/")
    authority, question, early_query = authority.partition("?")
    path, _, query = (tail, "", early_query) if question else tail.partition("?")
    user, at, hosts = authority.rpartition("@")
    port = _SENTINEL_PORT if kind == "sentinel" else _PORT
    read = tuple(_read_host(each, port) for each in hosts.split(","))
    service, _, database = path.partition("/")
    if kind == "sentinel" and not service:
        raise ValueError(
            "the address must name the service that the sentinels watch, as in "
            "redis+sentinel://10.0.0.1:26379,10.0.0.2:26379/mymaster"
        )
    if kind == "cluster" and slash and path.strip("/") not in ("", "0"):
        raise ValueError("a cluster has no databases: leave out what stands behind the hosts' slash")
    options = dict(parse_url(f"{transport}://{user}{at}host:1/{database if kind == 'sentinel' else ''}?{query}"))
    for name in ("host", "port"):
        options.pop(name)
    of_sentinels = {name.removeprefix("sentinel_"): options.pop(name) for name in list(options) if "sentinel_" in name}
    if kind == "cluster":
        options.pop("db", None)
        service = ""
    name = f"the store at {transport}+{kind}://" + ",".join(map(_written, read))
    name += f"/{service}" if service else ""
    return Place(kind, name, options, read, service, of_sentinels)


def _written(address: tuple[str, int]) -> str:
    host, port = address
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _read_host(text: str, port: int) -> tuple[str, int]:
    parts = urlsplit(f"//{text}")
    try:
        found = parts.hostname, parts.port or port
    except ValueError:
        found = None, 0
    if not found[0]:
        raise ValueError("the address has a host that can't be read: write HOST:PORT,HOST:PORT")
    return found[0], found[1]


class _SentinelPool(BlockingConnectionPool):
    """Connections to whatever server the sentinels say is the primary at the moment of connecting."""

    is_master, check_connection = True, False
    """As `SentinelManagedConnection` asks of its pool."""

    def __init__(self, place: Place, options: dict[str, Any]) -> None:
        secure = options.pop("connection_class", None) is not None
        managed = SentinelManagedSSLConnection if secure else SentinelManagedConnection
        super().__init__(connection_class=managed, **options)
        self.connection_kwargs["connection_pool"] = weakref.proxy(self)
        common = {"socket_timeout": CONNECT_TIMEOUT, "socket_connect_timeout": CONNECT_TIMEOUT}
        about = {**common, "retry": _COMMON["retry"], "ssl": secure, **place.sentinel_options}
        self._sentinel = Sentinel(place.hosts, sentinel_kwargs=about)  # type: ignore[no-untyped-call]
        self._service = place.service

    async def get_master_address(self) -> tuple[str, int]:
        """For redis-py: see `named_primary`."""
        return await self.named_primary()

    async def named_primary(self) -> tuple[str, int]:
        """The primary's address now. Raises a `ConnectionError` when no sentinel knows any."""
        sentinels = self._sentinel.sentinels
        for _ in range(len(sentinels)):
            try:
                host, port = await self._sentinel.discover_master(self._service)
            except MasterNotFoundError:  # its text describes redis-py's objects
                break
            except (RedisError, AttributeError, LookupError, TypeError, ValueError):
                # What one of them says can't be read, and redis-py asks none after it: the others come first now.
                sentinels.append(sentinels.pop(0))
            else:
                return host, port
        raise ConnectionError(f"no sentinel that answers knows a primary of {self._service!r}")

    async def aclose(self) -> None:
        """Also the connections to the sentinels."""
        await super().aclose()
        await self._sentinel.aclose()
