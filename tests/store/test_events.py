"""The event stream, on every server."""

from __future__ import annotations

import asyncio
import os
import secrets
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from gateway.core.event import OfferDeclined, ResultHeld, TrialBegan
from gateway.ports.state import StoreUnavailable
from gateway.store.connection import Store, open_store, topology
from gateway.store.embedded.server import EmbeddedStore
from gateway.store.events.delivery import BATCH
from gateway.store.events.stream import EventWriter, StoredEvent, read_events
from gateway.store.keys import EVENT_STREAM
from gateway.store.transport.line import Argument
from gateway.store.transport.link import Link
from gateway.store.transport.script import Script
from tests.store.conftest import until


async def position(store: Store) -> str:
    """Where the stream ends now."""
    (newest,) = await store.link.ask(("XREVRANGE", EVENT_STREAM, "+", "-", "COUNT", 1))
    return newest[0][0].decode() if newest else "0"


async def read(store: Store, after: str) -> list[StoredEvent]:
    return [event async for event in read_events(store.link, after)]


async def test_what_is_recorded_can_be_read(store: Store) -> None:
    start = await position(store)
    store.events.record(TrialBegan(at=1, subject="s\ud800", ends=2))
    store.events.record(ResultHeld(at=3, route="exports", size=7))
    await store.events.stop()
    first, second = await read(store, start)
    assert (first.name, first.version, first.body) == ("trial-began", 1, {"at": 1, "subject": "s\ud800", "ends": 2})
    assert (second.name, second.body["route"], second.body["size"]) == ("result-held", "exports", 7)
    assert first.id != second.id
    assert await read(store, first.position) == [second]


async def test_a_little_is_delivered_without_waiting_for_more(store: Store) -> None:
    start = await position(store)
    store.events.record(OfferDeclined(at=1, why="price"))
    async with asyncio.timeout(10):
        while not await read(store, start):
            await asyncio.sleep(0.01)


async def test_more_than_a_batch_arrives_whole_and_in_order(store: Store) -> None:
    start = await position(store)
    for at in range(3 * BATCH + 1):
        store.events.record(TrialBegan(at=at))
    await store.events.stop()
    assert [event.body["at"] for event in await read(store, start)] == list(range(3 * BATCH + 1))


class _Deaf(Link):
    """Delivers, and never hears that it was: as when the answer is lost."""

    lost = 2

    async def call_at_length(self, script: Script, keys: Sequence[str], args: Sequence[Argument]) -> Any:
        answer = await super().call_at_length(script, keys, args)
        if self.lost:
            self.lost -= 1
            raise StoreUnavailable("the answer was lost")
        return answer


async def test_a_batch_whose_answer_was_lost_stands_in_the_stream_once(store: Store, url: str) -> None:
    start = await position(store)
    link = _Deaf(topology(url))
    writer = EventWriter(link)
    await writer.start()
    writer.record(TrialBegan(at=1))
    await until(lambda: link.lost < 2, "the first answer is lost")
    writer.record(TrialBegan(at=2))
    await until(lambda: link.lost == 0, "the second answer is lost")
    await until(lambda: not writer.waiting, "everything is delivered")
    await writer.stop()
    await link.close()
    assert [event.body["at"] for event in await read(store, start)] == [1, 2]
    assert writer.dropped == 0


async def test_following_hears_what_comes_later(store: Store) -> None:
    heard: list[StoredEvent] = []

    async def follow() -> None:
        async for event in read_events(store.link, "$", follow=True):
            heard.append(event)

    task = asyncio.create_task(follow())
    await asyncio.sleep(0.1)
    store.events.record(TrialBegan(at=4711))
    await until(lambda: len(heard) == 1, "the event is heard")
    assert heard[0].body["at"] == 4711
    task.cancel()
    await asyncio.wait([task])


async def test_events_wait_for_a_server_that_hangs(tmp_path: Path) -> None:
    server = EmbeddedStore(tmp_path, report=print)
    store = open_store(server.start())
    try:
        await store.start()
        assert await store.ping()
        assert server.pid is not None
        os.kill(server.pid, signal.SIGSTOP)
        for at in range(20):
            store.events.record(TrialBegan(at=at))
        await until(lambda: store.link.nodes[0].is_away, "a batch has failed", 20)
        os.kill(server.pid, signal.SIGCONT)
        async with asyncio.timeout(20):
            while not await store.ping() or len(await read(store, "0")) < 20:
                await asyncio.sleep(0.02)
        assert [event.body["at"] for event in await read(store, "0")] == list(range(20))
        assert store.events.dropped == 0
    finally:
        server.stop()
        await store.stop()


async def test_what_does_not_fit_is_counted_and_stopping_takes_no_longer_than_said(tmp_path: Path) -> None:
    store = open_store(f"unix://{tmp_path}/none.sock")
    writer = EventWriter(store.link, memory_limit=10)
    await writer.start()
    for at in range(15):
        writer.record(TrialBegan(at=at))
    assert writer.dropped == 5
    async with asyncio.timeout(5):
        await writer.stop(deadline=0.2)
    assert writer.dropped == 15
    await store.stop()


async def test_with_a_mark_it_stands_in_the_stream_once_whoever_records_it(
    store: Store, url: str, tmp_path: Path
) -> None:
    start, mark = await position(store), secrets.token_hex(8)
    other = open_store(url, tmp_path)
    await other.events.start()
    for writer in (store.events, other.events, store.events):
        writer.record_once(TrialBegan(at=1), mark)
        writer.record_once(TrialBegan(at=2), f"{mark}-another")
        writer.record(TrialBegan(at=3))
    await store.events.stop()
    await other.stop()
    assert sorted(event.body["at"] for event in await read(store, start)) == [1, 2, 3, 3, 3]


_RECORD_AND_DIE = """
import asyncio, os, pathlib, signal, sys
from gateway.core.event import TrialBegan
from gateway.store.connection import open_store

async def record_and_die(folder):
    store = open_store(f"unix://{folder}/nobody", folder / "spool")
    await store.events.start()
    store.events.record_once(TrialBegan(at=7), "mark")
    os.kill(os.getpid(), signal.SIGKILL)

asyncio.run(record_and_die(pathlib.Path(sys.argv[1])))
"""


async def test_with_a_mark_it_outlives_its_process_from_the_moment_it_is_recorded(tmp_path: Path) -> None:
    killed = await asyncio.create_subprocess_exec(sys.executable, "-c", _RECORD_AND_DIE, str(tmp_path))
    assert await killed.wait() == -signal.SIGKILL
    with EmbeddedStore(tmp_path / "embedded", report=print) as url:
        store = open_store(url, tmp_path / "spool")
        await store.start()
        async with asyncio.timeout(10):
            while not (found := await read(store, "0")):
                await asyncio.sleep(0.01)
        await store.stop()
    assert [event.body["at"] for event in found] == [7]
