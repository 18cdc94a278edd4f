"""Each fault of a server, on servers that have it."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.core.finding import Finding, Gravity, Matter
from gateway.store.connection import open_store
from gateway.store.embedded.server_socket import Health
from gateway.store.fitness.examination import Examination, examine
from gateway.store.fitness.findings import findings
from gateway.store.fitness.rights import NEEDED
from gateway.wiring.assemble import wall_clock
from tests.docs.page import read
from tests.free_port import free_port

from .servers import KEEPING, Server, follow, serving

ALWAYS = (*KEEPING, "--appendfsync", "always")
ROOM = ("--maxmemory", "100mb")
STORE = Path(__file__).resolve().parents[2] / "gateway" / "store"


async def examination(url: str) -> Examination:
    store = open_store(url)
    try:
        [found] = await examine(store.link)
        return found
    finally:
        await store.stop()


async def found(url: str) -> dict[Matter, Finding]:
    """What is found there, by matter; the worst of each."""
    each = findings(await examination(url), wall_clock())
    assert not any(one.place in one.text for one in each)
    return {finding.matter: finding for finding in sorted(each, key=lambda one: list(Gravity).index(one.gravity))[::-1]}


def gravities(of: dict[Matter, Finding]) -> set[Gravity]:
    return {finding.gravity for finding in of.values()}


@pytest.fixture(scope="module", params=["valkey", "redis"])
def healthy(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with serving(request.param, tmp_path_factory.mktemp(request.param), *ALWAYS) as server:
        yield server


async def test_nothing_is_wrong_with_a_server_as_documented(healthy: Server) -> None:
    told = await found(healthy.url)
    assert gravities(told) == {Gravity.GOOD}
    assert "(no replica is connected)" in told[Matter.STORE_PAYMENTS].text
    version = healthy.info("server")
    assert version.get("valkey_version", version["redis_version"]) in told[Matter.STORE_VERSION].text


async def test_nothing_is_wrong_with_the_embedded_server(embedded_url: str) -> None:
    assert gravities(await found(embedded_url)) == {Gravity.GOOD}


async def test_asking_changes_nothing(healthy: Server) -> None:
    before = (
        healthy.info("keyspace"),
        healthy.info("persistence")["rdb_changes_since_last_save"],
        healthy.do("PUBSUB", "CHANNELS"),
    )
    await found(healthy.url)
    after = (
        healthy.info("keyspace"),
        healthy.info("persistence")["rdb_changes_since_last_save"],
        healthy.do("PUBSUB", "CHANNELS"),
    )
    assert after == before


NOT_KEEPING = ("--appendonly", "no")
FAULTS = {
    "nothing kept": ((*NOT_KEEPING, "--save", ""), Matter.STORE_PAYMENTS, "every payment is lost", "appendonly yes"),
    "snapshots": ((*NOT_KEEPING, "--save", "900 1"), Matter.STORE_PAYMENTS, "snapshots only", "appendonly yes"),
    "kept by chance": ((*KEEPING, "--appendfsync", "no"), Matter.STORE_PAYMENTS, "appendfsync is no", "appendfsync"),
    "evicts": ((*ALWAYS, *ROOM, "--maxmemory-policy", "allkeys-lru"), Matter.STORE_EVICTION, "-lru", "noeviction"),
    "full": ((*ALWAYS, "--maxmemory", "1024"), Matter.STORE_MEMORY, "its memory is full", "CONFIG SET maxmemory"),
    "cluster": ((*ALWAYS, "--cluster-enabled", "yes"), Matter.STORE_ROLE, "one node of a cluster", "redis+cluster://"),
}


@pytest.mark.parametrize("name", ["valkey", "redis"])
@pytest.mark.parametrize("fault", FAULTS)
async def test_a_fault_is_found_with_its_mend(name: str, fault: str, tmp_path: Path) -> None:
    settings, matter, text, mend = FAULTS[fault]
    with serving(name, tmp_path / "s", *settings) as server:
        told = await found(server.url)
    assert [each.matter for each in told.values() if each.gravity is Gravity.FAULT] == [matter]
    assert text in told[matter].text and mend in told[matter].mend


@pytest.mark.parametrize(("name", "gravity"), [("valkey", Gravity.GOOD), ("redis", Gravity.FAULT)])
async def test_a_disk_a_second_behind_is_good_where_it_can_be_waited_for(
    name: str, gravity: Gravity, tmp_path: Path
) -> None:
    with serving(name, tmp_path / "s", *KEEPING, "--appendfsync", "everysec") as server:
        payments = (await found(server.url))[Matter.STORE_PAYMENTS]
    assert payments.gravity is gravity
    assert ("older than Redis 7.2" in payments.text) is (gravity is Gravity.FAULT)


async def test_a_policy_without_a_limit_evicts_nothing(tmp_path: Path) -> None:
    with serving("valkey", tmp_path / "s", *ALWAYS, "--maxmemory-policy", "allkeys-lru") as server:
        assert Matter.STORE_EVICTION not in await found(server.url)


async def test_a_memory_that_is_nearly_full_is_warned_of(tmp_path: Path) -> None:
    with serving("valkey", tmp_path / "s", *ALWAYS, *ROOM) as server:
        assert (await found(server.url))[Matter.STORE_MEMORY].gravity is Gravity.GOOD
        server.do("SET", "much", b"x" * 40_000_000)
        server.do("CONFIG", "SET", "maxmemory", int(server.info("memory")["used_memory"] * 1.05))
        memory = (await found(server.url))[Matter.STORE_MEMORY]
    assert memory.gravity is Gravity.WARNING and "95 %" in memory.text


async def test_a_replica_is_told_from_its_primary(healthy: Server, tmp_path: Path) -> None:
    port = free_port()
    with (
        serving("redis", tmp_path / "primary", *ALWAYS, "--port", str(port)) as primary,
        serving("redis", tmp_path / "replica", *ALWAYS) as replica,
    ):
        follow(replica, port, primary)
        told = await found(replica.url)
        assert told[Matter.STORE_ROLE].gravity is Gravity.FAULT
        assert f"127.0.0.1:{port}" in told[Matter.STORE_ROLE].mend and Matter.STORE_PAYMENTS not in told
        told = await found(primary.url)
        assert gravities(told) == {Gravity.GOOD} and "a fail-over" in told[Matter.STORE_PAYMENTS].text


async def test_a_server_that_loads_says_so(tmp_path: Path) -> None:
    with serving("valkey", tmp_path / "s", "--save", "900 1") as server:
        for number in range(200):
            server.do("SET", number, os.urandom(1500))
        server.do("SAVE")
    # Microseconds for each key; between them it answers.
    slowly = ("--key-load-delay", "100000", "--loading-process-events-interval-bytes", "1024")
    with serving("valkey", tmp_path / "s", *slowly, health=Health.LOADING) as server:
        told = await found(server.url)
    assert list(told) == [Matter.STORE] and "reads its data" in told[Matter.STORE].text


async def test_a_server_that_is_away_and_one_that_knows_us_not(healthy: Server, tmp_path: Path) -> None:
    away = (await found(f"unix://{tmp_path}/none"))[Matter.STORE]
    assert away.gravity is Gravity.FAULT and "is it running" in away.mend
    stranger = (await found(healthy.url_of("nobody:secret-word")))[Matter.STORE]
    assert stranger.gravity is Gravity.FAULT and "USER:PASSWORD" in stranger.mend and "secret-word" not in str(stranger)


class TestRights:
    """Of the gateway's user there."""

    @pytest.fixture
    def user(self, healthy: Server) -> Iterator[str]:
        yield "limited"
        healthy.do("ACL", "DELUSER", "limited")

    @staticmethod
    def allow(server: Server, *rules: str) -> None:
        server.do("ACL", "SETUSER", "limited", "reset", "on", ">word", *rules)

    @pytest.mark.parametrize(
        ("rules", "missing"),
        [
            (("+@all", "-persist", "-eval", "~*", "&*"), ["PERSIST", "EVAL"]),
            (("+@all", "~pw:*", "&*"), ["the keys"]),
            (("+@all", "~*", "resetchannels"), ["the channels"]),
            (("+@read", "+acl", "+info", "+config", "~other", "&other"), ["HSET", "the keys"]),
        ],
    )
    async def test_what_is_missing_is_found_and_the_mend_mends_it(
        self, healthy: Server, user: str, rules: tuple[str, ...], missing: list[str]
    ) -> None:
        self.allow(healthy, *rules)
        rights = (await found(healthy.url_of("limited:word")))[Matter.STORE_RIGHTS]
        assert rights.gravity is Gravity.FAULT and all(word in rights.text for word in missing)
        for _ in range(2):  # channels show only when the commands for them are allowed
            if rights.gravity is Gravity.FAULT:
                healthy.do(*rights.mend.partition(", then ")[0].split())
                rights = (await found(healthy.url_of("limited:word")))[Matter.STORE_RIGHTS]
        assert rights.gravity is Gravity.GOOD

    async def test_where_it_may_not_be_asked_it_says_what_it_cannot_tell(self, healthy: Server, user: str) -> None:
        self.allow(healthy, "+@all", "-config", "-info", "-acl", "~*", "&*")
        told = await found(healthy.url_of("limited:word"))
        assert gravities(told) == {Gravity.GOOD, Gravity.UNKNOWN}
        unknown = {matter for matter, each in told.items() if each.gravity is Gravity.UNKNOWN}
        assert unknown == {Matter.STORE_PAYMENTS, Matter.STORE_MEMORY, Matter.STORE_RIGHTS}
        assert all(each.mend for each in told.values() if each.gravity is Gravity.UNKNOWN)

    async def test_the_disk_is_known_without_config_and_info_where_it_can_be_waited_for(self, tmp_path: Path) -> None:
        with serving("valkey", tmp_path / "s", "--appendonly", "no") as server:
            self.allow(server, "+@all", "-config", "-info", "~*", "&*")
            assert (await found(server.url_of("limited:word")))[Matter.STORE_PAYMENTS].gravity is Gravity.FAULT

    async def test_the_rights_that_the_documentation_gives_are_enough(self, healthy: Server, user: str) -> None:
        [line] = re.findall(r"^ACL SETUSER gateway (.*)$", read("operations.md"), re.MULTILINE)
        self.allow(healthy, *line.replace("on >PASSWORD ", "").split())
        assert gravities(await found(healthy.url_of("limited:word"))) == {Gravity.GOOD}

    def test_every_command_that_is_used_is_among_the_needed(self) -> None:
        lua = "".join(file.read_text() for file in STORE.glob("verbs/**/*.lua"))
        python = "".join(
            file.read_text() for file in STORE.rglob("*.py") if file.name not in ("rights.py", "examination.py")
        )
        used = set(re.findall(r"redis\.p?call\('([A-Z]+)'", lua)) | {"SUBSCRIBE"}
        used |= set(
            re.findall(
                r"(?:ask\(\(|inquire\(|_ask\(connection, |return \(|^ +\()\"([A-Z]{3,})",
                python,
                re.M,
            )
        )
        assert {str(name) for name, *_ in NEEDED} == used - {"INFO", "WAIT", "ROLE", "CLUSTER", "SCAN"}
