"""Several servers: where a key is, where it goes, and who takes the place of whom."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from redis.asyncio.connection import AbstractConnection
from redis.crc import key_slot
from redis.exceptions import AskError, MovedError

from gateway.core.money import Money
from gateway.core.quantity import DAY, Allowance
from gateway.core.standing import SubjectState
from gateway.core.subject import Subject
from gateway.ports.cashbook import CheckoutRecord, Settlement, SettleOutcome
from gateway.ports.state import (
    GraceAsked,
    NotAsked,
    StoreUnavailable,
    TrialBegin,
)
from gateway.store.connection import Store, open_store
from gateway.store.fitness.examination import ask_each, examine
from gateway.store.fitness.findings import findings
from gateway.store.keys import subject_key
from gateway.store.transport.cluster import NODES_LIMIT, Cluster
from gateway.store.transport.node import Node
from gateway.store.transport.place import Place
from gateway.store.transport.redirected import Redirected
from gateway.wiring.assemble import wall_clock

from .conftest import new_subject, until
from .fleet import HOST, Fleet, Server, cluster_address, fleet, start_cluster, start_sentinels, wait_until
from .moving import Move, has_slot, join_cluster
from .test_holds import keep

PRICE = Money(500, "USD")
GRACE = GraceAsked("exports", Allowance(1, DAY))


@pytest.fixture
def servers(tmp_path: Path) -> Iterator[Fleet]:
    with fleet(tmp_path) as several:
        yield several


@asynccontextmanager
async def opened(address: str) -> AsyncIterator[Store]:
    store = open_store(address)
    await store.start()
    try:
        yield store
    finally:
        await store.stop()


async def begun(store: Store, subject: Subject) -> SubjectState:
    return await store.subjects.visit(subject, TrialBegin(DAY))


async def recovers(store: Store, subject: Subject, seconds: float = 20.0) -> None:
    """A write gets through again."""
    async with asyncio.timeout(seconds):
        while True:
            try:
                await store.operations.grant(subject, "it is back", results=1)
            except StoreUnavailable:
                await asyncio.sleep(0.01)
            else:
                return


async def own_id(connection: AbstractConnection) -> object:
    """What the server calls this very connection."""
    [name] = await ask_each(connection, ("CLIENT", "ID"))
    return name


class TestCluster:
    async def test_every_subject_is_with_one_node_and_all_nodes_have_some(self, servers: Fleet) -> None:
        nodes = start_cluster(servers)
        subjects = [new_subject() for _ in range(60)]
        async with opened(cluster_address(nodes[:1])) as store:  # one address is enough to find the others
            for each in subjects:
                assert (await begun(store, each)).trial_began
            assert not any([(await begun(store, each)).trial_began for each in subjects])
            assert len(store.link.nodes) == 3
        sizes = [len(node.ask("KEYS", "pw:{*").split()) for node in nodes]
        assert all(sizes) and sum(sizes) == 60

    async def test_a_slot_that_moved_is_followed_and_nothing_is_done_twice(self, servers: Fleet) -> None:
        nodes = start_cluster(servers)
        async with opened(cluster_address(nodes)) as store:
            subject = new_subject()
            await store.link.ping()  # who has what is known, and about to be wrong
            move = Move.of(subject, nodes)
            move.begin()
            move.end()
            await store.operations.grant(subject, "gift", results=1)
            assert (await begun(store, subject)).credits == 1
            told = asyncio.Queue[object]()
            store.subjects.visit_soon(subject, None, GRACE, None, told.put_nowait)
            assert await told.get() is not None

    async def test_a_payment_is_credited_once_in_the_midst_of_a_move(self, servers: Fleet) -> None:
        nodes = start_cluster(servers)
        async with opened(cluster_address(nodes)) as store:
            subject = new_subject()
            await keep(store, subject, "h1", chunks=2)
            record = CheckoutRecord("c1", "o1", "single", PRICE, "sandbox", hold="h1", results=3)
            await store.payments.open_checkout(subject, record, settled=0)
            outcomes = [outcome async for outcome in _settled_while_moving(store, subject, Move.of(subject, nodes))]
            assert set(outcomes) <= {None, SettleOutcome.SETTLED, SettleOutcome.REPLAYED}
            assert outcomes.count(SettleOutcome.SETTLED) == 1 and outcomes[-1] is not None
            assert (await store.subjects.visit(subject)).credits == 2, "of three one paid for the hold"
            assert [entry["kind"] for entry in await store.payments.ledger(subject)] == ["payment"]
            assert await store.holds.chunk(subject, "h1", 1) == b"h1 chunk 1"

    async def test_one_node_away_stops_nobody_else_and_its_replica_takes_over(self, servers: Fleet) -> None:
        nodes = start_cluster(servers, replicas=1)
        async with opened(cluster_address(nodes)) as store:
            gone, there = _subjects_of(nodes[0]), _subjects_of(nodes[1])
            await begun(store, gone)
            wait_until(nodes[0].is_copied, "the replica has it")
            nodes[0].kill()
            with pytest.raises(StoreUnavailable, match=str(nodes[0].port)):
                await store.subjects.visit(gone)
            assert (await begun(store, there)).trial_began
            await recovers(store, gone)
            assert not (await begun(store, gone)).trial_began, "what was known is still known"

    async def test_without_any_node_it_says_so_and_finds_them_again(self, servers: Fleet) -> None:
        nodes = start_cluster(servers)
        async with opened(cluster_address(nodes)) as store:
            for node in nodes:
                node.hang()
            with pytest.raises(StoreUnavailable, match="does not answer"):
                await begun(store, new_subject())
            assert not await store.ping()
            for node in nodes:
                node.go_on()
            await recovers(store, new_subject())

    async def test_what_is_under_way_at_a_node_that_leaves_ends_well(self, servers: Fleet) -> None:
        nodes = start_cluster(servers)
        subject = new_subject()
        move, back = Move.to_and_fro(subject, join_cluster(servers, nodes), nodes)
        move.run()
        async with opened(cluster_address(nodes)) as store:
            await begun(store, subject)
            guest = store.link._topology.known(subject_key(subject))
            assert guest is not None
            async with guest.alone() as connection:
                name = await own_id(connection)
                back.run()
                while guest in store.link.nodes:
                    assert not (await begun(store, subject)).trial_began
                await asyncio.sleep(0.1)  # time for cutting it off
                assert await own_id(connection) == name
            with pytest.raises(NotAsked):
                async with asyncio.timeout(20):
                    while True:
                        await guest.ping()

    async def test_who_finds_a_node_closed_is_sent_to_the_one_that_has_its_slots_now(self, servers: Fleet) -> None:
        nodes = start_cluster(servers)
        subject = new_subject()
        move, back = Move.to_and_fro(subject, join_cluster(servers, nodes), nodes)
        move.run()
        async with opened(cluster_address(nodes)) as store:
            await begun(store, subject)
            guest = store.link._topology.known(subject_key(subject))

            async def attempt(node: Node, asking: bool) -> object:
                if node is guest:  # meanwhile it leaves
                    back.run()
                    while guest in store.link.nodes:
                        await begun(store, subject)
                    await guest.close()
                return await node.inquire("PING")

            assert await store.link.at(subject_key(subject), attempt) == b"PONG"

    async def test_redirections_that_lead_nowhere_are_not_followed_for_ever(self, servers: Fleet) -> None:
        nodes = start_cluster(servers)
        topology = Cluster(Place.read(cluster_address(nodes)))
        key = subject_key(new_subject())
        node = await topology.find(key)
        try:
            for told in ("99999 127.0.0.1:1", "7 :6379"):
                assert await topology.follow(Redirected("told", MovedError(told)), key) == (node, False)
            with pytest.raises(StoreUnavailable, match="more than"):
                for port in range(1, 2 * NODES_LIMIT):
                    await topology.follow(Redirected("told", AskError(f"7 127.0.0.1:{port}")), key)
        finally:
            await topology.close()
        with pytest.raises(NotAsked):
            await topology.follow(Redirected("told", AskError("7 127.0.0.1:65000")), key)
        with pytest.raises(NotAsked):
            await node.ask(("PING",))

    async def test_changes_are_heard_from_whichever_node_tells_of_them(self, servers: Fleet) -> None:
        nodes = start_cluster(servers)
        async with opened(cluster_address(nodes)) as here, opened(cluster_address(nodes)) as elsewhere:
            for node in nodes:
                subject = _subjects_of(node)
                await begun(here, subject)
                async with asyncio.timeout(20):
                    while here.subjects.recall(subject, _NOW) is None:
                        await here.subjects.visit(subject)
                        await asyncio.sleep(0.01)
                await elsewhere.operations.expire(subject)
                await until(lambda subject=subject: here.subjects.recall(subject, _NOW) is None, "it is heard")  # type: ignore[misc]


class TestSentinel:
    @pytest.mark.parametrize("dies", [True, False], ids=["the primary dies", "the primary is relieved"])
    async def test_whoever_takes_over_is_asked(self, servers: Fleet, dies: bool) -> None:
        # Without a replica it takes nothing: else it would until the sentinels tell it that it is relieved.
        primary = servers.start("--min-replicas-to-write", "1")
        replica = servers.start("--replicaof", HOST, str(primary.port))
        wait_until(lambda: "state=online" in primary.ask("INFO", "replication"), "the replica is there")
        sentinels = start_sentinels(servers, primary)
        wait_until(lambda: "slaves=1" in sentinels[0].ask("INFO", "sentinel"), "the sentinels know the replica")
        address = "redis+sentinel://" + ",".join(f"{HOST}:{each.port}" for each in sentinels) + "/main"
        async with opened(address) as store:
            subject = new_subject()
            await begun(store, subject)
            wait_until(primary.is_copied, "the replica has it")
            if dies:
                primary.kill()
            else:
                wait_until(lambda: sentinels[0].ask("SENTINEL", "FAILOVER", "main") == "OK", "it begins")
            await until(lambda: "role:master" in replica.ask("INFO", "replication"), "the replica takes over", 30)
            await recovers(store, subject)
            assert not (await begun(store, subject)).trial_began
        assert int(replica.ask("HGET", subject_key(subject), "cr")) == 1

    async def test_a_service_that_no_sentinel_knows_is_named(self, servers: Fleet) -> None:
        sentinel = start_sentinels(servers, servers.start(), count=1)[0]
        async with opened(f"redis+sentinel://{HOST}:{sentinel.port}/mian") as store:
            with pytest.raises(StoreUnavailable, match="mian"):
                await begun(store, new_subject())

    async def test_one_that_was_relieved_without_hearing_of_it_is_left(self, servers: Fleet) -> None:
        primary, replica, address, sentinels = watched(servers)
        async with opened(address) as store:
            await begun(store, new_subject())
            [examination] = await examine(store.link)
            assert any("min-replicas-to-write 1" in each.mend for each in findings(examination, wall_clock()))
            wait_until(lambda: sentinels[0].ask("SENTINEL", "FAILOVER", "main") == "OK", "it begins")
            await until(lambda: "role:master" in replica.ask("INFO", "replication"), "the replica takes over", 30)
            async with asyncio.timeout(20):
                while not await is_written(store, replica):
                    await asyncio.sleep(0.01)
            assert "role:master" in primary.ask("INFO", "replication")
            await store.operations.grant(new_subject(), "gift", results=1)
            assert replica.ask("SCAN", "0", "MATCH", "*ledger", "COUNT", "1000").count("ledger") == 1

    async def test_nothing_is_written_to_one_that_was_relieved_while_it_hung(self, servers: Fleet) -> None:
        primary, replica, address, _ = watched(servers)
        async with opened(address) as store:
            subject = new_subject()
            await store.operations.grant(subject, "before", results=1)  # a connection of its own is kept for the next
            await store.payments.ledger(subject)
            wait_until(primary.is_copied, "the replica has it")
            primary.hang()
            await until(lambda: "role:master" in replica.ask("INFO", "replication"), "the replica takes over", 30)
            async with asyncio.timeout(20):
                while not await is_written(store, replica):
                    await asyncio.sleep(0.01)
            primary.go_on()
            await store.operations.grant(subject, "after", results=1)
            assert "role:master" in primary.ask("INFO", "replication")
            assert (await store.subjects.visit(subject)).credits == 2, "it is where everybody looks"
            assert len(await store.payments.ledger(subject)) == 2


def watched(servers: Fleet) -> tuple[Server, Server, str, list[Server]]:
    """A primary that can't be told that it is one no more, its replica, and the sentinels' address and they."""
    primary = servers.start("--rename-command", "SLAVEOF", "")
    replica = servers.start("--replicaof", HOST, str(primary.port))
    wait_until(lambda: "state=online" in primary.ask("INFO", "replication"), "the replica is there")
    sentinels = start_sentinels(servers, primary)
    for each in sentinels:
        wait_until(lambda each=each: "slaves=1" in each.ask("INFO", "sentinel"), "they know the replica")  # type: ignore[misc]
    return (
        primary,
        replica,
        "redis+sentinel://" + ",".join(f"{HOST}:{each.port}" for each in sentinels) + "/main",
        sentinels,
    )


async def is_written(store: Store, server: Server) -> bool:
    """Whether what is written now is at this server."""
    subject = new_subject()
    try:
        await begun(store, subject)
    except StoreUnavailable:
        return False
    return server.ask("EXISTS", subject_key(subject)) == "1"


class TestRole:
    async def test_a_replica_is_not_the_one_to_ask(self, servers: Fleet) -> None:
        primary, replica = servers.start(), servers.start()
        replica.ask("REPLICAOF", HOST, str(primary.port))
        async with opened(f"redis://{HOST}:{replica.port}") as store:
            with pytest.raises(StoreUnavailable, match="not the primary"):
                await store.subjects.visit(new_subject())
            replica.ask("REPLICAOF", "NO", "ONE")
            await recovers(store, new_subject())

    async def test_one_that_becomes_a_replica_is_left_and_found_again(self, servers: Fleet) -> None:
        primary, other = servers.start(), servers.start()
        async with opened(f"redis://{HOST}:{primary.port}") as store:
            subject = new_subject()
            await begun(store, subject)
            primary.ask("REPLICAOF", HOST, str(other.port))
            with pytest.raises(StoreUnavailable):
                await begun(store, new_subject())
            with pytest.raises(StoreUnavailable):
                await store.operations.grant(subject, "gift", results=1)
            await until(lambda: store.link.nodes[0].is_away, "it is left alone")
            primary.ask("REPLICAOF", "NO", "ONE")
            await recovers(store, subject)

    async def test_a_node_of_a_cluster_under_the_address_of_one_server_says_what_to_write(self, servers: Fleet) -> None:
        nodes = start_cluster(servers)
        async with opened(f"redis://{HOST}:{nodes[0].port}") as store:
            with pytest.raises(StoreUnavailable, match=r"redis\+cluster://"):
                await begun(store, _subjects_of(nodes[1]))


async def _settled_while_moving(store: Store, subject: Subject, move: Move) -> AsyncIterator[SettleOutcome | None]:
    """What becomes of the same report after each key that has moved; None where it could not be settled."""
    report = Settlement("e1", "p1", "c1", PRICE, "sandbox")
    move.begin()
    for key in move.left():
        move.take(key)
        try:
            yield await store.payments.settle(subject, report)
        except StoreUnavailable:
            yield None
    move.end()
    yield await store.payments.settle(subject, report)


def _subjects_of(node: Server) -> Subject:
    """A new subject whose keys this node has."""
    while True:
        subject = new_subject()
        if has_slot(node, key_slot(subject_key(subject).encode())):
            return subject


_NOW = 1
"""Any instant at which a trial that was just begun still runs."""
