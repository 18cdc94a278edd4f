"""The third oracle: an application ends connections at the worst moment, and nothing is done twice or mixed up."""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from enum import Enum

from .client import Client
from .listening import listening
from .message import Framing, Question, Seen, Told, Unreadable, read_body, read_question

CONNECTIONS = 8

_ROUTES = """\
trusted_proxies: [127.0.0.1/32]
identity:
  - header: {name: x-user-id}
trial: {length: TRIAL, starts: first-visit}
results_after_trial: {mode: block, grace: 1000000 per 30d}
routes:
  - {path: "/result/**", class: result, name: result}
  - {path: "/action/**", class: action, name: action}
  - {path: "/exempt/**", class: exempt, name: exempt}
  - {path: "/**", class: open, name: open}
"""


def routes(trial: str) -> str:
    """The rest of a gateway's config. Everybody is on trial for so long, and after it has results to spend."""
    return _ROUTES.replace("TRIAL", trial)


_SAFE = (b"GET", b"HEAD", b"OPTIONS")
_METHODS = (*_SAFE, b"GET", b"POST", b"PUT", b"PATCH", b"DELETE")
_COUNTED = ("action", "result")
_CLASSES = ("open", "open", "exempt", *_COUNTED)
"""The last one is not asked by methods that yield no result: whoever must spend one for it is sent to pay."""


class Fate(Enum):
    """What becomes of a connection that served a request well, when the next one comes or is about to."""

    NONE = "goes on"
    IDLE_END = "ends after a moment, which may be the one in which a request is sent"
    UNREAD = "ends when a request comes, before it is looked at"
    UNANSWERED = "ends after a request was read, and acted on"
    HALF_HEAD = "ends within the head of the answer"
    HALF_BODY = "ends within the body of the answer"
    LAST_BYTE = "ends before the last byte of the answer"


_FATES = tuple(fate for fate in Fate if fate is not Fate.NONE)


class Fickle:
    """The application. `acted` has, by the nonce of a request, what became of it each time that it was acted on."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(f"{seed}/fickle")
        self.acted: defaultdict[bytes, list[Fate]] = defaultdict(list)
        self.met: Counter[Fate] = Counter()
        """How often which fate met a connection."""
        self.complaints: list[str] = []
        self.port = 0

    @classmethod
    @contextlib.asynccontextmanager
    async def running(cls, seed: int) -> AsyncIterator[Fickle]:
        """One that listens meanwhile."""
        application = cls(seed)
        async with listening(application._serve, application.complaints) as application.port:
            yield application

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        fate = Fate.NONE
        while True:
            if fate is Fate.UNREAD:
                await reader.read(1)
            seen = None if fate is Fate.UNREAD else await self._next(reader, fate)
            if seen is None:
                self.met[fate] += 1
                self._end(writer)
                return
            nonce = b"".join(seen.values(b"x-nonce"))
            self.acted[nonce].append(fate)
            self.met[fate] += 1
            answer = _answer(nonce, seen.start[0])
            if fate in (Fate.NONE, Fate.IDLE_END):
                writer.write(answer)
                await writer.drain()
                fate = self._random.choice(_FATES) if self._random.random() < 0.7 else Fate.NONE
                continue
            writer.write(answer[: _kept(fate, answer)])
            await writer.drain()
            self._end(writer)
            return

    async def _next(self, reader: asyncio.StreamReader, fate: Fate) -> Seen | None:
        patience = self._random.random() * 0.004 if fate is Fate.IDLE_END else None
        try:
            async with asyncio.timeout(patience):
                seen = await read_question(reader)
        except TimeoutError:
            return None
        if seen is not None:
            await read_body(reader, seen)
        return seen

    def _end(self, writer: asyncio.StreamWriter) -> None:
        if self._random.random() < 0.5:
            writer.transport.abort()


def _answer(nonce: bytes, method: bytes) -> bytes:
    chunked = nonce.endswith((b"1", b"4", b"7"))
    framing = Framing.CHUNKED if chunked else Framing.LENGTH
    return Told(200, ((b"X-Nonce", nonce),), _body(nonce), framing, chunk=500).wire(method)


def _body(nonce: bytes) -> bytes:
    return b"answer to %b;" % nonce * (1 + int(nonce) % 200)


def _kept(fate: Fate, answer: bytes) -> int:
    head = answer.index(b"\r\n\r\n") + 4
    match fate:
        case Fate.UNANSWERED:
            return 0
        case Fate.HALF_HEAD:
            return head // 2
        case Fate.HALF_BODY:
            return head + (len(answer) - head) // 2 if len(answer) > head else head - 1
        case _:
            return len(answer) - 1


@dataclass(slots=True)
class Report:
    """What came of it."""

    asked: int = 0
    answered: int = 0
    failed: int = 0
    """Requests that the gateway answered by 502, or whose answer it cut."""
    faults: list[str] = field(default_factory=list)


async def race(
    application: Fickle, port: int, races: int, seed: int, done: Callable[[int], None] = lambda _: None
) -> Report:
    """Ask until so many connections have met a fate; `done` is called with their number so far."""
    report = Report()

    async def connection(number: int) -> None:
        luck = random.Random(f"{seed}/{number}")
        client = Client(port)
        try:
            while (met := sum(application.met[fate] for fate in _FATES)) < races:
                report.asked += 1
                await _ask(client, b"%d" % report.asked, luck, application, report)
                done(met)
        finally:
            client.close()

    async with asyncio.TaskGroup() as group:
        for number in range(CONNECTIONS):
            group.create_task(connection(number))
    return report


async def _ask(client: Client, nonce: bytes, luck: random.Random, application: Fickle, report: Report) -> None:
    method = luck.choice(_METHODS)
    route = luck.choice(_CLASSES[:4] if method in (b"HEAD", b"OPTIONS") else _CLASSES)
    body = b"x" * luck.choice((0, 10, 5000)) if method not in _SAFE else b""
    headers = ((b"Host", b"app.example"), (b"X-User-Id", b"user-%d" % luck.randint(0, 9)), (b"X-Nonce", nonce))
    question = Question(
        method, b"/%b/%b" % (route.encode(), nonce), headers, b"1.1", body, Framing.LENGTH if body else Framing.NONE
    )
    await asyncio.sleep(luck.choice((0, 0, 0.002, 0.004)))
    answer: Seen | None = None
    try:
        answer = await client.ask(question)
    except Unreadable as error:
        if "no whole answer" in str(error):
            report.faults.append(f"{method!r} {route} {nonce!r}: {error}")
    acted = application.acted.pop(nonce, [])
    said = _judge(question, route, nonce, answer, acted)
    if said:
        report.faults.append(f"{method!r} {route} {nonce!r}: {said}; acted on: {[fate.name for fate in acted]}")
    if answer is not None and answer.status == 200:
        report.answered += 1
    else:
        report.failed += 1


def _judge(question: Question, route: str, nonce: bytes, answer: Seen | None, acted: list[Fate]) -> str:
    """What is wrong with what came of a request; empty when nothing is."""
    repeatable = question.method in _SAFE and route not in _COUNTED
    if len(acted) > 1 and not repeatable:
        return f"it was acted on {len(acted)} times"
    if answer is not None and answer.status == 200:
        if answer.values(b"x-nonce") != [nonce]:
            return f"it got the answer to {answer.values(b'x-nonce')}"
        if answer.body != (b"" if question.method == b"HEAD" else _body(nonce)):
            return f"it got {len(answer.body)} bytes for the whole answer: {answer.body[:80]!r}"
        return "it was answered, but nobody acted on it" if not acted else ""
    if answer is not None and answer.values(b"paywall-reason") != [b"upstream-broken"]:
        return f"it got {answer.start} {answer.values(b'paywall-reason')}"
    begun = any(fate in (Fate.HALF_HEAD, Fate.HALF_BODY, Fate.LAST_BYTE) for fate in acted)
    if repeatable and not begun:
        return "it may be repeated and no answer had begun, yet it got none"
    return ""
