"""Every rule is needed: without it, a variant reaches a result or an innocent is hurt."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from tests.free_port import free_port

from . import crippled, gateways
from .battery import is_leak
from .conftest import Bench, skip_absent
from .judge import Run, Sighting
from .message import Variant
from .rig import Absent, Server
from .rules import NEEDED, NOT_SHOWN, RULES
from .rules.rule import Rule
from .variants import VARIANTS
from .wire import read_answers

pytestmark = pytest.mark.hostile

_ROOT = Path(__file__).parents[2]
_BY_NAME = {variant.name: variant for variant in VARIANTS}


@dataclass(frozen=True, slots=True)
class Crippled:
    """The real gateway, the port at which its rules are taken out, and the one of the server that refuses nothing."""

    gateway: gateways.RealGateway
    orders: int
    lenient: int
    whole: dict[tuple[str, gateways.Site, bool], Run] = field(default_factory=dict)
    """What became of the witnesses of all rules that share an application, its place and a server, with every rule."""


@pytest.fixture(scope="module")
def without(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Crippled]:
    orders, lenient = free_port(), free_port()
    # Behind everything else on the path: where a wheel is tested, it is the wheel's gateway that is to be started.
    start = f"import sys; sys.path.append({str(_ROOT)!r}); from {crippled.__name__} import main; main()"
    program = [sys.executable, "-c", start, str(orders), str(lenient)]
    folder: Path = tmp_path_factory.mktemp("crippled")
    with gateways.real(folder, program=program) as gateway:
        yield Crippled(gateway, orders, lenient)


@pytest.mark.parametrize("rule", NEEDED, ids=lambda rule: rule.name)
def test_without_this_rule_a_variant_reaches_the_result(rule: Rule, without: Crippled, bench: Bench) -> None:
    try:
        application = bench.application(rule.upstream)
    except Absent as reason:
        skip_absent(reason)
    shared = (rule.upstream, rule.site, rule.lenient)
    if shared not in without.whole:
        alike = [each for each in NEEDED if (each.upstream, each.site, each.lenient) == shared]
        without.whole[shared] = _run(None, alike, without, bench, application)

    assert not _harm(rule, without.whole[shared]), "so it is with the whole gateway"
    assert _harm(rule, _run(rule, [rule], without, bench, application)), "without the rule nothing leaks: is it needed?"


def test_of_every_other_rule_it_is_said_why_no_variant_shows_its_need() -> None:
    assert [rule.name for rule in RULES if rule not in NEEDED and not NOT_SHOWN.get(rule.name)] == []
    assert NOT_SHOWN.keys() <= {rule.name for rule in RULES if rule not in NEEDED}


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_every_rule_is_still_in_the_source(rule: Rule) -> None:
    crippled.take_out(rule)()


def _run(absent: Rule | None, rules: list[Rule], without: Crippled, bench: Bench, application: Server) -> Run:
    """The witnesses of these rules, which are alike but for that, through the gateway without the one or with all."""
    crippled.tell(without.orders, absent)
    server = without.gateway.stand_before(application, "block", rules[0].site)
    if rules[0].lenient:
        server = replace(server, port=without.lenient)
    return bench.judge.run([_witness(rule) for rule in rules], server, application, canaries=True)


def _witness(rule: Rule) -> Variant:
    return rule.witness if isinstance(rule.witness, Variant) else _BY_NAME[rule.witness]


def _harm(rule: Rule, run: Run) -> list[str]:
    """What leaked, whom it hurt, and the honest request that was not answered."""
    harm = [*run.canaries, *(f"ran without a nonce for {target!r}" for target in run.unmarked)]
    for one in run.sightings:
        if one.variant is _witness(rule) and (is_leak(one, held=False) or (rule.honest and not _is_answered(one))):
            harm.append(one.story(rule.upstream))
    return harm


def _is_answered(one: Sighting) -> bool:
    return any(answer.body.startswith(b"OPEN ") for answer in read_answers(one.received))
