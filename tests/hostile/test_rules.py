"""Every rule is needed: without it, a variant reaches a result or an innocent is hurt."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.free_port import free_port

from . import crippled, gateways
from .battery import is_leak
from .conftest import Bench, skip_absent
from .judge import Run
from .rig import Absent
from .rules import NEEDED, NOT_SHOWN, RULES, Rule
from .variants import VARIANTS

pytestmark = pytest.mark.hostile

_ROOT = Path(__file__).parents[2]
_BY_NAME = {variant.name: variant for variant in VARIANTS}


@dataclass(frozen=True, slots=True)
class Crippled:
    """The real gateway, and the port at which its rules are taken out."""

    gateway: gateways.RealGateway
    orders: int


@pytest.fixture(scope="module")
def without(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Crippled]:
    orders = free_port()
    # Behind everything else on the path: where a wheel is tested, it is the wheel's gateway that is to be started.
    start = f"import sys; sys.path.append({str(_ROOT)!r}); from {crippled.__name__} import main; main()"
    program = [sys.executable, "-c", start, str(orders)]
    folder: Path = tmp_path_factory.mktemp("crippled")
    with gateways.real(folder, program=program) as gateway:
        yield Crippled(gateway, orders)


@pytest.mark.parametrize("rule", NEEDED, ids=lambda rule: rule.name)
def test_without_this_rule_a_variant_reaches_the_result(rule: Rule, without: Crippled, bench: Bench) -> None:
    assert not _leaks(_run(None, rule, without, bench)), "the whole gateway lets it through"
    assert _leaks(_run(rule, rule, without, bench)), "without the rule nothing leaks: is it needed?"


def test_of_every_other_rule_it_is_said_why_no_variant_shows_its_need() -> None:
    assert [rule.name for rule in RULES if rule not in NEEDED and not NOT_SHOWN.get(rule.name)] == []
    assert NOT_SHOWN.keys() <= {rule.name for rule in RULES if rule not in NEEDED}


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_every_rule_is_still_in_the_source(rule: Rule) -> None:
    crippled.take_out(rule)()


def _run(absent: Rule | None, rule: Rule, without: Crippled, bench: Bench) -> Run:
    """The rule's witness, through the gateway without the rule or with all of them."""
    try:
        application = bench.application(rule.upstream)
    except Absent as reason:
        skip_absent(reason)
    crippled.tell(without.orders, absent)
    server = without.gateway.stand_before(application, "block", rule.methods, rule.opened)
    return bench.judge.run([_BY_NAME[rule.witness]], server, application, canaries=True)


def _leaks(run: Run) -> bool:
    return bool(run.canaries or run.unmarked or any(is_leak(one, held=False) for one in run.sightings))
