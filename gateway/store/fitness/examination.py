"""What the server says of itself, asked once. What it finds bad or good about that is in `findings`.

Nothing is changed by asking. A server that keeps some of its answers from the gateway's user (as managed ones do) is
examined by the others.
"""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from redis.asyncio.connection import AbstractConnection
from redis.exceptions import BusyLoadingError, ResponseError

from gateway.ports.state import StoreUnavailable
from gateway.store.fitness.rights import NEEDED, Denied, read_denied
from gateway.store.transport.line import Command, pack
from gateway.store.transport.link import Link
from gateway.store.transport.node import Node

_QUESTIONS: dict[str, Command] = {
    "HELLO": ("HELLO",),
    "INFO": ("INFO",),
    "CONFIG": ("CONFIG", "GET", "append*", "save", "min-replicas-to-write"),
    "WHOAMI": ("ACL", "WHOAMI"),
    # There is nothing to wait for: it tells whether the server could be waited for.
    "WAITAOF": ("WAITAOF", 1, 0, 1),
}
_NOT_THERE = re.compile(r"Command '\w+' not found")
"""What is said of a command that the server does not have, and that nobody can be denied."""


@dataclass(frozen=True, slots=True)
class Examination:
    """One server at one moment."""

    name: str
    """The server as people know it."""
    trouble: str = ""
    """Why it could not be asked; nothing else is known then."""
    product: str = "Redis"
    version: tuple[int, ...] = ()
    """Empty where it is not told."""
    mode: str = "standalone"
    """Or `cluster`, or `sentinel`."""
    in_cluster: bool = False
    """Whether it is asked as a node of a cluster."""
    has_sentinels: bool = False
    """Whether sentinels watch it, by the gateway's own settings."""
    is_replica: bool = False
    info: Mapping[str, str] = field(default_factory=dict)
    """What INFO tells; empty where it is refused."""
    settings: Mapping[str, str] = field(default_factory=dict)
    """`appendonly`, `appendfsync`, `save` and `min-replicas-to-write`; empty where CONFIG is refused."""
    refused: Mapping[str, str] = field(default_factory=dict)
    """Questions that got no answer, with the server's words: INFO, CONFIG, ACL, WAITAOF, TIME."""
    user: str = ""
    """Who the gateway is there; empty where that is not told."""
    denied: Denied = field(default_factory=Denied)
    clock_ms: int = 0
    """The server's clock, as it answered; 0 where it is not told."""
    took_ms: int = 0
    """How long that answer took at most."""

    def number(self, name: str) -> int | None:
        """A number that INFO tells."""
        value = self.info.get(name, "")
        return int(value) if value.isdigit() else None

    @property
    def is_loading(self) -> bool:
        """Whether it still reads its data."""
        return self.info.get("loading") == "1"

    @property
    def replicas(self) -> int | None:
        """How many replicas are connected and follow; None where it is not told."""
        return replicas_online(self.info) if "connected_slaves" in self.info else None


def read_info(text: str) -> dict[str, str]:
    """The answer to INFO."""
    return dict(line.split(":", 1) for line in text.splitlines() if ":" in line and not line.startswith("#"))


def replicas_online(info: Mapping[str, str]) -> int:
    """How many replicas are connected and have caught up, out of the section `replication`."""
    return sum(
        1 for name, value in info.items() if re.fullmatch(r"slave\d+", name) and "state=online" in value.split(",")
    )


async def examine(link: Link) -> tuple[Examination, ...]:
    """Ask every server that keeps something. Never raises: a server that is away is an examination, too."""
    try:
        nodes = await link.look()
    except StoreUnavailable as error:
        return (_away(link.name, error),)
    found = [await _examine(node) for node in nodes]
    return tuple(replace(each, in_cluster=link.is_cluster, has_sentinels=link.has_sentinels) for each in found)


async def _examine(node: Node) -> Examination:
    try:
        async with node.alone() as connection:
            return await _ask(node.name, connection)
    except StoreUnavailable as error:
        return _away(node.name, error)


def _away(name: str, error: StoreUnavailable) -> Examination:
    return Examination(name, trouble=str(error).removeprefix(name).strip(" ."))


async def _ask(name: str, connection: AbstractConnection) -> Examination:
    answers = dict(zip(_QUESTIONS, await ask_each(connection, *_QUESTIONS.values()), strict=True))
    refused = {question: str(answer) for question, answer in answers.items() if isinstance(answer, Exception)}
    told: dict[str, Any] = {question: answer for question, answer in answers.items() if question not in refused}
    hello, info, settings = (
        _texts(told.get("HELLO")),
        read_info(_text(told.get("INFO", ""))),
        _texts(told.get("CONFIG")),
    )
    user = _text(told.get("WHOAMI", ""))
    denied = await _denied(connection, user) if user else refused.pop("WHOAMI")
    if not isinstance(denied, Denied):
        refused["ACL"], denied = denied, Denied()
    begun = time.monotonic()
    [clock] = await ask_each(connection, ("TIME",))  # last and alone, so that the caller's own clock is not far from it
    took_ms = int((time.monotonic() - begun) * 1000) + 1
    if isinstance(clock, Exception):
        refused["TIME"], clock = str(clock), (0, 0)
    return Examination(
        name=name,
        product="Valkey" if hello.get("server") == "valkey" or "valkey_version" in info else "Redis",
        version=_version(info.get("valkey_version") or hello.get("version") or info.get("redis_version", "")),
        mode=hello.get("mode") or info.get("redis_mode", "standalone"),
        is_replica=(hello.get("role") or info.get("role")) in ("replica", "slave"),
        info=info,
        settings=settings,
        refused=refused,
        user=user,
        denied=denied,
        clock_ms=int(clock[0]) * 1000 + int(clock[1]) // 1000,
        took_ms=took_ms,
    )


async def _denied(connection: AbstractConnection, user: str) -> Denied | str:
    """What this user may not do; why that can't be told where it can't."""
    said = []
    for answer in await ask_each(connection, *(("ACL", "DRYRUN", user, *command) for command in NEEDED)):
        if isinstance(answer, Exception) and not _NOT_THERE.search(str(answer)):
            return str(answer)
        said.append("OK" if isinstance(answer, Exception) else _text(answer))
    return read_denied(said)


async def ask_each(connection: AbstractConnection, *commands: Command) -> list[Any]:
    """One round trip; what is refused has its error for an answer."""
    await connection.send_packed_command(b"".join(map(pack, commands)))
    answers: list[Any] = []
    for _ in commands:
        try:
            answers.append(await connection.read_response())
        except (ResponseError, BusyLoadingError) as error:
            answers.append(error)
    return answers


def _version(text: str) -> tuple[int, ...]:
    found = re.match(r"\d+(\.\d+)*", text)
    return tuple(int(part) for part in found[0].split(".")) if found else ()


def _texts(answer: Any) -> dict[str, str]:
    """A map as the server gives it, or a list of names and values, as text."""
    if isinstance(answer, list):
        answer = dict(zip(answer[::2], answer[1::2], strict=False))
    return {_text(name): _text(value) for name, value in answer.items()} if isinstance(answer, dict) else {}


def _text(value: Any) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
