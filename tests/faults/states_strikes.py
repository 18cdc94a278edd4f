"""The states: what befalls which store, for how long, and when it is over.

A strike returns the instant from which the store, or whoever took its place, was well again.
"""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import redis

from gateway.core.subject import Subject, SubjectKind
from tests.faults.states_plants import (
    Plant,
    PlantMaker,
    cluster,
    command,
    embedded,
    relayed,
    sentinels,
    single,
    until_answers,
    until_promoted,
    until_ready,
)
from tests.free_port import free_port
from tests.store.fleet import HOST, Server, wait_until
from tests.store.moving import Move

SLOW_SECONDS = 0.2
_FLUSH_SECONDS = 0.02

Strike = Callable[[Plant, float], float]


def _nothing(plant: Plant) -> None:
    """There is nothing to put right."""


@dataclass(frozen=True)
class State:
    """A state that a store can be in."""

    name: str
    plant: PlantMaker
    strike: Strike
    waits_for_store: bool = False
    """The store answers meanwhile: a decision waits for its answer."""
    afterwards: Callable[[Plant], None] = _nothing
    """What happens once the gateway has recovered, with its clients still there."""


# One server


def _down(plant: Plant, seconds: float) -> float:
    plant.one.kill()
    time.sleep(seconds)
    plant.servers_of_it.restart(plant.one)
    return until_answers(plant.one)


def _hung(plant: Plant, seconds: float) -> float:
    plant.one.hang()
    time.sleep(seconds)
    plant.one.go_on()
    return time.monotonic()


def _slow(plant: Plant, seconds: float) -> float:
    assert plant.relay is not None
    plant.relay.delay_seconds = SLOW_SECONDS
    time.sleep(seconds)
    plant.relay.delay_seconds = 0.0
    return time.monotonic()


def _readonly(plant: Plant, seconds: float) -> float:
    # Of a primary that is not there: nothing of its data is thrown away.
    command(plant.one.port, "REPLICAOF", HOST, free_port())
    time.sleep(seconds)
    command(plant.one.port, "REPLICAOF", "NO", "ONE")
    return time.monotonic()


def _loading(plant: Plant, seconds: float) -> float:
    port = plant.one.port
    command(port, "BGREWRITEAOF")
    wait_until(lambda: "aof_rewrite_in_progress:0" in plant.one.ask("INFO", "persistence"), "its file is short")
    keys: Any = command(port, "DBSIZE")
    plant.one.kill()
    plant.servers_of_it.restart(plant.one, "--key-load-delay", str(int(seconds * 1_000_000 / keys)))
    with contextlib.suppress(AssertionError):
        wait_until(lambda: "LOADING" in plant.one.ask("GET", "x"), "it loads", seconds)
    return until_answers(plant.one)


def _noscript(plant: Plant, seconds: float) -> float:
    until = time.monotonic() + seconds
    with contextlib.closing(redis.Redis(HOST, plant.one.port)) as client:
        while time.monotonic() < until:
            client.execute_command("SCRIPT", "FLUSH", "SYNC")  # type: ignore[no-untyped-call]
            time.sleep(_FLUSH_SECONDS)
    return time.monotonic()


def _memory(plant: Plant, seconds: float) -> float:
    command(plant.one.port, "CONFIG", "SET", "maxmemory", "1")
    time.sleep(seconds)
    command(plant.one.port, "CONFIG", "SET", "maxmemory", "0")
    return time.monotonic()


def _embedded(plant: Plant, seconds: float) -> float:
    with contextlib.closing(redis.Redis(unix_socket_path=str(plant.socket))) as client:
        process = int(client.info("server")["process_id"])
    until = time.monotonic() + seconds
    while time.monotonic() < until:  # whenever it is back it is killed again
        with contextlib.suppress(ProcessLookupError):
            os.kill(process, signal.SIGKILL)
        until_ready(plant)
        with contextlib.closing(redis.Redis(unix_socket_path=str(plant.socket))) as client:
            process = int(client.info("server")["process_id"])
    return until_ready(plant)


# Several


def _moved(plant: Plant, seconds: float) -> float:
    primaries = [each for each in plant.servers if _is_primary(each)]
    until = time.monotonic() + seconds
    people = [Subject(SubjectKind.PERSON, f"expired-{number}") for number in range(3)]
    while time.monotonic() < until:
        for person in people:
            _move(Move.of(person, primaries))
    return time.monotonic()


def _move(move: Move) -> None:
    move.begin()
    for key in move.left():
        move.take(key)
    move.end()


def _is_primary(server: Server) -> bool:
    role = command(server.port, "ROLE")
    return isinstance(role, list) and role[0] == b"master"


def _lost(strike: Callable[[Server], None], plant: Plant, seconds: float) -> float:
    """A primary, and its replica takes its place; for how long depends on how soon that is seen."""
    primary, replica = _pair(plant)
    # Not that it has everything: what people were told of must be there anyhow.
    wait_until(lambda: "state=online" in primary.ask("INFO", "replication"), "the replica follows")
    strike(primary)
    return until_promoted(replica)


def _pair(plant: Plant) -> tuple[Server, Server]:
    """A primary that is well, and its replica."""
    roles: dict[int, Any] = {
        each.port: command(each.port, "ROLE") for each in plant.servers if each.process.poll() is None
    }
    known = {each.port: each for each in plant.servers}
    for port, role in roles.items():
        if role[0] == b"slave" and role[2] in roles:
            return known[role[2]], known[port]
    raise AssertionError("no primary has a replica")


def _primary_killed(plant: Plant, seconds: float) -> float:
    return _lost(Server.kill, plant, seconds)


def _primary_hung(plant: Plant, seconds: float) -> float:
    return _lost(Server.hang, plant, seconds)


def _let_go_on(plant: Plant) -> None:
    """The old primary wakes up and does not know yet that another has taken its place."""
    for each in plant.servers:
        if each.process.poll() is None:
            each.go_on()


def _states() -> Iterator[State]:
    yield State("down", single, _down)
    yield State("hung", single, _hung)
    yield State("readonly", single, _readonly)
    yield State("noscript", single, _noscript, waits_for_store=False)
    yield State("memory", single, _memory)
    yield State("loading", single, _loading)
    yield State("slow", relayed, _slow, waits_for_store=True)
    yield State("embedded", embedded, _embedded)
    yield State("sentinel-killed", sentinels, _primary_killed)
    yield State("sentinel-hung", sentinels, _primary_hung, afterwards=_let_go_on)
    yield State("moved", cluster, _moved)
    yield State("cluster-killed", cluster, _primary_killed)
    yield State("cluster-hung", cluster, _primary_hung, afterwards=_let_go_on)


STATES = {state.name: state for state in _states()}
