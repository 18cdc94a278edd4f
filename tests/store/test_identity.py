"""Which store it is, and that what waits for one store is not sent to another."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.core.event import TrialBegan
from gateway.store.connection import open_link
from gateway.store.files.identity import Identity

from .conftest import until
from .servers import KEEPING, Server, serving
from .test_events_wait import numbers, opened


@pytest.fixture
def one(tmp_path: Path) -> Iterator[Server]:
    with serving("valkey", tmp_path / "one", *KEEPING) as server:
        yield server


@pytest.fixture
def other(tmp_path: Path) -> Iterator[Server]:
    with serving("valkey", tmp_path / "other", *KEEPING) as server:
        yield server


async def identity(server: Server) -> str:
    link = open_link(server.url)
    try:
        return await Identity(link).known()
    finally:
        await link.close()


async def test_everybody_has_the_same_of_one_store_and_another_of_another(one: Server, other: Server) -> None:
    found = {await identity(one) for _ in range(3)}
    assert len(found) == 1 and await identity(other) not in found
    one.do("CONFIG", "SET", "maxmemory", 1)
    assert await identity(one) in found, "also while it takes nothing"


async def test_it_goes_where_the_data_go_and_not_where_they_are_gone(one: Server, other: Server) -> None:
    before = await identity(one)
    other.do("RESTORE", "{pw:store}", 0, one.do("DUMP", "{pw:store}"))
    assert await identity(other) == before, "a replica, or a backup"
    one.do("FLUSHALL")
    assert await identity(one) != before


async def test_it_is_waited_for(tmp_path: Path) -> None:
    link = open_link(f"unix://{tmp_path}/later/s?socket_timeout=20")
    asked = asyncio.create_task(Identity(link).known())
    await asyncio.sleep(0)
    with serving("valkey", tmp_path / "later", *KEEPING) as server:
        assert await asyncio.wait_for(asked, 20) == await identity(server)
    await link.close()


async def test_what_waits_for_one_store_is_not_sent_to_another(one: Server, other: Server, tmp_path: Path) -> None:
    spools, said = tmp_path / "spool", list[str]()
    digest = await identity(one)
    async with opened(one.url, spools) as store:
        await until(lambda: _names(spools) == [digest], "its file says for which store it is")
        one.do("CONFIG", "SET", "maxmemory", 1)  # it takes no event any more
        for at in range(100):
            store.events.record(TrialBegan(at=at))
        await until(lambda: store.events.spool_size > 0, "what it does not take is on disk")
        await store.events.stop(deadline=0.0)
    async with opened(other.url, spools, said) as stranger:
        await until(lambda: bool(said), "the operator is told")
        assert await numbers(stranger) == []
    assert len(said) == 1 and "wait for another store and are left alone" in said[0] and digest in said[0]
    assert _names(spools) == [digest]
    one.do("CONFIG", "SET", "maxmemory", 0)
    async with opened(one.url, spools) as heir:
        await until(lambda: not (set(spools.iterdir()) - set(_own(spools, heir.events._writer))), "it is sent")
        assert await numbers(heir) == list(range(100))
    assert not list(spools.iterdir())


def _names(spools: Path) -> list[str]:
    """For which stores files wait there."""
    return [path.name.split(".")[1] for path in spools.glob("*.*.log")]


def _own(spools: Path, writer: str) -> list[Path]:
    return list(spools.glob(f"{writer}.*"))
