"""An open-loop load: requests fall due whatever became of those before, and are timed from when they were due.

A closed loop sends the next request when the last is answered: while a proxy stands still nobody asks it anything, and
the pause goes into the numbers once. Here everything that fell due meanwhile has waited, and its waiting counts.
"""

from __future__ import annotations

import gc
import math
import random
import select
import socket
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass

from bench.candidate import BODY
from bench.load import Target
from bench.messages import request_head

_CONNECTIONS = 64
_GRACE_NS = 5 * 10**9
_SEED = 2


@dataclass(frozen=True)
class OpenLoad:
    """Latencies in milliseconds; `trouble` is empty or says why they do not count."""

    latencies: Sequence[float]
    trouble: str

    def percentile(self, share: float) -> float:
        """The least latency that this share of the requests did not exceed."""
        ordered = sorted(self.latencies)
        return ordered[max(math.ceil(share * len(ordered)), 1) - 1]


def run_open_load(target: Target, rate: float, seconds: float) -> OpenLoad:
    """Sends `rate` requests a second, at random instants but always the same, over at most 64 connections."""
    with ExitStack() as stack:
        line = _Line(request_head("GET", target.path, target.headers))
        for _ in range(_CONNECTIONS):
            line.connect(stack, target.port)
        # A collection of this process would look like a pause of the proxy.
        gc.collect()
        gc.disable()
        try:
            return line.run(_instants(rate, seconds))
        finally:
            gc.enable()


def _instants(rate: float, seconds: float) -> list[int]:
    """When requests fall due, in nanoseconds: as independent visitors come (a Poisson process)."""
    chance = random.Random(_SEED)
    instants = []
    at = chance.expovariate(rate)
    while at < seconds:
        instants.append(int(at * 1e9))
        at += chance.expovariate(rate)
    return instants


class _Line:
    """Connections that are free, and those on which an answer is awaited since an instant."""

    def __init__(self, request: bytes) -> None:
        self._request = request
        self._free: list[socket.socket] = []
        self._due: dict[socket.socket, int] = {}
        self._received: dict[socket.socket, bytes] = {}
        self._latencies: list[float] = []
        self._trouble = ""

    def connect(self, stack: ExitStack, port: int) -> None:
        """One more connection, warm: it has had an answer."""
        connection = stack.enter_context(socket.create_connection(("127.0.0.1", port), timeout=5))
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection.sendall(self._request)
        received = b""
        while not received.endswith(BODY):
            piece = connection.recv(65536)
            if not piece:
                raise ValueError("the connection was closed instead of answered")
            received += piece
        connection.setblocking(False)
        self._free.append(connection)

    def run(self, instants: Sequence[int]) -> OpenLoad:
        """Until everything that fell due is answered, or five seconds after the last fell due."""
        begun = time.perf_counter_ns()
        upcoming = 0
        last = begun + (instants[-1] if instants else 0) + _GRACE_NS
        while not self._trouble and (upcoming < len(instants) or self._due):
            now = time.perf_counter_ns()
            if now > last:
                self._trouble = f"{len(instants) - len(self._latencies)} requests were not answered"
                break
            while self._free and upcoming < len(instants) and begun + instants[upcoming] <= now:
                self._send(begun + instants[upcoming])
                upcoming += 1
            waits_for_time = self._free and upcoming < len(instants)
            until = begun + instants[upcoming] if waits_for_time else last
            self._receive(max(until - time.perf_counter_ns(), 0) / 1e9)
        if not self._trouble and not self._latencies:
            self._trouble = "no request fell due"
        return OpenLoad(self._latencies, self._trouble)

    def _send(self, due: int) -> None:
        connection = self._free.pop()
        self._due[connection] = due
        self._received[connection] = b""
        connection.send(self._request)

    def _receive(self, seconds: float) -> None:
        # Not epoll: it waits in whole milliseconds.
        for connection in select.select(list(self._due), (), (), seconds)[0]:
            piece = connection.recv(65536)
            received = self._received[connection] + piece
            if not piece or not received.startswith(b"HTTP/1.1 200 "[: len(received)]):
                self._trouble = f"answered {received[:20]!r} instead of 200" if piece else "a connection was closed"
                return
            self._received[connection] = received
            if received.endswith(BODY):
                self._latencies.append((time.perf_counter_ns() - self._due.pop(connection)) / 1e6)
                self._free.append(connection)
