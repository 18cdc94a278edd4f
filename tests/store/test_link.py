"""The way to the server: what happens when it forgets, hangs, goes and comes back."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Iterator
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path

import pytest

from gateway.core.decision import Purse
from gateway.core.quantity import DAY, Allowance
from gateway.core.subject import Subject
from gateway.ports.state import (
    GraceAsked,
    NotAsked,
    StoreUnavailable,
    TakeOutcome,
    TrialBegin,
)
from gateway.store.connection import Store, open_store
from gateway.store.embedded.server import EmbeddedStore
from gateway.store.transport.breaker import FIRST_PAUSE, LONGEST_PAUSE, Breaker
from tests.store.conftest import until


@pytest.fixture
def own_server(tmp_path: Path) -> Iterator[tuple[EmbeddedStore, str]]:
    server = EmbeddedStore(tmp_path, report=print)
    try:
        yield server, server.start()
    finally:
        server.stop()


async def test_forgotten_scripts_are_loaded_again(store: Store, subject: Subject) -> None:
    await store.subjects.visit(subject, TrialBegin(DAY))
    for _ in range(3):
        await store.link.ask(("SCRIPT", "FLUSH"))
        states = await asyncio.gather(*(store.subjects.visit(subject) for _ in range(20)))
        assert all(state.trial_started for state in states)
        await store.link.ask(("SCRIPT", "FLUSH"))
        await store.operations.grant(subject, "gift", results=1)


async def test_an_error_of_one_verb_is_not_its_neighbours(store: Store, subject: Subject) -> None:
    broken = Subject.parse(str(subject) + "-broken")
    await store.link.ask(("SET", f"pw:{{{broken.key}}}", "not a hash"))
    answers = await asyncio.gather(
        store.subjects.visit(subject, TrialBegin(DAY)),
        store.subjects.visit(broken, TrialBegin(DAY)),
        store.subjects.visit(subject),
        return_exceptions=True,
    )
    assert isinstance(answers[1], StoreUnavailable) and "WRONGTYPE" in str(answers[1])
    assert not isinstance(answers[0], BaseException) and not isinstance(answers[2], BaseException)
    assert await store.ping()


async def test_a_hung_server_costs_one_timeout_and_then_nothing(own_server: tuple[EmbeddedStore, str]) -> None:
    server, url = own_server
    store, subject = open_store(url), Subject.parse("person:a")
    purse = GraceAsked("exports", Allowance(1, 0))
    await store.subjects.visit(subject)
    assert server.pid is not None
    os.kill(server.pid, signal.SIGSTOP)
    try:
        async with asyncio.timeout(5):  # far above half a second, far below the client library's own patience
            with pytest.raises(StoreUnavailable, match="does not answer"):
                await store.subjects.take(subject, Purse.GRACE, "op", purse)
        async with asyncio.timeout(5):  # each for itself would wait half a second, all of them ten
            for _ in range(20):
                with pytest.raises(StoreUnavailable, match="does not answer"):
                    await store.subjects.visit(subject)
        # Not even what may take long, such as the ledger, is asked for, however long ago it is that somebody waited.
        for _ in range(10):
            await asyncio.sleep(LONGEST_PAUSE / 5)
            with pytest.raises(NotAsked):
                await store.payments.ledger(subject)
            with pytest.raises(NotAsked):
                await store.subjects.visit(subject)
    finally:
        os.kill(server.pid, signal.SIGCONT)
    await recovers(store)
    taken = await store.subjects.take(subject, Purse.GRACE, "op", purse)
    assert taken.outcome in (TakeOutcome.TAKEN, TakeOutcome.REPLAYED)
    assert (await store.subjects.visit(subject, grace=purse)).grace_used == 1
    await store.stop()


async def test_a_server_that_is_not_there_is_said_by_name_without_password(tmp_path: Path) -> None:
    for url, name in (
        (f"unix://{tmp_path}/none.sock", f"unix://{tmp_path}/none.sock"),
        ("redis://me:hunter2@127.0.0.1:1/0", "redis://127.0.0.1:1"),
    ):
        store = open_store(url)
        with pytest.raises(StoreUnavailable, match=name) as caught:
            await store.subjects.visit(Subject.parse("person:a"))
        assert "hunter2" not in str(caught.value)
        assert await store.ping() is False
        await store.stop()


async def test_a_wrong_password_is_unavailable_too(own_server: tuple[EmbeddedStore, str]) -> None:
    _, url = own_server
    store, stranger = open_store(url), open_store(url + "?password=wrong")
    await store.link.ask(("CONFIG", "SET", "requirepass", "right"))
    with pytest.raises(StoreUnavailable, match="password"):
        await stranger.subjects.visit(Subject.parse("person:a"))
    await store.stop()
    await stranger.stop()


async def test_full_memory_is_an_error_and_forgets_nothing(own_server: tuple[EmbeddedStore, str]) -> None:
    store, subject = open_store(own_server[1]), Subject.parse("person:a")
    await store.subjects.visit(subject, TrialBegin(DAY))
    await store.link.ask(("CONFIG", "SET", "maxmemory", "1"))
    with pytest.raises(StoreUnavailable, match="maxmemory"):
        await store.subjects.decline(subject, "price")
    await store.link.ask(("CONFIG", "SET", "maxmemory", "0"))
    assert (await store.subjects.visit(subject)).trial_started
    await store.stop()


async def test_after_a_restart_the_connections_and_the_data_are_back(own_server: tuple[EmbeddedStore, str]) -> None:
    server, url = own_server
    store, subject = open_store(url), Subject.parse("person:a")
    state = await store.subjects.visit(subject, TrialBegin(DAY))
    assert server.pid is not None
    os.kill(server.pid, signal.SIGKILL)
    await until(lambda: server.pid is None, "the server is dead")
    await recovers(store)
    assert await store.subjects.visit(subject) == replace(state, trial_began=False)
    await store.stop()


async def test_a_server_that_takes_nothing_has_taken_nothing(own_server: tuple[EmbeddedStore, str]) -> None:
    store, subject = open_store(own_server[1]), Subject.parse("person:a")
    await store.link.ask(("CONFIG", "SET", "min-replicas-to-write", "1"))
    with pytest.raises(NotAsked, match="NOREPLICAS"):
        await store.subjects.take(subject, Purse.GRACE, "op", GraceAsked("exports", Allowance(1, 0)))
    assert not store.link.nodes[0].is_away, "it can be read"
    await store.stop()


async def test_that_all_connections_are_lent_says_nothing_of_the_server(own_server: tuple[EmbeddedStore, str]) -> None:
    store = open_store(f"{own_server[1]}?timeout=0.05")
    node = store.link.nodes[0]
    async with AsyncExitStack() as lent:
        with pytest.raises(NotAsked, match="too many"):
            for _ in range(100):
                await lent.enter_async_context(node.alone())
        assert await store.ping() and not node.is_away
    await store.stop()


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("redis://:s3cret/x@h:6379", "escaped"),
        ("redis+sentinel://a,b", "name the service"),
        ("redis+sentinel://a,b/", "name the service"),
        ("redis+cluster://a/3", "no databases"),
        ("redis+cluster://a:port", "host"),
        ("redis+cluster://a,,b", "host"),
        ("redis+cluster://a?no_such_option=1", "no_such_option"),
        ("redis+magic://a", "redis+cluster://"),
        ("memcached://a", "redis://"),
        ("embedded", "redis://"),
        ("redis://127.0.0.1/0?no_such_option=1", "no_such_option"),
        ("redis://127.0.0.1/0?protocol=2", "protocol.*leave it out"),
        ("redis+sentinel://a/main?decode_responses=yes", "decode_responses.*leave it out"),
        ("redis+cluster://a?encoding=latin-1", "encoding.*leave it out"),
    ],
)
def test_an_address_that_can_not_be_used_is_refused_with_the_mend(url: str, said: str) -> None:
    with pytest.raises(ValueError, match=said.replace("+", r"\+")):
        open_store(url)


async def recovers(store: Store) -> None:
    deadline = asyncio.get_running_loop().time() + 10
    while not await store.ping():
        assert asyncio.get_running_loop().time() < deadline
        await asyncio.sleep(0.01)


class TestBreaker:
    def test_lets_nobody_through_but_probes_after_a_growing_pause(self) -> None:
        breaker = Breaker()
        assert breaker.admit() == 0
        breaker.failed(0)
        pause = FIRST_PAUSE
        for failures in range(1, 9):
            assert breaker.admit() is None
            assert (breaker.failures, breaker.pause) == (failures, pause)
            breaker.failed(failures)
            pause = min(pause * 2, LONGEST_PAUSE)
        breaker.succeeded()
        assert breaker.admit() == 0

    def test_failures_of_one_moment_count_once(self) -> None:
        breaker = Breaker()
        tickets = [breaker.admit() for _ in range(50)]
        for ticket in tickets:
            assert ticket is not None
            breaker.failed(ticket)
        assert breaker.failures == 1
