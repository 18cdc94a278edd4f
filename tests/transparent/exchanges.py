"""The first oracle: every exchange is done without a gateway and through it, and nothing undocumented may differ."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from . import documented
from .client import Client
from .compare import differences
from .exact import ExactApplication
from .generate import exchange
from .message import Question, Seen, Unreadable
from .questions import Habits
from .rig import EXACT, Passage, framework

_AT_ONCE = 6


@dataclass(frozen=True, slots=True)
class Difference:
    """What was not the same through one passage in one exchange."""

    application: str
    passage: str
    number: int
    found: list[str]

    def __str__(self) -> str:
        return f"{self.application}, {self.passage}, exchange {self.number}: " + "; ".join(self.found)


@dataclass(slots=True)
class Site:
    """An application that is asked, and what it heard where it can tell."""

    name: str
    port: int
    habits: Habits
    exact: ExactApplication | None = None


@contextlib.asynccontextmanager
async def site(name: str, folder: Path) -> AsyncIterator[Site]:
    """One of the rig's applications, running. Raises `Absent` or `StartFailed`."""
    if name == EXACT:
        async with ExactApplication() as application:
            yield Site(name, application.port, Habits(exact=True), application)
        return
    starting = framework(name, folder)
    server, habits = await asyncio.to_thread(starting.__enter__)
    try:
        yield Site(name, server.port, habits)
    finally:
        await asyncio.to_thread(starting.__exit__, None, None, None)


async def compare_all(
    site: Site, passages: list[Passage], numbers: Iterable[int], seed: int, done: Callable[[], None] = lambda: None
) -> list[Difference]:
    """Do these exchanges by every passage, the direct one first; where they differ. `done` is called after each."""
    remaining = iter(numbers)
    found: list[Difference] = []

    async def work() -> None:
        clients = [Client(passage.port) for passage in passages]
        try:
            for number in remaining:
                found.extend(await _compare(site, list(zip(passages, clients, strict=True)), number, seed))
                done()
        finally:
            for client in clients:
                client.close()

    async with asyncio.TaskGroup() as group:
        for _ in range(_AT_ONCE):
            group.create_task(work())
    return found


async def _compare(site: Site, ways: list[tuple[Passage, Client]], number: int, seed: int) -> list[Difference]:
    question, told = exchange(seed, number, site.habits)
    key = b"%d" % number
    if site.exact is not None:
        site.exact.told[key] = told
    direct: tuple[Seen, list[Seen]] | None = None
    found = []
    for passage, client in ways:
        try:
            answer = await client.ask(question, may_repeat=direct is None)
        except Unreadable as error:
            found.append(Difference(site.name, passage.name, number, [f"no good answer: {error}"]))
            continue
        finally:
            heard = site.exact.seen.pop(key, []) if site.exact is not None else []
        if passage is ways[0][0]:
            direct = answer, heard
        elif direct is not None:
            said = _differences(question, passage, direct, (answer, heard), early=told.early, exact=site.exact is not None)
            if said:
                found.append(Difference(site.name, passage.name, number, said))
    if site.exact is not None:
        del site.exact.told[key]
    return found


def _differences(
    question: Question,
    passage: Passage,
    direct: tuple[Seen, list[Seen]],
    got: tuple[Seen, list[Seen]],
    early: bool,
    exact: bool,
) -> list[str]:
    wanted = documented.answer(direct[0], question, passage.on_result_route)
    said = [f"answer: {each}" for each in differences(wanted, got[0], dates_differ=not exact)]
    if exact:
        if len(got[1]) != 1:
            said.append(f"the application was asked {len(got[1])} times")
        for seen in [] if early else got[1][:1]:
            said += [f"request: {each}" for each in differences(documented.request(direct[1][0]), seen)]
    return said
