"""A little of every target, the same each time; and that each of them sees what it is there to see."""

from __future__ import annotations

from random import Random

import pytest

from gateway.access import fit_body, graphql_request, strict_json
from gateway.access.match import RouteTable
from gateway.core.rule import Rule
from gateway.html.coding import GzipPage
from gateway.html.insertion import Insertion
from gateway.upstream.parsing import AnswerParser
from gateway.web.message import Guard
from tests.fuzz import targets
from tests.fuzz.__main__ import attack
from tests.fuzz.targets import TARGETS, Target

ROUNDS = {"configs": 150, "pages": 3000}


@pytest.mark.parametrize("target", TARGETS, ids=lambda target: target.name)
def test_nothing_is_found(target: Target) -> None:
    for number in range(ROUNDS.get(target.name, 6000)):
        attack(target, f"{target.name}-{number}")


@pytest.mark.parametrize("target", TARGETS, ids=lambda target: target.name)
def test_the_seeds_themselves_hold(target: Target) -> None:
    for seed in target.seeds:
        target.check(seed, Random(1))


def found(name: str) -> bool:
    target = next(target for target in TARGETS if target.name == name)
    try:
        for number in range(3000):
            attack(target, str(number))
    except Exception:
        return True
    return False


def test_a_parser_that_forgets_where_a_piece_ended_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    def forgetful(self: AnswerParser) -> bytes:
        pieces, self.pieces = self.pieces, []
        return pieces[-1] if pieces else b""

    monkeypatch.setattr(AnswerParser, "take_pieces", forgetful)
    assert found("answers")


def test_a_table_that_looks_at_case_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    class Naive(RouteTable):
        def __init__(self, rules: tuple[Rule, ...]) -> None:
            super().__init__(rules[::-1])

    monkeypatch.setattr(targets, "_TABLE", Naive(targets._RULES))
    assert found("targets")


def test_a_guard_that_trusts_everybody_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    trusting = Guard(frozenset(), True)
    trusting.read("GET", b"/", [(b"host", b"a"), (b"x-forwarded-for", b"1")])  # it remembers what it does with names
    trusting.peer_trusted = False
    monkeypatch.setattr(targets, "_GUARDS", (trusting,))
    assert found("heads")


def test_a_parser_that_takes_the_last_of_two_keys_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(strict_json, "_object", dict)
    assert found("bodies")


def test_a_reader_that_looks_at_case_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (fit_body, graphql_request):
        monkeypatch.setattr(module, "folded_key", lambda name: name)
    assert found("bodies")


def test_a_page_that_loses_what_it_holds_back_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    def hasty(self: Insertion, data: bytes) -> bytes:
        return data if b"</body" not in data.lower() else whole(self, data)

    whole = Insertion.take
    monkeypatch.setattr(Insertion, "take", hasty)
    assert found("pages")


def test_a_gzip_that_ends_with_its_first_member_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(GzipPage, "_decoded", lambda self, data: iter([self._decoder.decompress(data)]))
    assert found("pages")
