"""How soon the first event of a stream is there (server-sent events) while the stream stays open."""

from __future__ import annotations

import socket
import time

from bench.application import EVENT, EVENTS_PATH, application
from bench.gateway import with_token
from bench.load import Target
from bench.messages import request_head
from bench.openloop import OpenLoad
from bench.peers import PEERS as PEER_PROXIES
from bench.rounds import Stage, Taken, take_turns
from bench.row import PEERS, Result, Row, remarks
from bench.setting import Setting

_LONGEST_SECONDS = 10.0


def measure_events(setting: Setting) -> Result:
    """Streams one after the other, through the proxy and past it."""

    def turn(stage: Stage) -> Taken:
        count = setting.scale.event_streams
        through = OpenLoad([_first_event(stage.running.target) for _ in range(count)], "")
        direct = OpenLoad([_first_event(stage.upstream.target) for _ in range(count)], "")
        whole, bare = through.percentile(0.99), direct.percentile(0.99)
        return Taken({"p50": through.percentile(0.5), "p99": whole, "direct_p99": bare, "added_p99": whole - bare})

    own = with_token()
    series = take_turns(setting, application(), (*PEER_PROXIES, own), turn)
    beside = {
        "paywall": series[own.name].median("p99"),
        "against": series[own.name].median("direct_p99"),
        **{peer: series[peer].median("p99") for peer in PEERS},
    }
    row = Row(
        "events", "added time to the first event (SSE), p99", series[own.name].values("added_p99"), "ms",
        "< 5 ms", 5.0, "ms", beside, tuple(remarks(list(series.values()))),
    )  # fmt: skip
    return Result([row], series)


def _first_event(target: Target) -> float:
    """Milliseconds from the request to the whole of the first event, on a connection that is open already.

    Raises OSError and ValueError when it does not come.
    """
    with socket.create_connection(("127.0.0.1", target.port), timeout=_LONGEST_SECONDS) as connection:
        begun = time.perf_counter_ns()
        connection.sendall(request_head("GET", EVENTS_PATH, target.headers))
        received = b""
        while EVENT not in received:
            piece = connection.recv(65536)
            if not piece:
                raise ValueError(f"the stream ended before its first event: {received[:80]!r}")
            received += piece
        return (time.perf_counter_ns() - begun) / 1e6
