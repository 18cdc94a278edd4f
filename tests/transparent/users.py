"""The second oracle: many users over shared connections, and nobody gets a cookie, header or body of another."""

from __future__ import annotations

import asyncio
import contextlib
import random
import re
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field

from .client import Client
from .listening import listening
from .message import Framing, Question, Seen, Told, Unreadable, in_pieces, read_body, read_question

USERS = 50
CONNECTIONS = 16

ROUTES = """\
identity:
  - visitor: {}
trial: {length: 14d, starts: first-visit}
routes:
  - {path: "/result/**", class: result, name: result}
  - {path: "/action/**", class: action, name: action}
  - {path: "/exempt/**", class: exempt, name: exempt}
  - {path: "/**", class: open, name: open}
"""
"""The rest of a gateway's config: everybody is known by the gateway's own cookie."""

_WHO, _NONCE = b"X-Who", b"X-Nonce"
_MARK = re.compile(rb"mark-(user-\d+)-")
_PATHS = (b"/open/page", b"/exempt/file", b"/action/do", b"/result/one")


@dataclass(slots=True)
class User:
    """Somebody with a browser of their own."""

    name: bytes
    cookies: dict[bytes, bytes] = field(default_factory=dict)


class Sessions:
    """The application: gives everybody cookies and pages of their own, and notices whose cookies come back."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(f"{seed}/sessions")
        self.complaints: list[str] = []
        """What came and is no request."""
        self.leaks: list[str] = []
        """Requests with a cookie of somebody else."""
        self.owners: dict[bytes, bytes] = {}
        """Whose cookies these values are, the gateway's own among them."""
        self.port = 0

    @classmethod
    @contextlib.asynccontextmanager
    async def running(cls, seed: int) -> AsyncIterator[Sessions]:
        """One that listens meanwhile."""
        application = cls(seed)
        async with listening(application._serve, application.complaints) as application.port:
            yield application

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while seen := await read_question(reader):
            await read_body(reader, seen)
            told = self._answer(seen)
            for piece in in_pieces(told.wire(seen.start[0]), told.writes):
                writer.write(piece)
                await writer.drain()
                await asyncio.sleep(0)
            if told.closes(seen.start[0]):
                return

    def _answer(self, seen: Seen) -> Told:
        who, nonce = b"".join(seen.values(b"x-who")), b"".join(seen.values(b"x-nonce"))
        for pair in b"; ".join(seen.values(b"cookie")).split(b"; "):
            owner = self.owners.get(pair.partition(b"=")[2], who)
            if owner != who:
                self.leaks.append(f"a request of {who!r} came with the cookie {pair!r} of {owner!r}")
        for mark in _MARK.findall(seen.body):
            if mark != who:
                self.leaks.append(f"a request of {who!r} came with a body of {mark!r}")
        value = b"mark-%b-%b" % (who, nonce)
        self.owners[value] = who
        roll = self._random.random()
        headers = [(b"Set-Cookie", b"session=%b; Path=/" % value), (b"X-For", value), (b"Content-Type", b"text/html")]
        if roll < 0.05:
            headers.append((b"Connection", b"close"))
        return Told(
            304 if roll > 0.97 else 200,
            tuple(headers),
            value + b" " + bytes(int(roll * 3000)),
            Framing.CHUNKED if roll < 0.3 else Framing.LENGTH,
            writes=3 if roll < 0.5 else 1,
        )


@dataclass(slots=True)
class Report:
    """What came of it."""

    asked: int = 0
    answered: int = 0
    recognised: int = 0
    """Users who have a cookie of the gateway's own by now."""
    leaks: list[str] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)
    """Requests that got no answer, or the gateway's own."""


async def mingle(
    sessions: Sessions, port: int, count: int, seed: int, done: Callable[[int], None] = lambda _: None
) -> Report:
    """Let users ask so many times over connections that they share, as behind a proxy.

    `done` is called with how often they have asked so far.
    """
    users = [User(b"user-%d" % number) for number in range(USERS)]
    report = Report()

    async def connection(number: int) -> None:
        luck = random.Random(f"{seed}/{number}")
        client = Client(port)
        try:
            while report.asked < count:
                asking = []
                for user in luck.sample(users, 3 if luck.random() < 0.05 else 1):
                    report.asked += 1
                    asking.append((user, b"%d" % report.asked))
                await _ask(client, asking, luck, sessions, report)
                done(report.asked)
        finally:
            client.close()

    async with asyncio.TaskGroup() as group:
        for number in range(CONNECTIONS):
            group.create_task(connection(number))
    report.leaks += sessions.leaks
    report.recognised = sum(len(user.cookies) > 1 for user in users)
    return report


async def _ask(
    client: Client, asking: list[tuple[User, bytes]], luck: random.Random, sessions: Sessions, report: Report
) -> None:
    """Ask for these users, for each by a nonce; several at once, or as one who leaves in the midst of it."""
    questions = [_question(user, nonce, luck) for user, nonce in asking]
    if luck.random() < 0.02:
        await client.begin(questions[0])
        client.close()
        return
    try:
        if len(questions) == 1:
            answers = [await client.ask(questions[0])]
        else:
            answers = await client.ask_together(questions)
        if len(answers) < len(questions):
            raise Unreadable(f"{len(answers)} answers to {len(questions)} requests")
    except Unreadable as error:
        report.failures.append(f"{asking}: {error}")
        return
    for (user, nonce), answer in zip(asking, answers, strict=True):
        report.leaks += _foreign(user, nonce, answer, sessions)
        if answer.values(b"x-for"):
            report.answered += 1
        else:
            report.failures.append(f"{user.name!r}: {answer.start} {answer.body[:100]!r}")


def _question(user: User, nonce: bytes, luck: random.Random) -> Question:
    method = luck.choice((b"GET", b"GET", b"GET", b"HEAD", b"POST", b"PUT"))
    headers = [(b"Host", b"app.example"), (_WHO, user.name), (_NONCE, nonce)]
    if luck.random() < 0.5:
        headers.append((b"Sec-Fetch-Mode", b"navigate"))
    if user.cookies:
        headers.append((b"Cookie", b"; ".join(b"%b=%b" % pair for pair in user.cookies.items())))
    path = luck.choice(_PATHS)
    if method in (b"GET", b"HEAD"):
        return Question(method, path, tuple(headers))
    body = b"mark-%b-" % user.name * luck.randint(0, 300)
    return Question(method, path, tuple(headers), b"1.1", body, Framing.LENGTH, writes=luck.choice((1, 2)))


def _foreign(user: User, nonce: bytes, answer: Seen, sessions: Sessions) -> list[str]:
    """What of an answer is somebody else's, or was meant for another request; the cookies of it are the user's now."""
    found = []
    text = b"\n".join((*(name + b": " + value for name, value in answer.headers), answer.body))
    for name in set(_MARK.findall(text)) - {user.name}:
        found.append(f"{user.name!r} got something of {name!r}")
    for value in answer.values(b"x-for"):
        if not value.endswith(b"-" + nonce):
            found.append(f"{user.name!r} got an answer to another request: {value!r} instead of {nonce!r}")
    for line in answer.values(b"set-cookie"):
        name, _, value = line.partition(b";")[0].partition(b"=")
        owner = sessions.owners.setdefault(value, user.name)
        if owner != user.name:
            found.append(f"{user.name!r} got the cookie {name!r} of {owner!r}")
        user.cookies[name] = value
    return found
