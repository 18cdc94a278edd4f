"""Providers start in order and stop in the opposite one, also when one of them does not start."""

from __future__ import annotations

import asyncio

import pytest

from gateway.extend import life
from gateway.extend.life import start_all, stop_all


class Provider:
    """Notes when it starts and stops; fails or hangs where it is told to."""

    def __init__(self, name: str, notes: list[str], start: str = "", stop: str = "") -> None:
        self.name, self.notes = name, notes
        self._how = {"start": start, "stop": stop}

    async def start(self) -> None:
        await self._do("start")

    async def stop(self) -> None:
        await self._do("stop")

    async def _do(self, what: str) -> None:
        self.notes.append(f"{what} {self.name}")
        if self._how[what] == "fails":
            raise RuntimeError(f"{self.name} has no licence")
        if self._how[what] == "hangs":
            await asyncio.Event().wait()


async def test_all_start_in_order_and_stop_in_the_opposite_one() -> None:
    notes: list[str] = []
    providers = [Provider(name, notes) for name in "abc"]
    await start_all(providers, notes.append)
    await stop_all(providers, notes.append)
    assert notes == ["start a", "start b", "start c", "stop c", "stop b", "stop a"]


async def test_when_one_does_not_start_all_that_were_begun_are_stopped() -> None:
    notes: list[str] = []
    providers = [Provider("a", notes), Provider("b", notes, start="fails"), Provider("c", notes)]
    with pytest.raises(RuntimeError, match="b has no licence"):
        await start_all(providers, notes.append)
    assert notes == ["start a", "start b", "stop b", "stop a"]


async def test_one_that_never_starts_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(life, "START_SECONDS", 0.05)
    notes: list[str] = []
    providers = [Provider("a", notes), Provider("b", notes, start="hangs")]
    with pytest.raises(TimeoutError, match=rf"{__name__} did not start within 0\.05 seconds"):
        await start_all(providers, notes.append)
    assert notes == ["start a", "start b", "stop b", "stop a"]


async def test_a_start_that_is_interrupted_stops_what_was_begun() -> None:
    notes: list[str] = []
    begun = [Provider("a", notes), Provider("b", notes, start="hangs")]
    task = asyncio.create_task(start_all(begun, notes.append))
    while "start b" not in notes:
        await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert notes == ["start a", "start b", "stop b", "stop a"]


@pytest.mark.parametrize(("how", "told"), [("fails", "RuntimeError: b has no licence"), ("hangs", "TimeoutError")])
async def test_one_that_does_not_stop_well_does_not_keep_the_others(
    monkeypatch: pytest.MonkeyPatch, how: str, told: str
) -> None:
    monkeypatch.setattr(life, "STOP_SECONDS", 0.05)
    notes: list[str] = []
    lines: list[str] = []
    await stop_all([Provider("a", notes), Provider("b", notes, stop=how), Provider("c", notes)], lines.append)
    assert notes == ["stop c", "stop b", "stop a"]
    assert len(lines) == 1 and f"{__name__} did not stop well: {told}" in lines[0]


async def test_a_stop_that_fails_does_not_hide_why_the_start_failed() -> None:
    notes: list[str] = []
    lines: list[str] = []
    with pytest.raises(RuntimeError, match="b has no licence"):
        await start_all([Provider("a", notes, stop="fails"), Provider("b", notes, start="fails")], lines.append)
    assert len(lines) == 1
