"""Whatever is written comes out as the same bytes, and the head of an answer with what follows it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.wire.cork import JOINED_BYTES_LIMIT, CorkedTransport

HEAD = b"HTTP/1.1 200 OK\r\ncontent-length: 1\r\n\r\n"
CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"


class Wire(asyncio.Transport):
    """Notes what is written to it."""

    def __init__(self) -> None:
        super().__init__()
        self.writes: list[bytes] = []
        self.ended = ""

    def write(self, data: bytes | bytearray | memoryview[int]) -> None:
        assert not self.ended
        self.writes.append(bytes(data))

    def is_closing(self) -> bool:
        return bool(self.ended)

    def close(self) -> None:
        self.ended = "closed"

    def abort(self) -> None:
        self.ended = "aborted"


class Turns:
    """The turns of an event loop, taken when the test says so."""

    def __init__(self) -> None:
        self._due: list[Callable[[], object]] = []

    def call_soon(self, callback: Callable[[], object]) -> None:
        self._due.append(callback)

    def turn(self) -> None:
        due, self._due = self._due, []
        for callback in due:
            callback()


def corked() -> tuple[CorkedTransport, Wire, Turns]:
    wire, loop = Wire(), Turns()
    return CorkedTransport(wire, cast(asyncio.AbstractEventLoop, loop), lambda: False), wire, loop


WRITES = st.lists(
    st.one_of(
        st.none(),  # the next turn of the event loop
        st.sampled_from([HEAD, CONTINUE, b"", b"body", b"H", bytes(JOINED_BYTES_LIMIT), bytes(JOINED_BYTES_LIMIT + 1)]),
        st.binary(max_size=20),
    ),
    max_size=12,
)  # fmt: skip


@given(WRITES)
def test_any_writes_give_the_same_bytes_in_the_same_order(writes: list[bytes | None]) -> None:
    transport, wire, loop = corked()
    for data in writes:
        if data is None:
            loop.turn()
        else:
            transport.write(data)
    transport.close()
    assert b"".join(wire.writes) == b"".join(data for data in writes if data is not None)
    assert wire.ended == "closed"
    loop.turn()  # nothing is left for later: a write now would fail


def test_a_head_is_written_together_with_the_beginning_of_its_body() -> None:
    transport, wire, loop = corked()
    transport.write(HEAD)
    assert wire.writes == []
    transport.write(b"body")
    loop.turn()
    assert wire.writes == [HEAD + b"body"]


def test_a_head_alone_waits_for_one_turn_at_most() -> None:
    transport, wire, loop = corked()
    transport.write(HEAD)
    loop.turn()
    assert wire.writes == [HEAD]


@pytest.mark.parametrize(
    ("size", "writes"), [(JOINED_BYTES_LIMIT, 1), (JOINED_BYTES_LIMIT + 1, 2)], ids=["joined", "behind the head"]
)
def test_a_large_beginning_is_not_copied(size: int, writes: int) -> None:
    transport, wire, _ = corked()
    transport.write(HEAD)
    transport.write(bytes(size))
    assert len(wire.writes) == writes
    assert b"".join(wire.writes) == HEAD + bytes(size)


def test_what_is_written_through_comes_behind_a_head_that_waits() -> None:
    transport, wire, loop = corked()
    transport.write(HEAD)
    transport.write_through(b"HTTP/1.1 204 No Content\r\n\r\n")
    loop.turn()
    assert wire.writes == [HEAD, b"HTTP/1.1 204 No Content\r\n\r\n"]


@pytest.mark.parametrize("interim", [CONTINUE, b"HTTP/1.1 101 Switching Protocols\r\n\r\n", b"HTTP/1.1 103 \r\n\r\n"])
def test_an_interim_answer_goes_at_once(interim: bytes) -> None:
    transport, wire, _ = corked()
    transport.write(interim)
    assert wire.writes == [interim]


def test_aborted_nothing_more_is_written() -> None:
    transport, wire, loop = corked()
    transport.write(HEAD)
    transport.abort()
    loop.turn()
    assert (wire.writes, wire.ended) == ([], "aborted")
