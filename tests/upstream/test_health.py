"""When an address is set aside, for how long, and what brings it back."""

from __future__ import annotations

import asyncio

import pytest

from gateway.ports.upstream import UpstreamError, UpstreamFailure, WebSocketRefused
from gateway.upstream.health import Health

BROKEN = UpstreamError(UpstreamFailure.BROKEN, "broken off")


class World:
    """The clock, the log, and the witness of what the short way answered."""

    def __init__(self) -> None:
        self.now = 100.0
        self.lines: list[str] = []
        self.answered_at = 0.0
        self.health = Health("http://a:80", self, self.lines.append, lambda: self.now)

    def has_answered_since(self, instant: float) -> bool:
        return self.answered_at > instant

    def is_set_aside(self) -> bool:
        return self.health.set_aside

    def is_due(self) -> bool:
        return self.health.is_due

    def end(self, error: BaseException | None = None) -> None:
        """One request, and how it ends."""
        self.now += 0.001
        try:
            with self.health.attempt():
                if error is not None:
                    raise error
        except BaseException as raised:
            assert raised is error

    def fail(self, times: int) -> None:
        for _ in range(times):
            self.end(BROKEN)


@pytest.fixture
def world() -> World:
    return World()


@pytest.mark.parametrize("failure", [UpstreamFailure.UNREACHABLE, UpstreamFailure.TIMEOUT, UpstreamFailure.BROKEN])
def test_three_failures_in_a_row_set_it_aside_and_are_told_once(world: World, failure: UpstreamFailure) -> None:
    for _ in range(2):
        world.end(UpstreamError(failure, "how it failed"))
    assert not world.is_set_aside()
    world.end(UpstreamError(failure, "how it failed"))
    assert world.is_set_aside() and not world.is_due()
    world.fail(5)
    (line,) = world.lines
    assert "http://a:80 is set aside" in line and "how it failed" in line


@pytest.mark.parametrize(
    "other",
    [
        UpstreamError(UpstreamFailure.OVERLOADED, "all in use"),
        UpstreamError(UpstreamFailure.MALFORMED, "no HTTP"),
        ValueError("can't be sent"),
        asyncio.CancelledError(),
    ],
)
def test_what_says_nothing_of_the_address_changes_nothing(world: World, other: BaseException) -> None:
    for _ in range(10):
        world.end(other)
    assert not world.is_set_aside()
    world.fail(3)
    world.now += 1
    world.end(other)
    assert world.is_set_aside() and world.is_due(), "the next one tries it"


@pytest.mark.parametrize("answer", [None, WebSocketRefused(403, [], b"")])
def test_an_answer_in_between_begins_the_count_anew(world: World, answer: Exception | None) -> None:
    for _ in range(5):
        world.fail(2)
        world.end(answer)
    assert not world.is_set_aside() and world.lines == []


def test_an_answer_on_the_short_way_does_too(world: World) -> None:
    for _ in range(5):
        world.fail(2)
        world.now += 0.001
        world.answered_at = world.now
    assert not world.is_set_aside()
    world.fail(3)
    assert world.is_set_aside()


def test_it_is_tried_after_a_pause_that_doubles_to_half_a_minute(world: World) -> None:
    world.fail(3)
    for pause in (1, 2, 4, 8, 16, 30, 30):
        world.now += pause - 0.01
        assert not world.is_due()
        world.fail(3)  # under way since before, or with nowhere else to go
        world.now += 0.01
        assert world.is_due()
        world.end(BROKEN)
        assert not world.is_due()
    world.now += 30
    world.end()
    assert not world.is_set_aside()
    assert [("is back" in line) for line in world.lines] == [False, True]
    world.fail(3)
    world.now += 1
    assert world.is_due(), "the next time it begins with a second again"


def test_one_request_at_a_time_tries_it(world: World) -> None:
    world.fail(3)
    world.now += 1
    with world.health.attempt():
        assert not world.is_due()
        world.now += 60
        assert not world.is_due()
        world.fail(1)
        assert not world.is_due()
    assert not world.is_set_aside()


def test_any_answer_brings_it_back(world: World) -> None:
    world.fail(3)
    world.end()
    assert not world.is_set_aside()
