"""Who a request is from, and what a plugin's fault does to that."""

from __future__ import annotations

import asyncio

import pytest

from gateway.access.identify import IdentityChain
from gateway.core.subject import Subject
from gateway.ports.identity import Credentials, Identified, Rejected

ALICE, BOB = Identified(Subject.parse("person:alice")), Identified(Subject.parse("person:bob"))
EXPIRED = Rejected("has expired")
NOBODY = Credentials([], peer_trusted=False)


class Provider:
    """Answers what it is told to."""

    trusted_headers: tuple[str, ...] = ()

    def __init__(self, answer: Identified | Rejected | Exception | None, *vary: str, proven: bool = True) -> None:
        self.answer, self.vary, self.proven, self.asked = answer, vary, proven, 0

    async def start(self) -> None: ...
    async def stop(self) -> None: ...

    async def identify(self, credentials: Credentials) -> Identified | Rejected | None:
        self.asked += 1
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


def chain(*providers: Provider) -> tuple[IdentityChain, list[str]]:
    lines: list[str] = []
    return IdentityChain(providers, lines.append), lines


@pytest.mark.parametrize(
    ("answers", "expected", "asked"),
    [
        ([], None, []),
        ([None, None], None, [1, 1]),
        ([ALICE, BOB], ALICE, [1, 0]),
        ([None, BOB], BOB, [1, 1]),
        ([EXPIRED, BOB], EXPIRED, [1, 0]),
        ([None, EXPIRED, BOB], EXPIRED, [1, 1, 0]),
    ],
)
async def test_the_first_that_answers_wins(
    answers: list[Identified | Rejected | None], expected: Identified | Rejected | None, asked: list[int]
) -> None:
    providers = [Provider(answer) for answer in answers]
    identities, _ = chain(*providers)
    assert await identities.identify(NOBODY) == expected
    assert [provider.asked for provider in providers] == asked


@pytest.mark.parametrize(
    ("said", "proofs", "expected", "asked"),
    [
        ([ALICE], [BOB], BOB, [1, 1]),
        ([ALICE], [None], ALICE, [1, 1]),
        ([ALICE], [EXPIRED], EXPIRED, [1, 1]),
        ([ALICE], [EXPIRED, BOB], EXPIRED, [1, 1, 0]),
        ([EXPIRED], [BOB], BOB, [1, 1]),
        ([EXPIRED], [None], EXPIRED, [1, 1]),
        ([ALICE, BOB], [None], ALICE, [1, 0, 1]),
        ([None, BOB], [None], BOB, [1, 1, 1]),
    ],
)
async def test_a_proof_wins_over_what_is_merely_said(
    said: list[Identified | Rejected | None],
    proofs: list[Identified | Rejected | None],
    expected: Identified | Rejected | None,
    asked: list[int],
) -> None:
    providers = [*(Provider(answer, proven=False) for answer in said), *map(Provider, proofs)]
    identities, _ = chain(*providers)
    assert await identities.identify(NOBODY) == expected
    assert [provider.asked for provider in providers] == asked


async def test_a_provider_that_fails_makes_a_stranger_of_nobody() -> None:
    later = Provider(BOB)
    identities, lines = chain(Provider(RuntimeError("boom")), later)
    answer = await identities.identify(NOBODY)
    assert isinstance(answer, Rejected) and answer.temporary
    assert "boom" not in answer.why
    assert later.asked == 0
    assert len(lines) == 1 and "RuntimeError: boom" in lines[0] and __name__ in lines[0]


def test_what_the_answer_depends_on_is_named_once() -> None:
    identities, _ = chain(Provider(None, "authorization", "cookie"), Provider(None, "cookie"))
    assert identities.vary == "authorization, cookie"


@pytest.mark.parametrize(("name", "known"), [(b"cookie", True), (b"x-api-key", False)])
def test_whether_a_request_says_anything_of_who_it_is(name: bytes, known: bool) -> None:
    identities, _ = chain(Provider(None, "cookie"))
    assert bool(identities.trace([(b"accept", b"*/*"), (name, b"x")])) is known


def test_whoever_says_something_else_leaves_another_trace_and_so_does_another_config() -> None:
    identities, _ = chain(Provider(None, "cookie", "x-api-key"))
    another, _ = chain(Provider(None, "cookie", "x-api-key"))
    trace = identities.trace([(b"cookie", b"a")])
    assert identities.trace([(b"accept", b"*/*"), (b"cookie", b"a")]) == trace
    others = [
        identities.trace([(b"cookie", b"b")]),
        identities.trace([(b"cookie", b"a"), (b"cookie", b"a")]),
        identities.trace([(b"cookie", b"a"), (b"x-api-key", b"")]),
        another.trace([(b"cookie", b"a")]),
    ]
    assert len({trace, *others}) == 5


class Slow(Provider):
    """Has to wait for its answer."""

    ended = False

    async def identify(self, credentials: Credentials) -> Identified | Rejected | None:
        try:
            async with asyncio.timeout(10):
                await asyncio.sleep(0)
        finally:
            self.ended = True
        return await super().identify(credentials)


class Bare(Slow):
    """The same without a time limit, which only a task may set."""

    async def identify(self, credentials: Credentials) -> Identified | Rejected | None:
        try:
            await asyncio.sleep(0)
        finally:
            self.ended = True
        return self.answer if not isinstance(self.answer, Exception) else None


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (ALICE, ALICE),
        (None, None),
        (EXPIRED, None),
        (Identified(ALICE.subject, set_cookie=b"v=1"), None),
        (RuntimeError("broken"), None),
    ],
    ids=["somebody", "nobody", "a bad proof", "a newcomer", "a fault"],
)
async def test_at_once_it_is_somebody_known_or_a_matter_for_who_can_wait(
    answer: Identified | Rejected | Exception | None, expected: Identified | None
) -> None:
    identities, lines = chain(Provider(answer))
    assert identities.identify_at_once(NOBODY) == expected
    assert lines == [], "a fault is told by whoever asks again"


@pytest.mark.parametrize("kind", [Slow, Bare])
def test_whoever_has_to_wait_is_not_waited_for_and_is_let_go(kind: type[Slow]) -> None:
    slow = kind(ALICE)
    identities, lines = chain(slow)
    assert identities.identify_at_once(NOBODY) is None  # outside of any task, as the short way asks
    assert slow.ended and lines == []
    assert asyncio.run(identities.identify(NOBODY)) == ALICE


async def test_at_once_no_later_answer_takes_the_place_of_one_to_wait_for() -> None:
    identities, _ = chain(Bare(ALICE), Provider(BOB))
    assert identities.identify_at_once(NOBODY) is None
