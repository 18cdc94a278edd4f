"""Results that are to be given back while the store takes nothing: none is lost, and they do not all ask at once."""

from __future__ import annotations

import asyncio

from gateway.access.returns import FIRST_PAUSE, Returns
from gateway.core.decision import Purse
from gateway.core.keyring import Keyring
from gateway.core.quantity import DAY, Allowance
from gateway.core.subject import Subject
from gateway.ports.journal import NOWHERE, Withdrawal
from gateway.ports.state import GraceAsked
from gateway.store.connection import Store

COUNT = 40
GRACE = GraceAsked("exports", Allowance(COUNT, DAY))


class Unwritten:
    """The port `Journal`, of a process that is not killed."""

    def note(self, withdrawal: Withdrawal) -> int:
        return NOWHERE

    def cross_out(self, place: int) -> None:
        pass


async def everywhere(store: Store, *command: str) -> list[str]:
    """What every server answers."""
    answers = [(await node.ask(command))[0] for node in store.link.nodes]
    return [answer.decode() for answer in answers]


async def attempts(store: Store) -> int:
    """How often a verb was run, or was to be run."""
    told = "\n".join(await everywhere(store, "INFO", "commandstats"))
    lines = [each.partition(":")[2] for each in told.splitlines() if each.startswith("cmdstat_evalsha:")]
    numbers = [dict(each.split("=") for each in line.split(",")) for line in lines]
    return sum(int(each[name]) for each in numbers for name in ("calls", "rejected_calls", "failed_calls"))


async def test_they_come_back_one_after_the_other(store: Store, subject: Subject) -> None:
    returns = Returns(store.subjects, Unwritten(), store.events, Keyring(b"s" * 32), lambda: 1)
    names = [f"op-{number}" for number in range(COUNT)]
    for name in names:
        await store.subjects.take(subject, Purse.GRACE, name, GRACE)
    await everywhere(store, "CONFIG", "SET", "min-replicas-to-write", "1")
    try:
        before = await attempts(store)
        back = [
            asyncio.create_task(returns.give_back(Withdrawal(subject, Purse.GRACE, name, "exports", "report"), "left"))
            for name in names
        ]
        await asyncio.sleep(10 * FIRST_PAUSE)
        assert not any(task.done() for task in back)
        assert await attempts(store) - before < 2 * (COUNT + 20), "each is counted twice where it fails"
    finally:
        await everywhere(store, "CONFIG", "SET", "min-replicas-to-write", "0")
    await asyncio.wait_for(asyncio.gather(*back), 20)
    assert (await store.subjects.visit(subject, grace=GRACE)).grace_used == 0
