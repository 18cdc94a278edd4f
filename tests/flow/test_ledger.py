"""`paywall ledger …`, as somebody uses it who wants to know whether all the money is there."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.core.money import Money
from gateway.core.subject import Subject
from gateway.ports.cashbook import CheckoutRecord, Settlement
from gateway.store.connection import Store, open_store
from gateway.store.keys import payment_claim, subject_key
from tests.store.servers import Server, serving

from .conftest import CONFIG, Paywall

ANN, BOB = Subject.parse("person:ann"), Subject.parse("person:bob")
PACK = CheckoutRecord("c", "offer", "pack", Money(1000, "USD"), "sandbox", results=5)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    with serving("redis", tmp_path / "server") as running:
        yield running


@pytest.fixture
def file(tmp_path: Path, server: Server) -> Path:
    (tmp_path / "shared").write_text("x" * 32)
    file = tmp_path / "paywall.yaml"
    config = CONFIG.format(upstream="http://127.0.0.1:9", data=tmp_path / "data")
    file.write_text(config + f"store: {server.url}\nsecret: {{file: {tmp_path}/shared}}\n")
    return file


async def two_pay(store: Store) -> None:
    for who in (ANN, BOB):
        await store.payments.open_checkout(who, PACK, 0)
        await store.payments.settle(who, Settlement(f"e-{who}", f"p-{who}", "c", PACK.price, "sandbox"))
    await store.operations.grant(BOB, "gift", results=1)


async def a_credit_from_nowhere(store: Store) -> None:
    await store.link.ask(("HINCRBY", subject_key(BOB), "cr", 1))


def at(server: Server, *work: object) -> None:
    async def run() -> None:
        store = open_store(server.url)
        try:
            for each in work:
                await each(store)  # type: ignore[operator]
        finally:
            await store.stop()

    asyncio.run(run())


def test_all_of_it_adds_up(paywall: Paywall, server: Server, file: Path) -> None:
    at(server, two_pay)
    done = paywall("ledger", "verify", file)
    assert done.code == 0
    assert done.output.split() == ["grant", "1", "payment", "2", "paid", "20.00", "USD"]
    assert "every balance of 2 subjects follows from its ledger" in done.messages


def test_what_does_not_add_up_is_told_with_its_subject(paywall: Paywall, server: Server, file: Path) -> None:
    at(server, two_pay, a_credit_from_nowhere)
    done = paywall("ledger", "verify", file)
    assert done.code == 1
    assert done.output.splitlines()[0] == "person:bob: credits is 7, and by the ledger 6"
    assert "1 of 2 do not agree" in done.messages and "person:ann" not in done.output
    found = json.loads(paywall("ledger", "verify", file, "--json").output)
    assert found["wrong"] == {"person:bob": ["credits is 7, and by the ledger 6"]}
    assert (found["subjects"], found["paid"]) == (2, {"USD": 2000})


def test_all_entries_are_printed_for_the_accounts(paywall: Paywall, server: Server, file: Path) -> None:
    at(server, two_pay)
    entries = [json.loads(line) for line in paywall("ledger", "export", file).output.splitlines()]
    assert sorted((each["subject"], each["kind"], each.get("amount")) for each in entries) == [
        ("person:ann", "payment", 1000),
        ("person:bob", "grant", None),
        ("person:bob", "payment", 1000),
    ]


STRANGE = "p-\ud800\x1b[2J\nperson:ann: paid"


async def one_pays_with_a_strange_id(store: Store) -> None:
    """A provider's JSON may say `"\\ud800"`, which no encoding can print."""
    await store.payments.open_checkout(ANN, PACK, 0)
    await store.payments.settle(ANN, Settlement("e", STRANGE, "c", PACK.price, "sandbox"))
    (bucket, digest) = payment_claim("sandbox", STRANGE, "")
    await store.link.ask(("HDEL", bucket, digest))


def test_a_payment_whose_id_is_no_text_is_told_like_any_other(paywall: Paywall, server: Server, file: Path) -> None:
    at(server, one_pays_with_a_strange_id)
    (entry,) = [json.loads(line) for line in paywall("ledger", "export", file).output.splitlines()]
    assert entry["payment"] == STRANGE
    (line, *_) = paywall("ledger", "verify", file).output.splitlines()
    assert line == r"person:ann: payment p-\ud800\x1b[2J\nperson:ann: paid is claimed by nobody"
    shown = paywall("subject", "show", "ann", "--config", file)
    assert shown.code == 0 and r"payment=p-\ud800\x1b[2J\nperson:ann: paid" in shown.output
    assert json.loads(paywall("subject", "export", "ann", "--config", file).output)["ledger"][0]["payment"] == STRANGE


def test_a_store_that_is_away_is_told_in_a_sentence(paywall: Paywall, server: Server, file: Path) -> None:
    server.process.kill()
    server.process.wait()
    done = paywall("ledger", "verify", file)
    assert (done.code, done.output, len(done.messages.splitlines())) == (1, "", 1)
    assert "the store can't be reached" in done.messages
