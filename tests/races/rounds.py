"""Round after round, each with a person of its own, and what must hold of each."""

from __future__ import annotations

import asyncio
import json
import os
import random
import signal
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from gateway.core.subject import Subject, SubjectKind
from gateway.store.connection import Store, open_store
from tests.restarts.rig import Gateway, started, store_and_application

from .crowd import Had, Leaving, crowd

GRACE = 5
Tell = Callable[[int], None]
_LOOK_SECONDS = 0.1
_STORE_IS_LATE = "503 store-unavailable"
_ASKED_AGAIN = 5
_CALM_LOOKS = 3
"""So often in a row nothing may change before it counts as settled."""
_CONFIG = """\
workers: {workers}
data: "{data}"
store: "{store}"
secret: {{env: RESTARTS_SECRET}}
upstream: {{url: "{upstream}", max_connections: 1000}}
trusted_proxies: [127.0.0.1/32]
log: {{format: json}}
identity:
  - header: {{name: x-user-id}}
  - visitor: {{}}
trial: {{length: 0s}}
plans:
  - {{id: month, name: Thirty days, price: 19.00 USD, gives: 30d}}
routes:
  - {{path: "/metered/**", class: result, mode: block, grace: {grace} per 30d, name: metered}}
  - {{path: "/**", class: open}}
"""


@dataclass(frozen=True)
class Plan:
    """How much of it."""

    rounds: int = 1000
    clients: int = 200
    workers: int = 4
    leaving: float = 0.3
    """The part that leaves at the least, in rounds in which no worker is killed; at the most, all leave."""
    kill_every: int = 40
    seed: int = 1
    settle_seconds: float = 30.0
    """What is not settled by then is wrong."""
    free: int = GRACE
    """What the gateway's config says. Another number than is expected shows that it would be noticed."""


@dataclass
class Report:
    """What came of it."""

    rounds: int = 0
    clients: int = 0
    left: int = 0
    kills: int = 0
    delivered: int = 0
    given_back: int = 0
    """Taken and, since nobody had them, to be had again within their round."""
    turned_away: int = 0
    """Told that the store does not answer in time, as it may be where a machine has too much to do. They had nothing,
    and have spent nothing, like everybody else who was refused."""
    most: int = 0
    """Delivered in one round in which no worker was killed."""
    wrong: list[str] = field(default_factory=list)


class Rounds:
    """All of them, on one gateway."""

    def __init__(self, gateway: Gateway, store: Store, plan: Plan) -> None:
        self._gateway, self._store, self._plan = gateway, store, plan
        self._dice = random.Random(plan.seed)
        self._logged: Counter[int] = Counter()
        self._read = 0
        self.report = Report()

    async def run(self, tell: Tell) -> None:
        """Each settles while the next one goes on, but none while a worker is killed: its log would be cut."""
        every = self._plan.kill_every or self._plan.rounds
        for begin in range(0, self._plan.rounds, every):
            end = min(begin + every, self._plan.rounds)
            last = end - 1 if self._plan.kill_every and end - begin == every else end
            async with asyncio.TaskGroup() as settling:
                for number in range(begin, last):
                    settling.create_task(self._after(number, self._note(await self._round(number))))
                    tell(number)
            if last < end:
                await self._after_kill(last, self._note(await self._round_with_kill(last)))

    def _note(self, had: list[Had]) -> list[Had]:
        self.report.rounds += 1
        self.report.clients += len(had)
        self.report.left += sum(each.leaving is not Leaving.NEVER for each in had)
        return had

    async def _round(self, number: int) -> list[Had]:
        leaving = self._dice.uniform(self._plan.leaving, 1.0)
        return await crowd(self._gateway.port, _person(number), number, self._plan.clients, leaving, self._dice)

    async def _round_with_kill(self, number: int) -> list[Had]:
        """Nobody leaves of their own accord, so that who had nothing was given nothing."""
        pids = await asyncio.to_thread(self._gateway.pids)
        asking = asyncio.create_task(
            crowd(self._gateway.port, _person(number), number, self._plan.clients, 0.0, self._dice)
        )
        await asyncio.sleep(self._dice.uniform(0, 0.2))
        os.kill(self._dice.choice(pids), signal.SIGKILL)
        self.report.kills += 1
        had = await asking
        while len(await asyncio.to_thread(self._gateway.pids)) < self._plan.workers:
            await asyncio.sleep(_LOOK_SECONDS)
        return had

    async def _after(self, number: int, had: list[Had]) -> None:
        used, delivered = await self._settled(number)
        received = sum(each.status == 200 and each.body > 0 for each in had)
        strange = Counter(each.why for each in had if each.status not in (0, 200, 402))
        self.report.turned_away += strange.pop(_STORE_IS_LATE, 0)
        cut = sum(each.cut or (each.status == 200 and not each.whole) for each in had if each.leaving is Leaving.NEVER)
        self.report.delivered += delivered
        self.report.most = max(self.report.most, delivered)
        self._check(number, delivered <= GRACE, f"{delivered} were delivered of {GRACE}")
        self._check(number, received <= delivered, f"{received} had something, {delivered} were delivered")
        self._check(number, used == delivered, f"{used} are spent, {delivered} were delivered")
        self._check(number, not strange and not cut, f"answered {dict(strange)}, {cut} cut")
        before = delivered
        for _ in range(_ASKED_AGAIN):  # what is given back behind the last request can be had by the next
            await self._use_up(number)
            used, delivered = await self._settled(number)
            if used == delivered == GRACE:
                break
        self.report.given_back += delivered - before
        self._check(number, used == delivered == GRACE, f"in the end {used} are spent and {delivered} were delivered")

    async def _after_kill(self, number: int, had: list[Had]) -> None:
        used, _ = await self._settled(number, by_log=False)
        received = sum(each.status == 200 and each.body > 0 for each in had)
        cut = sum(each.cut for each in had)
        self._check(number, used <= min(received, GRACE), f"{used} are spent, {received} had something")
        self._check(number, received <= GRACE + min(cut, GRACE), f"{received} had something, {cut} were cut")
        more = await self._use_up(number)
        self._check(number, more == GRACE - used, f"{more} more could be had after {used} were spent")

    def _check(self, number: int, holds: bool, otherwise: str) -> None:
        if not holds:
            self.report.wrong.append(f"round {number}: {otherwise}")

    async def _settled(self, number: int, *, by_log: bool = True) -> tuple[int, int]:
        """What is spent and what was delivered, once they are equal and stay so; without the log, once they stay."""
        loop = asyncio.get_running_loop()
        end, calm, before = loop.time() + self._plan.settle_seconds, 0, (-1, -1)
        while True:
            now = (await self._used(number), self._delivered(number))
            calm = calm + 1 if now == before and (now[0] == now[1] or not by_log) else 0
            if calm >= _CALM_LOOKS * (1 if by_log else 10) or loop.time() > end:
                return now
            before = now
            await asyncio.sleep(_LOOK_SECONDS)

    async def _used(self, number: int) -> int:
        exported = await self._store.operations.export(Subject(SubjectKind.PERSON, _person(number)))
        grace = exported["grace"]
        assert isinstance(grace, dict)
        return len(grace.get("metered", {}))

    def _delivered(self, number: int) -> int:
        lines = self._gateway.output
        end = len(lines)
        for line in lines[self._read : end]:
            entry = json.loads(line)
            if entry["reason"] == "grace" and entry["bytes"] > 0:
                self._logged[int(entry["path"].split("/")[2])] += 1
        self._read = end
        return self._logged[number]

    async def _use_up(self, number: int) -> int:
        """Ask until there is none; how many there were."""
        for more in range(GRACE + 1):
            (had,) = await crowd(self._gateway.port, _person(number), number, 1, 0.0, self._dice)
            if not had.whole:
                return more
        return GRACE + 1


async def run(folder: Path, plan: Plan, tell: Tell, beforehand: str = "") -> Report:
    """All rounds on a gateway of their own."""
    with store_and_application(folder, __package__ or "") as (store_url, upstream):
        config = _CONFIG.format(
            workers=plan.workers, data=folder / "data", store=store_url, upstream=upstream, grace=plan.free
        )
        environment = {"RESTARTS_SECRET": "s" * 40}
        if beforehand:
            (folder / "python").mkdir()
            (folder / "python/sitecustomize.py").write_text(beforehand)
            environment["PYTHONPATH"] = os.pathsep.join([str(folder / "python"), os.environ.get("PYTHONPATH", "")])
        gateway = Gateway(folder, config, environment=environment)
        with started([gateway]):
            store = open_store(store_url)
            rounds = Rounds(gateway, store, plan)
            try:
                await rounds.run(tell)
            finally:
                await store.stop()
    return rounds.report


def _person(number: int) -> str:
    return f"person-{number}"
