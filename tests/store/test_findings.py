"""What is wrong with a server, out of what it says: faults that no server can be asked to have."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from gateway.core.finding import Finding, Gravity, Matter
from gateway.store.fitness.examination import Examination
from gateway.store.fitness.findings import findings

NOW = 1_795_700_000_000
INFO = {
    "connected_slaves": "0", "used_memory": "1000000", "maxmemory": "10000000", "maxmemory_policy": "noeviction",
    "aof_enabled": "1", "aof_last_write_status": "ok", "rdb_last_bgsave_status": "ok", "loading": "0",
}  # fmt: skip
SETTINGS = {"appendonly": "yes", "appendfsync": "everysec", "save": ""}
REDIS = Examination(
    "the store", version=(7, 2, 4), info=INFO, settings=SETTINGS, user="default", clock_ms=NOW, took_ms=1
)
OLD = {"WAITAOF": "unknown command 'WAITAOF', with args beginning with: '1' '0' '1' "}
DENIED = {"WAITAOF": "User x has no permissions to run the 'waitaof' command"}
FOLLOWED = {"connected_slaves": "1", "slave0": "ip=10.0.0.2,port=6379,state=online,offset=1,lag=0"}


def one(matter: Matter, now: int = NOW, **changed: Any) -> Finding:
    """The one finding about this."""
    changed["info"] = INFO | changed.get("info", {})
    [found] = [each for each in findings(replace(REDIS, **changed), now) if each.matter is matter]
    return found


def test_nothing_is_wrong_with_a_good_one() -> None:
    assert {each.gravity for each in findings(REDIS, NOW)} == {Gravity.GOOD}


@pytest.mark.parametrize(
    ("product", "version", "gravity", "text"),
    [
        ("Redis", (6, 2, 14), Gravity.FAULT, "Redis 6.2.14 is older than 7.0"),
        ("Redis", (7, 0, 0), Gravity.GOOD, "Redis 7.0.0 answers"),
        ("Redis", (8, 4), Gravity.GOOD, "Redis 8.4 answers"),
        ("Redis", (10, 0), Gravity.GOOD, "Redis 10.0 answers"),
        ("Valkey", (9, 1, 2), Gravity.GOOD, "Valkey 9.1.2 answers"),
        ("Redis", (), Gravity.UNKNOWN, "HELLO"),
    ],
)
def test_versions(product: str, version: tuple[int, ...], gravity: Gravity, text: str) -> None:
    found = one(Matter.STORE_VERSION, product=product, version=version)
    assert found.gravity is gravity and text in found.text


@pytest.mark.parametrize(
    ("ahead_ms", "took_ms", "gravity", "text"),
    [
        (0, 1, Gravity.GOOD, "agree"),
        (1_000, 1, Gravity.GOOD, "agree"),
        (1_001, 1, Gravity.WARNING, "1 s ahead of"),
        (-1_001, 1, Gravity.GOOD, "agree"),  # it may have been read a millisecond ago
        (-1_002, 1, Gravity.WARNING, "1 s behind"),
        (-4_000, 3_500, Gravity.GOOD, "agree"),  # a slow answer proves nothing
        (60_000, 1, Gravity.WARNING, "60 s ahead of"),
        (61_000, 1, Gravity.FAULT, "61 s ahead of"),
        (-7_200_000, 1, Gravity.FAULT, "7199 s behind"),
    ],
)
def test_clocks(ahead_ms: int, took_ms: int, gravity: Gravity, text: str) -> None:
    found = one(Matter.STORE_CLOCK, clock_ms=NOW + ahead_ms, took_ms=took_ms)
    assert found.gravity is gravity and text in found.text
    assert bool(found.mend) is (gravity is not Gravity.GOOD)


def test_a_clock_that_is_not_told() -> None:
    assert one(Matter.STORE_CLOCK, clock_ms=0, refused={"TIME": "NOPERM"}).gravity is Gravity.UNKNOWN


@pytest.mark.parametrize(
    ("refused", "settings", "info", "gravity", "text"),
    [
        ({}, {}, {}, Gravity.GOOD, "before anyone is told; it survives the end of the server and a power cut, not"),
        ({}, {}, FOLLOWED, Gravity.GOOD, "and a fail-over"),
        ({}, {}, {"connected_slaves": "1", "slave0": "ip=1,state=wait_bgsave"}, Gravity.GOOD, "no replica"),
        ({}, {"appendfsync": "no"}, {}, Gravity.FAULT, "every payment is refused"),
        ({}, {"appendonly": "no"}, {}, Gravity.FAULT, "nothing on a disk"),
        ({}, {"appendonly": "no"}, FOLLOWED, Gravity.FAULT, "a replica has a copy in its memory"),
        ({}, {"appendonly": "no", "save": "3600 1"}, {}, Gravity.FAULT, "snapshots only"),
        (OLD, {"appendfsync": "always"}, {}, Gravity.GOOD, "by appendfsync always"),
        (OLD, {}, {}, Gravity.FAULT, "up to a second"),
        (OLD, {"appendfsync": "no"}, {}, Gravity.FAULT, "up to half a minute"),
        (OLD, None, {}, Gravity.UNKNOWN, "its settings are not told"),
        (OLD, None, {"aof_enabled": "0"}, Gravity.FAULT, "does not keep payments on a disk"),
        (DENIED, {}, {}, Gravity.FAULT, "does not let itself be asked"),
        (DENIED, {"appendfsync": "always"}, {}, Gravity.GOOD, "always alone"),
    ],
)
def test_what_a_payment_survives(
    refused: dict[str, str], settings: dict[str, str] | None, info: dict[str, str], gravity: Gravity, text: str
) -> None:
    known = {} if settings is None else SETTINGS | settings
    found = one(Matter.STORE_PAYMENTS, refused=refused, settings=known, info=info)
    assert found.gravity is gravity and text in found.text
    assert bool(found.mend) is (gravity is not Gravity.GOOD)


@pytest.mark.parametrize(
    ("info", "gravity", "text"),
    [
        ({}, Gravity.GOOD, "976 KiB of 9 MiB"),
        ({"used_memory": "8999999"}, Gravity.GOOD, "of 9 MiB"),
        ({"used_memory": "9000000"}, Gravity.WARNING, "90 %"),
        ({"used_memory": "10000000"}, Gravity.FAULT, "full"),
        ({"maxmemory": "0", "total_system_memory": "1000001"}, Gravity.WARNING, "its machine's memory"),
        ({"maxmemory": "0", "total_system_memory": "8000000"}, Gravity.GOOD, "its machine's memory"),
        ({"maxmemory": "0"}, Gravity.GOOD, "without a limit"),
        ({"used_memory": "a lot"}, Gravity.UNKNOWN, "INFO"),
    ],
)
def test_memory(info: dict[str, str], gravity: Gravity, text: str) -> None:
    found = one(Matter.STORE_MEMORY, info=info)
    assert found.gravity is gravity and text in found.text


@pytest.mark.parametrize("policy", ["allkeys-lru", "volatile-ttl", "allkeys-random"])
def test_a_policy_that_evicts(policy: str) -> None:
    assert one(Matter.STORE_EVICTION, info={"maxmemory_policy": policy}).gravity is Gravity.FAULT
    unlimited = replace(REDIS, info=INFO | {"maxmemory": "0", "maxmemory_policy": policy})
    assert not [each for each in findings(unlimited, NOW) if each.matter is Matter.STORE_EVICTION]


@pytest.mark.parametrize(
    ("name", "gravity"), [("aof_last_write_status", Gravity.FAULT), ("rdb_last_bgsave_status", Gravity.WARNING)]
)
def test_a_disk_that_failed(name: str, gravity: Gravity) -> None:
    assert one(Matter.STORE_DISK, info={name: "err"}).gravity is gravity


@pytest.mark.parametrize(
    ("trouble", "mend"),
    [
        ("does not answer: Error 111 connecting to 10.0.0.5:6379", "is it running"),
        ("does not answer: WRONGPASS invalid username-password pair", "USER:PASSWORD"),
        ("does not answer: NOAUTH Authentication required.", "USER:PASSWORD"),
        ("does not answer: [SSL: CERTIFICATE_VERIFY_FAILED]", "TLS"),
        ("does not answer: max number of clients reached", "maxclients"),
    ],
)
def test_a_server_that_can_not_be_asked(trouble: str, mend: str) -> None:
    [found] = findings(Examination("the store", trouble=trouble), NOW)
    assert (found.gravity, found.matter) == (Gravity.FAULT, Matter.STORE)
    assert trouble in found.text and mend in found.mend


def test_a_sentinel_is_no_store() -> None:
    [found] = findings(Examination("the store", mode="sentinel"), NOW)
    assert found.gravity is Gravity.FAULT and "Sentinel" in found.text


def test_a_replica_that_does_not_tell_its_primary() -> None:
    found = one(Matter.STORE_ROLE, is_replica=True)
    assert found.gravity is Gravity.FAULT and "address of its primary in" in found.mend


@pytest.mark.parametrize(
    ("has_sentinels", "info", "settings", "is_warned_of"),
    [
        (True, FOLLOWED, {"min-replicas-to-write": "0"}, True),
        (True, FOLLOWED, {"min-replicas-to-write": "1"}, False),
        (True, FOLLOWED, {}, False),  # it is not told
        (True, {}, {"min-replicas-to-write": "0"}, False),  # the mend would stop every write
        (False, FOLLOWED, {"min-replicas-to-write": "0"}, False),
    ],
)
def test_one_that_writes_what_nobody_else_has(
    has_sentinels: bool, info: dict[str, str], settings: dict[str, str], is_warned_of: bool
) -> None:
    examination = replace(REDIS, has_sentinels=has_sentinels, info=INFO | info, settings=SETTINGS | settings)
    found = [each for each in findings(examination, NOW) if each.gravity is Gravity.WARNING]
    assert [each.matter for each in found] == [Matter.STORE_ROLE] * is_warned_of
    assert all("min-replicas-to-write 1" in each.mend for each in found)
