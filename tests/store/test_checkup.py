"""What is wrong with the server is told while the gateway runs: once, at the start if it can be."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway.store.connection import open_store
from gateway.store.fitness import checkup

from .conftest import until
from .servers import KEEPING, serving


async def test_faults_are_told_before_any_payment_once_and_again_when_they_come_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checkup, "EVERY_SECONDS", 0.02)
    told: list[str] = []
    with serving("valkey", tmp_path / "s", "--appendonly", "no", "--save", "") as server:
        store = open_store(server.url)
        await store.start(told.append)
        await until(lambda: bool(told), "it is told")
        assert told[0].startswith("FAULT: the store at unix://") and "every payment is lost" in told[0]
        assert store.warnings() == [told[0].removeprefix("FAULT: ")]
        server.do("CONFIG", "SET", "appendonly", "yes")
        await until(lambda: store.warnings() == [], "it is mended")
        assert len(told) == 1
        server.do("CONFIG", "SET", "appendonly", "no")
        await until(lambda: len(told) == 2, "it is told again")
        server.do("CONFIG", "SET", "save", "900 1")
        await until(lambda: "snapshots only" in "".join(store.warnings()), "the newest words are those of /status")
        assert len(told) == 2, "it is the same trouble"
        await store.stop()


async def test_a_server_that_comes_late_is_examined_when_it_comes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checkup, "_AGAIN_SECONDS", 0.02)
    told: list[str] = []
    (tmp_path / "s").mkdir()
    store = open_store(f"unix://{tmp_path}/s/s")
    await store.start(told.append)
    assert told == [] and store.warnings() == []
    with serving("redis", tmp_path / "s", *KEEPING, "--appendfsync", "everysec"):
        await until(lambda: bool(told), "it is told")
        assert "older than Redis 7.2" in told[0]
        await store.stop()


async def test_a_good_server_is_not_worth_a_word(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checkup, "EVERY_SECONDS", 0.01)
    told: list[str] = []
    with serving("valkey", tmp_path / "s", *KEEPING) as server:
        store = open_store(server.url)
        await store.start(told.append)
        await until(lambda: server.info("commandstats").get("cmdstat_acl|whoami", {"calls": 0})["calls"] > 2, "asked")
        assert told == [] and store.warnings() == []
        await store.stop()


async def test_a_store_that_nobody_asked_to_watch_is_not_examined(tmp_path: Path) -> None:
    with serving("valkey", tmp_path / "s", "--appendonly", "no") as server:
        store = open_store(server.url)
        await store.start()
        assert await store.ping()
        await store.stop()
        assert "cmdstat_acl|whoami" not in server.info("commandstats")
