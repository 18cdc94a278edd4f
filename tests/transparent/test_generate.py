"""The generated exchanges: the same again from the same seed, and of every kind already in the short run."""

from __future__ import annotations

from collections import Counter

from .generate import exchange
from .message import Framing, Question, Told
from .questions import Habits
from .test_transparent import EXCHANGES, SEED

_STATUSES = {200, 201, 204, 205, 206, 301, 302, 304, 400, 404, 409, 418, 500, 503}
_METHODS = {b"GET", b"HEAD", b"POST", b"PUT", b"PATCH", b"DELETE", b"OPTIONS"}


def short_run() -> list[tuple[Question, Told]]:
    return [exchange(SEED, number, Habits(exact=True)) for number in range(EXCHANGES)]


def test_an_exchange_can_be_had_again_alone() -> None:
    assert exchange(7, 4711, Habits()) == exchange(7, 4711, Habits())
    assert exchange(7, 4711, Habits()) != exchange(8, 4711, Habits())
    assert exchange(7, 4711, Habits()) != exchange(7, 4712, Habits())


def test_the_short_run_has_requests_of_every_kind() -> None:
    questions = [question for question, _ in short_run()]
    assert {question.method for question in questions} > _METHODS, "and odd ones"
    assert {question.framing for question in questions} == {Framing.NONE, Framing.LENGTH, Framing.CHUNKED}
    assert {question.version for question in questions} == {b"1.0", b"1.1"}
    targets = b" ".join(question.target for question in questions) + b" "
    for part in (b";", b"//", b"%2F", b"? ", b"http://", b"%25", b"/../", b" * "):
        assert part in targets, part
    sizes = [len(question.body) for question in questions if question.framing is not Framing.NONE]
    assert 0 in sizes and max(sizes) >= 1 << 20 and any(60_000 < size < 140_000 for size in sizes)
    assert max(len(question.head()) for question in questions) > 57_000
    assert {question.closes for question in questions} == {question.expects for question in questions} == {True, False}
    assert _kinds([question.head() for question in questions]) == {"empty value", "obs-text", "repeated"}


def test_the_short_run_has_answers_of_every_kind() -> None:
    exchanges = short_run()
    told = [each for _, each in exchanges]
    assert {each.status for each in told} > _STATUSES
    assert {each.framing for each in told} == set(Framing)
    assert {each.version for each in told} == {b"1.0", b"1.1"}
    assert any(each.interim for each in told) and any(each.early for each in told)
    assert any(each.trailers and each.framing is Framing.CHUNKED for each in told)
    sizes = [len(each.body) for each in told if each.framing is not Framing.NONE]
    assert 0 in sizes and max(sizes) >= 1 << 20 and any(60_000 < size < 140_000 for size in sizes)
    heads = [each.wire(b"HEAD") for each in told]
    assert max(map(len, heads)) > 57_000
    assert _kinds(heads) == {"empty value", "obs-text", "repeated"}
    assert any(asked.method == b"HEAD" and each.framing is Framing.LENGTH and each.body for asked, each in exchanges)
    cookies = [Counter(name.lower() for name, _ in each.headers)[b"set-cookie"] for each in told]
    assert max(cookies) >= 3


def test_no_framework_is_told_by_more_than_a_head_may_have() -> None:
    for number in range(20_000 // 101):
        question, _ = exchange(SEED, 11 + 101 * number, Habits())
        assert len(question.head()) < 64 * 1024, number


def _kinds(heads: list[bytes]) -> set[str]:
    """What is rare in headers and stands in some of these."""
    found = set()
    for head in heads:
        lines = head.split(b"\r\n")[1:]
        names = Counter(line.partition(b":")[0].lower() for line in lines if line)
        found |= {"empty value"} if any(line.endswith(b": ") for line in lines) else set()
        found |= {"obs-text"} if any(byte >= 0x80 for line in lines for byte in line) else set()
        found |= {"repeated"} if max(names.values(), default=0) > 1 else set()
    return found
