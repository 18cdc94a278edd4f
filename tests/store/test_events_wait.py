"""Events wait for a store that is away, also longer than their process lives: none is lost, none is there twice."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import redis

from gateway.core.event import OfferDeclined, TrialBegan
from gateway.store.connection import Store, open_store, topology
from gateway.store.events import backlog as backlog_module
from gateway.store.events import spool as spool_module
from gateway.store.events.delivery import BATCH, Delivery
from gateway.store.events.spool import Batch
from gateway.store.events.stream import EventWriter, read_events
from gateway.store.keys import EVENT_STREAM
from gateway.store.transport.line import Argument
from gateway.store.transport.link import Link
from gateway.store.transport.script import Script

from .conftest import OwnServer, plain, until
from .fleet import wait_until
from .test_spool import batch, left_behind

RECORDING = Path(__file__).with_name("recording.py")
WINDOW = 0.05
"""Seconds after which an event has been taken or is on disk, where the processor is free."""
PATIENCE = 0.5
"""What more that may be on a busy machine."""


@asynccontextmanager
async def opened(url: str, spools: Path, said: list[str] | None = None) -> AsyncIterator[Store]:
    store = open_store(url, spools, (said if said is not None else []).append)
    await store.start()
    yield store
    await store.stop()


async def stream(store: Store) -> list[Any]:
    return [event async for event in read_events(store.link)]


async def numbers(store: Store) -> list[int]:
    return [event.body["at"] for event in await stream(store)]


def waiting_on_disk(spools: Path) -> int:
    return sum(path.stat().st_size for path in spools.glob("*.log"))


async def test_a_store_that_was_away_gets_everything_once_and_in_order(own_server: OwnServer, tmp_path: Path) -> None:
    spools, recorded = tmp_path / "spool", 0

    def record(store: Store, count: int) -> None:
        nonlocal recorded
        for at in range(recorded, recorded + count):
            store.events.record(TrialBegan(at=at))
        recorded += count

    async with opened(own_server.url, spools) as store:
        record(store, 10)
        await until(lambda: not store.events.waiting, "the store has taken what came first")
        own_server.stop()
        for _ in range(40):
            record(store, BATCH // 4)
            await asyncio.sleep(0.005)
        await until(lambda: store.events.spool_size > 40 * BATCH // 4 * 20, "what came meanwhile is on disk")
        assert store.events.waiting == recorded - 10
        own_server.start()
        while store.events.waiting:
            record(store, 10 if recorded < 10_000 else 0)
            await asyncio.sleep(0.005)
        assert store.events.spool_size == waiting_on_disk(spools) == 0
        assert await numbers(store) == list(range(recorded))
        assert len({event.id for event in await stream(store)}) == recorded
        assert store.events.dropped == 0
    assert not list(spools.iterdir())


async def test_stopping_while_the_store_is_away_loses_nothing(own_server: OwnServer, tmp_path: Path) -> None:
    spools = tmp_path / "spool"
    own_server.stop()
    async with opened(own_server.url, spools) as store:
        for at in range(2 * BATCH):
            store.events.record(TrialBegan(at=at))
        await store.events.stop(deadline=0.0)
        assert store.events.dropped == 0
    own_server.start()
    said: list[str] = []
    async with opened(own_server.url, spools, said) as first, opened(own_server.url, spools, said) as second:
        await until(lambda: len(list(spools.iterdir())) == 2, "what was left behind is sent")
        assert await numbers(first) == list(range(2 * BATCH))
        assert second.events.waiting == first.events.waiting == 0
    assert len(said) == 1 and "left behind" in said[0], "one of the two has sent it"


class Recording:
    """A process that records, and what it said."""

    def __init__(self, url: str, spools: Path, number: int, folder: Path) -> None:
        self._output = folder / f"recorded-{number}"
        with self._output.open("wb") as output:
            self._process = subprocess.Popen([sys.executable, RECORDING, url, spools, str(number)], stdout=output)
        self.number = number

    def recorded(self) -> list[tuple[int, float]]:
        lines = self._output.read_text().split("\n")[:-1]
        return [(int(at), float(when)) for at, when in (line.split() for line in lines)]

    def kill(self) -> int:
        """Kill it; how many of its events have to arrive at least."""
        killed = time.monotonic()
        self._process.kill()
        self._process.wait(10)
        return sum(when < killed - WINDOW - PATIENCE for _, when in self.recorded())


async def test_what_a_killed_process_recorded_is_sent_by_another_and_stands_there_once(
    own_server: OwnServer, tmp_path: Path
) -> None:
    spools, due = tmp_path / "spool", []

    def more(process: Recording, events: int) -> None:
        known = len(process.recorded())
        wait_until(lambda: len(process.recorded()) >= known + events, "it goes on recording", 20)

    def length() -> int:
        with redis.Redis.from_url(plain(own_server.url)) as client:
            return int(client.xlen(EVENT_STREAM))

    def grows(known: int) -> None:
        wait_until(lambda: length() > known, "what waited is being sent")

    for number, moment in enumerate(("away", "back", "there", "back")):
        process = Recording(own_server.url, spools, number, tmp_path)
        more(process, 1_000)
        if moment != "there":
            own_server.stop()
            more(process, 4_000)  # for longer than the window and the patience
            if moment == "back":
                own_server.start()
                grows(length())
        else:
            more(process, 4_000)
        due.append(process.kill())
        if moment == "away":
            own_server.start()
    async with opened(own_server.url, spools) as heir:
        await until(lambda: len(list(spools.iterdir())) == 1, "all that was left behind is sent", 20)
        rounds: list[list[int]] = [[] for _ in due]
        for event in await stream(heir):
            rounds[event.body["ends"]].append(event.body["at"])
    for arrived, least in zip(rounds, due, strict=True):
        assert arrived == list(range(len(arrived))), "none is missing before the last, none is there twice"
        assert len(arrived) >= least > 1_000


class _Deaf(Link):
    """Delivers, does not hear that it was, and then waits until told to go on."""

    def __init__(self, url: str) -> None:
        super().__init__(topology(url))
        self.lost, self.go_on = False, asyncio.Event()

    async def call_at_length(self, script: Script, keys: Sequence[str], args: Sequence[Argument]) -> Any:
        if self.lost:
            await self.go_on.wait()
        answer = await super().call_at_length(script, keys, args)
        if not self.lost:
            self.lost = True
            raise TimeoutError("the answer was lost")
        return answer


class _Line:
    """Batches that wait in a list."""

    unreadable = 0

    def __init__(self, batches: Sequence[Batch]) -> None:
        self.batches = list(batches)

    def oldest(self, events: int) -> list[Batch]:
        return self.batches[:1]

    def drop(self, batches: Sequence[Batch]) -> None:
        del self.batches[: len(batches)]


async def test_a_batch_that_was_sent_before_a_thousand_others_is_known_when_it_comes_again(
    store: Store, url: str
) -> None:
    (before,) = [event.position for event in (await stream(store))[-1:]] or ["0"]
    deaf = _Deaf(url)
    writer = EventWriter(deaf)
    await writer.start()
    writer.record(OfferDeclined(at=1, why="the one"))
    await until(lambda: deaf.lost, "the answer is lost")
    for other in range(3):
        await Delivery(store.link, f"{other:012x}", _Line([batch(n) for n in range(1, 400)]), print).send_all()
    deaf.go_on.set()
    await until(lambda: not writer.waiting, "the batch was sent again")
    await writer.stop()
    await deaf.close()
    names = [event.name async for event in read_events(store.link, before)]
    assert (names.count("offer-declined"), names.count("trial-began")) == (1, 3 * 399)
    for other in range(3):
        await store.link.ask(("DEL", f"{EVENT_STREAM}:writer:{other:012x}"))


async def test_what_is_sent_again_with_more_behind_it_adds_what_is_new(store: Store) -> None:
    writer, key = "00000000cafe", f"{EVENT_STREAM}:writer:00000000cafe"
    before = len(await stream(store))
    for batches in ([batch(1, 3)], [batch(1, 3), batch(4, 2)], [batch(2, 3)], [batch(1, 5)], [batch(6)], [batch(9)]):
        await Delivery(store.link, writer, _Line(batches), print).send_all()
    added = (await stream(store))[before:]
    assert [event.body["at"] for event in added] == [1, 2, 3, 4, 5, 6, 9]
    assert [event.id for event in added] == [f"{writer}-{place}" for place in (1, 2, 3, 4, 5, 6, 9)]
    (lives,) = await store.link.ask(("PTTL", key))
    assert 89 * 86_400_000 < lives <= 90 * 86_400_000
    await store.link.ask(("DEL", key))


async def test_damage_is_told_and_what_was_lost_by_it_is_counted(own_server: OwnServer, tmp_path: Path) -> None:
    path = left_behind(tmp_path / "spool", batch(1), batch(2, 4), batch(6))
    data = bytearray(path.read_bytes())
    data[batch(1).size + 50] ^= 1
    path.write_bytes(data)
    said: list[str] = []
    async with opened(own_server.url, path.parent, said) as store:
        await until(lambda: not path.exists(), "what was left behind is sent")
        assert await numbers(store) == [1, 6]
        assert store.events.dropped == 4
    assert [line for line in said if f"{batch(2, 4).size} bytes" in line and "damaged" in line]


async def test_more_than_there_is_room_for_is_dropped_from_the_new_end_told_and_counted(
    own_server: OwnServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(spool_module, "SPOOL_LIMIT", 100_000)
    own_server.stop()
    said: list[str] = []
    async with opened(own_server.url, tmp_path / "spool", said) as store:
        for at in range(10 * BATCH):
            store.events.record(TrialBegan(at=at))
            if at % BATCH == 0:
                await asyncio.sleep(0)
        await until(lambda: store.events.spool_size > 0, "what has room is on disk")
        assert waiting_on_disk(tmp_path / "spool") <= 100_000
        assert len(said) == 1 and "no room" in said[0]
        own_server.start()
        await until(lambda: not store.events.waiting, "what had room is sent")
        arrived = await numbers(store)
        assert arrived == sorted(set(arrived)) and arrived[:BATCH] == list(range(BATCH))
        assert store.events.dropped == 10 * BATCH - len(arrived) > BATCH


async def test_a_folder_that_cannot_be_written_is_told_and_events_are_in_memory(
    own_server: OwnServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(backlog_module, "_AGAIN_SECONDS", 0.0)
    spools, said = tmp_path / "data" / "spool", list[str]()
    spools.parent.write_text("a file where the folder should be")
    own_server.stop()
    async with opened(own_server.url, spools, said) as store:
        assert store.warnings() == said and str(spools) in said[0] and "in memory" in said[0]
        for at in range(BATCH):
            store.events.record(TrialBegan(at=at))
        assert store.events.waiting == BATCH
        own_server.start()
        await until(lambda: not store.events.waiting, "all is sent from memory")
        assert await numbers(store) == list(range(BATCH))
        own_server.stop()
        spools.parent.unlink()
        store.events.record(TrialBegan(at=BATCH))
        await until(lambda: store.events.spool_size > 0, "the folder that was mended is in use")
        assert store.warnings() == [] and len(said) == 1


class _Broken(Link):
    """Fails as nothing should."""

    left = 3

    async def call_at_length(self, script: Script, keys: Sequence[str], args: Sequence[Argument]) -> Any:
        if self.left:
            self.left -= 1
            raise RuntimeError("an error of ours")
        return await super().call_at_length(script, keys, args)


async def test_an_unexpected_error_is_told_once_and_survived(store: Store, url: str, tmp_path: Path) -> None:
    said: list[str] = []

    def log(line: str) -> None:
        said.append(line)
        raise OSError("nobody reads the log")

    broken = _Broken(topology(url))
    writer = EventWriter(broken, tmp_path, log)
    await writer.start()
    before = len(await stream(store))
    writer.record(TrialBegan(at=1))
    writer.record(TrialBegan(at=2, subject=b"no text"))  # type: ignore[arg-type]
    writer.record(TrialBegan(at=3))
    await until(lambda: not writer.waiting, "what can be sent is sent")
    assert broken.left == 0
    assert [event.body["at"] for event in (await stream(store))[before:]] == [1, 3]
    assert writer.dropped == 1
    assert ["can't be written" in said[0], "an error of ours" in said[1]] == [True, True]
    assert len(said) == 2
    await writer.stop()
    await broken.close()
