"""Nobody is told "paid" before the payment is where it was promised to be, and a replica that hangs stops nobody."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from gateway.core.money import Money
from gateway.core.subject import Subject
from gateway.ports.cashbook import CheckoutRecord, Settlement, SettleOutcome
from gateway.ports.state import StoreUnavailable
from gateway.store import durability
from gateway.store.connection import Store, open_store
from tests.free_port import free_port

from .conftest import new_subject, until
from .fleet import wait_until
from .servers import KEEPING, Server, follow, replicas, serving

RECORD = CheckoutRecord("c1", "o1", "single", Money(300, "USD"), "sandbox", results=1)
REPORT = Settlement("e1", "p1", "c1", RECORD.price, "sandbox")
ALWAYS = (*KEEPING, "--appendfsync", "always")


@contextlib.contextmanager
def stopped(server: Server) -> Iterator[None]:
    """A server that hangs meanwhile; it stays connected."""
    os.kill(server.process.pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(server.process.pid, signal.SIGCONT)


@pytest.fixture(params=["valkey", "redis"])
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def pair(name: str, tmp_path: Path) -> Iterator[tuple[Server, Server]]:
    """A primary and its replica."""
    port = free_port()
    with (
        serving(name, tmp_path / "primary", *ALWAYS, "--port", str(port)) as primary,
        serving(name, tmp_path / "replica", *ALWAYS) as replica,
    ):
        follow(replica, port, primary)
        yield primary, replica


@pytest.fixture
async def store(pair: tuple[Server, Server]) -> AsyncIterator[Store]:
    opened = open_store(pair[0].url)
    yield opened
    await opened.stop()


async def blocked(server: Server) -> None:
    """Until somebody waits there for a disk or a replica."""
    await until(lambda: server.info("clients")["blocked_clients"] == 1, "a payment waits for the replica")


async def begun(store: Store) -> Subject:
    """A checkout that is to be paid."""
    subject = new_subject()
    await store.payments.open_checkout(subject, RECORD, settled=0)
    return subject


def calls(server: Server, command: str) -> int:
    told = server.info("commandstats").get(f"cmdstat_{command}", {"calls": 0})
    return int(told["calls"])


async def test_a_payment_is_told_when_the_replica_has_it_and_not_before(
    pair: tuple[Server, Server], store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(durability, "DISK_DEADLINE", 60)
    primary, replica = pair
    subject = await begun(store)
    with stopped(replica):
        settling = asyncio.create_task(store.payments.settle(subject, REPORT))
        await until(lambda: calls(primary, "waitaof") + calls(primary, "wait") > 4, "it was asked again and again")
        await blocked(primary)
        assert not settling.done()
    assert await settling is SettleOutcome.SETTLED
    assert store.warnings() == []


async def test_a_payment_that_was_told_survives_a_fail_over(pair: tuple[Server, Server], store: Store) -> None:
    primary, replica = pair
    subject = await begun(store)
    await store.payments.settle(subject, REPORT)
    primary.process.kill()
    replica.do("REPLICAOF", "NO", "ONE")
    after = open_store(replica.url)
    assert [entry["payment"] for entry in await after.payments.ledger(subject)] == ["p1"]
    assert await after.payments.settle(subject, REPORT) is SettleOutcome.REPLAYED
    await after.stop()


async def test_a_replica_that_hangs_is_warned_of_and_stops_no_payment(
    pair: tuple[Server, Server], store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    subject, other = await begun(store), await begun(store)
    monkeypatch.setattr(durability, "DISK_DEADLINE", 0.3)
    with stopped(pair[1]):
        assert await store.payments.settle(subject, REPORT) is SettleOutcome.SETTLED
        [warning] = store.warnings()
        assert "did not confirm the last payment" in warning and "fail-over" in warning
    monkeypatch.setattr(durability, "DISK_DEADLINE", 60)
    assert await store.payments.settle(other, replace(REPORT, event="e2", payment="p2")) is SettleOutcome.SETTLED
    assert store.warnings() == []


async def test_a_replica_that_is_gone_is_not_waited_for(
    pair: tuple[Server, Server], store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(durability, "DISK_DEADLINE", 60)
    primary, replica = pair
    replica.process.kill()
    wait_until(lambda: replicas(primary) == 0, "the primary has seen it go")
    before = time.monotonic()
    assert await store.payments.settle(await begun(store), REPORT) is SettleOutcome.SETTLED
    assert time.monotonic() - before < 30 and store.warnings() == []


async def test_a_server_that_becomes_a_replica_meanwhile_has_not_taken_the_payment(
    pair: tuple[Server, Server], store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(durability, "DISK_DEADLINE", 60)
    subject = await begun(store)
    with stopped(pair[1]):
        settling = asyncio.create_task(store.payments.settle(subject, REPORT))
        await blocked(pair[0])
        pair[0].do("REPLICAOF", "127.0.0.1", free_port())
        with pytest.raises(StoreUnavailable):
            await settling


async def test_who_may_not_know_of_replicas_waits_for_none(pair: tuple[Server, Server]) -> None:
    pair[0].do("ACL", "SETUSER", "limited", "on", ">word", "~*", "&*", "+@all", "-info")
    store = open_store(pair[0].url_of("limited:word"))
    subject = await begun(store)
    with stopped(pair[1]):
        assert await store.payments.settle(subject, REPORT) is SettleOutcome.SETTLED
    assert store.warnings() == []
    await store.stop()


async def test_who_may_not_wait_is_warned(pair: tuple[Server, Server]) -> None:
    pair[0].do("ACL", "SETUSER", "limited", "on", ">word", "~*", "&*", "+@all", "-wait", "-@blocking")
    store = open_store(pair[0].url_of("limited:word"))
    assert await store.payments.settle(await begun(store), REPORT) is SettleOutcome.SETTLED
    assert len(store.warnings()) == 1 and "does not let itself be asked" in store.warnings()[0]
    await store.stop()


async def test_a_replica_without_a_disk_has_it_in_memory_and_costs_no_wait_for_ever(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(durability, "DISK_DEADLINE", 0.3)
    port = free_port()
    with (
        serving("valkey", tmp_path / "primary", *ALWAYS, "--port", str(port)) as primary,
        serving("valkey", tmp_path / "replica", "--appendonly", "no", "--save", "") as replica,
    ):
        follow(replica, port, primary)
        store = open_store(primary.url)
        waited = calls(primary, "wait")
        subject = await begun(store)
        assert store.warnings() == [] and calls(primary, "wait") == waited + 1
        before = calls(primary, "waitaof")
        assert await store.payments.settle(subject, REPORT) is SettleOutcome.SETTLED
        assert calls(primary, "waitaof") == before + 1 and calls(primary, "wait") == waited + 2
        with stopped(replica):  # it is still waited for
            assert await store.payments.settle(subject, REPORT) is SettleOutcome.REPLAYED
        assert "did not confirm" in store.warnings()[0]
        await store.stop()


@pytest.mark.parametrize("settings", [("--appendonly", "no"), KEEPING])
async def test_money_is_taken_also_where_nothing_can_be_promised(
    name: str, settings: tuple[str, ...], tmp_path: Path
) -> None:
    with serving(name, tmp_path / "s", *settings) as server:
        store = open_store(server.url)
        assert await store.payments.settle(await begun(store), REPORT) is SettleOutcome.SETTLED
        await store.stop()
