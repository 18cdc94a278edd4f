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
from .message import Question, Seen, Told, Unreadable
from .questions import Habits
from .rig import EXACT, Passage, beside_the_loop, framework

MOST = 100
"""So many differences are enough: then it ends."""
_AT_ONCE = 6

Tell = Callable[[int], None]


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
        async with ExactApplication.running() as application:
            yield Site(name, application.port, Habits(exact=True), application)
        return
    async with beside_the_loop(framework(name, folder)) as (server, habits):
        yield Site(name, server.port, habits)


async def compare_all(
    site: Site, passages: list[Passage], numbers: Iterable[int], seed: int, done: Tell = lambda _: None
) -> list[Difference]:
    """Do these exchanges by every passage, the direct one first; where they differ.

    `done` is called with how many are done so far.
    """
    remaining = iter(numbers)
    found: list[Difference] = []
    count = 0

    async def work() -> None:
        nonlocal count
        ways = [(passage, Client(passage.port)) for passage in passages]
        try:
            for number in remaining:
                if len(found) >= MOST:
                    return
                found.extend(await _compare(site, ways, number, seed))
                count += 1
                done(count)
        finally:
            for _, client in ways:
                client.close()

    async with asyncio.TaskGroup() as group:
        for _ in range(_AT_ONCE):
            group.create_task(work())
    return found


@dataclass(frozen=True, slots=True)
class _Done:
    """One exchange done by one passage."""

    answer: Seen
    asked: list[Seen]
    """What reached the application, where it can tell."""


async def _compare(site: Site, ways: list[tuple[Passage, Client]], number: int, seed: int) -> list[Difference]:
    question, told = exchange(seed, number, site.habits)
    direct: _Done | None = None
    found = []
    for passage, client in ways:
        try:
            done = await _do(site, client, number, question, told, forgiving=passage is ways[0][0])
        except Unreadable as error:
            found.append(Difference(site.name, passage.name, number, [f"no good answer: {error}"]))
            continue
        if direct is None:
            direct = done
            continue
        said = _in_answers(site, question, passage, direct, done)
        if site.exact is not None:
            said += _in_requests(site, told, passage, direct, done)
        if said:
            found.append(Difference(site.name, passage.name, number, said))
    return found


async def _do(site: Site, client: Client, number: int, question: Question, told: Told, forgiving: bool) -> _Done:
    if site.exact is None:
        return _Done(await client.ask(question, forgiving=forgiving), [])
    key = b"%d" % number
    site.exact.told[key] = told
    try:
        return _Done(await client.ask(question, forgiving=forgiving), site.exact.seen[key])
    finally:
        del site.exact.told[key]
        site.exact.seen.pop(key, None)


def _in_answers(site: Site, question: Question, passage: Passage, direct: _Done, done: _Done) -> list[str]:
    wanted = documented.answer(direct.answer, question, passage.on_result_route)
    if question.version == b"1.0" and site.exact is None:
        # A framework frames for the version it is asked in, and that is one of the gateway's changes.
        wanted.framing = done.answer.framing
    found = differences(wanted, done.answer, dates_differ=site.exact is None)
    return [f"answer: {each}" for each in found]


def _in_requests(site: Site, told: Told, passage: Passage, direct: _Done, done: _Done) -> list[str]:
    if len(done.asked) != 1:
        return [f"the application was asked {len(done.asked)} times"]
    if told.early:
        return []  # nobody read the request to its end
    wanted = documented.request(direct.asked[0], passage.trusted, b"localhost:%d" % site.port)
    return [f"request: {each}" for each in differences(wanted, done.asked[0])]
