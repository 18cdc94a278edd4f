"""Any order of requests and turns: whichever way each of them goes, the client gets the same bytes."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
import uvloop
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.wire.application import running
from tests.wire.road import Road, Trip
from tests.wire.test_protocol import get, post

_REQUESTS = st.lists(
    st.tuples(
        st.sampled_from(["short", "short", "back", "plain", "upload", "chunks"]),
        st.integers(0, 4),  # turns of the event loop until it is answered
        st.integers(0, 60),  # where its answer is cut
        st.integers(0, 3000),  # bytes of its body
    ),
    min_size=1,
    max_size=8,
)


def bytes_of(requests: list[tuple[str, int, int, int]]) -> bytes:
    sent = []
    for number, (kind, turns, cut, size) in enumerate(requests):
        target = b"/%b/%d/%d/%d" % (b"short" if kind == "back" else kind.encode(), number, turns, cut)
        target += b"?back" if kind == "back" else b""
        more = [b"connection: close"] if number == len(requests) - 1 else []
        if kind == "upload":
            sent.append(post(target, b"u" * size, *more))
        elif kind == "chunks":
            chunk = b"%x\r\n%b\r\n" % (size, b"c" * size) if size else b""
            sent.append(get(target, b"transfer-encoding: chunked", *more, method=b"POST") + chunk + b"0\r\n\r\n")
        else:
            sent.append(get(target, *more))
    return b"".join(sent)


def travel(trip: Trip) -> None:
    """Answer as the target says, as the application would."""
    loop = asyncio.get_running_loop()
    _, _, turns, cut = trip.target.partition(b"?")[0].rsplit(b"/", 3)

    def turn(left: int) -> None:
        if trip.told:
            return
        if left:
            loop.call_soon(turn, left - 1)
        elif trip.target.endswith(b"?back"):
            trip.line.go_the_long_way()
        else:
            body = trip.target + b" "
            last = b"connection: close\r\n" if trip.line.begin_answer() else b""
            answer = b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n%b\r\n%b" % (len(body), last, body)
            trip.line.write(answer[: int(cut)])
            loop.call_soon(end, answer[int(cut) :])

    def end(rest: bytes) -> None:
        if not trip.told:
            trip.line.write(rest)
            trip.line.finish()

    loop.call_soon(turn, int(turns))


async def everything(road: Road | None, data: bytes, cuts: list[int]) -> tuple[bytes, list[tuple[bytes, bytes]]]:
    """What comes back for these bytes, and what the application has seen."""
    async with running(road) as server:
        client = await server.client()
        receiving = asyncio.create_task(client.rest())
        for cut in cuts:
            await client.send(data[:cut])
            data = data[cut:]
            await asyncio.sleep(0)
        await client.send(data)
        return await receiving, server.application.seen


@pytest.mark.parametrize("loop", [asyncio.new_event_loop, uvloop.new_event_loop], ids=["asyncio", "uvloop"])
@settings(max_examples=60, deadline=None)
@given(requests=_REQUESTS, cuts=st.lists(st.integers(1, 400), max_size=12))
def test_whatever_goes_the_short_way_the_client_gets_the_same_bytes(
    loop: Any, requests: list[tuple[str, int, int, int]], cuts: list[int]
) -> None:
    data = bytes_of(requests)
    road = Road(travel)
    with asyncio.Runner(loop_factory=loop) as runner:
        received, seen = runner.run(everything(road, data, cuts))
        expected, all_of_them = runner.run(everything(None, data, cuts))
    assert received == expected
    assert received.count(b"HTTP/1.1 200 OK") == len(requests)
    crossed = [trip.target for trip in road.trips if not trip.target.endswith(b"?back")]
    assert seen == [each for each in all_of_them if each[0] not in crossed], "each is carried out once"
