"""See the package's docstring for what this proves and how to read a failure."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from . import gateways
from .applications import REPRESENTATIVES
from .canonical import has_one_reading, names_result
from .conftest import Bench, Gated, skip_absent
from .judge import Sighting, in_trial, may_run_when_held
from .message import MARKER, TARGET, request
from .open_urls import OPEN_URLS
from .rig import Absent, Server
from .variants import PLAIN, VARIANTS
from .wire import Answer, exchange, read_answer

pytestmark = pytest.mark.hostile

_SHOWN = 40
_SAMPLE = VARIANTS[::4]
"""Enough to know that the rig sees what an application gives away; the first is the plain one."""


def test_there_are_thousands_of_variants_and_no_two_alike() -> None:
    assert len(VARIANTS) >= 2000
    assert len({variant.name for variant in VARIANTS}) == len(VARIANTS)
    assert len({variant.template for variant in VARIANTS}) == len(VARIANTS)


def test_there_are_five_hundred_open_urls_of_one_reading() -> None:
    assert len(set(OPEN_URLS)) == 500
    assert [url for url in OPEN_URLS if not has_one_reading(url.encode()) or names_result(url.encode())] == []


def test_an_application_without_a_gateway_gives_its_results_away(application: Server, bench: Bench) -> None:
    variants = VARIANTS if application.name in REPRESENTATIVES else _SAMPLE
    run = bench.judge.run(variants, application, application, canaries=True)
    reached = [sighting for sighting in run.sightings if sighting.reached]
    bench.reached_directly[application.name] = {sighting.variant.name for sighting in reached}
    bench.count(
        f"{application.name}: {len(reached)} of {len(variants)} reach the result directly, {_by_oracle(reached)}"
    )

    plain = run.sightings[variants.index(PLAIN)]
    assert plain.delivered and plain.executed, f"the rig is blind to {plain.story(application.name)}"
    assert len(reached) >= len(variants) // 12
    assert run.canaries == []


def test_the_naive_gateway_leaks_by_the_hundred_and_the_rig_sees_it(bench: Bench) -> None:
    leaked, hurt, altered = 0, 0, 0
    for name in REPRESENTATIVES:
        try:
            application = bench.application(name)
        except Absent as reason:
            bench.count(f"naive gateway: without {name}: {reason}")
            continue
        with gateways.naive(application, bench.folder) as naive:
            altered += len(bench.judge.compare_open(OPEN_URLS, naive, application))
            run = bench.judge.run(VARIANTS, naive, application, canaries=True)
        reached = [sighting for sighting in run.sightings if sighting.reached]
        bench.count(f"naive gateway: {len(reached)} leaks to {name}, {_by_oracle(reached)}")
        leaked, hurt = leaked + len(reached), hurt + len(run.canaries)
    bench.count(f"naive gateway: {leaked} leaks, {hurt} innocent requests spoilt, {altered} open URLs altered")

    assert leaked >= 100
    assert hurt >= 1, "the naive gateway leaves bodies in shared connections, and no canary noticed"
    assert altered >= 1, "the naive gateway rewrites queries, and the comparison of open URLs did not notice"


def test_the_gate_tells_the_subjects_apart(gateway: Gated, bench: Bench) -> None:
    expired, browsing = (_ask(gateway.server, request(target)) for target in (TARGET, b"/open"))
    trial = _ask(gateway.server, in_trial(request(TARGET), bench.judge.nonce()))

    assert (expired.status, MARKER in expired.body) == (402, False)
    assert (browsing.status, browsing.body[:10]) == (200, b"OPEN /open")
    assert (trial.status, MARKER in trial.body) == (200, True)


def test_an_expired_subject_gets_no_result_by_any_variant(gateway: Gated, bench: Bench) -> None:
    run = bench.judge.run(VARIANTS, gateway.server, gateway.application, canaries=True)
    name, held = gateway.application.name, gateway.mode == "hold"
    leaks = [one for one in run.sightings if one.delivered or one.crossed or not _may_run(one.executed, held)]
    executed = sum(bool(one.executed) for one in run.sightings)
    failed = sum(one.received.startswith(b"HTTP/1.1 500") for one in run.sightings)
    bench.count(
        f"{gateway.mode}: {len(leaks)} leaks of {len(VARIANTS)} to {name}, {executed} executed, {failed} status 500"
    )

    if leaks:
        pytest.fail(_report(leaks, name, bench), pytrace=False)
    assert _may_run(run.unmarked, held), f"ran for requests without their nonce: {run.unmarked}"
    assert run.canaries == []
    assert bool(executed) == held, "in mode hold results are produced: nothing being held proves nothing"


def test_on_another_server_an_expired_subject_gets_no_result_either(bench: Bench, tmp_path: Path) -> None:
    try:
        application = bench.application("flask")
        with gateways.real(tmp_path, "granian") as hosted:
            server = hosted.stand_before(application, "block")
            run = bench.judge.run(VARIANTS[::4], server, application, canaries=True)
    except Absent as reason:
        skip_absent(reason)
    bench.count(f"block on granian: {len(run.sightings)} variants to flask")

    leaks = [one.story("flask") for one in run.sightings if one.delivered or one.crossed or one.executed]
    assert (leaks, run.canaries, run.unmarked) == ([], [], ())


def test_open_urls_pass_untouched(gateway: Gated, bench: Bench) -> None:
    assert bench.judge.compare_open(OPEN_URLS, gateway.server, gateway.application) == []


def test_a_held_result_may_be_produced_only_for_a_target_that_plainly_names_it() -> None:
    plain = (b"/api/result/7", b"/API/result/7", b"/api/result/7/", b"/api/result/7?x=1", b"/api/result/7%20")
    odd = (b"/api/result/7;x", b"//api/result/7", b"/%61pi/result/7", b"http://localhost/api/result/7", b"/open")

    assert [target for target in plain if not may_run_when_held(target)] == []
    assert [target for target in odd if may_run_when_held(target)] == []


def _may_run(targets: tuple[bytes, ...], held: bool) -> bool:
    return all(held and may_run_when_held(target) for target in targets)


def _by_oracle(reached: list[Sighting]) -> str:
    return f"{sum(one.delivered for one in reached)} delivered, {sum(bool(one.executed) for one in reached)} executed"


def _report(leaks: list[Sighting], upstream: str, bench: Bench) -> str:
    directly = bench.reached_directly.get(upstream)
    lines = [f"{len(leaks)} of {len(VARIANTS)} variants leaked to {upstream}:"]
    for leak in leaks[:_SHOWN]:
        lines.append(leak.story(upstream))
        if directly is not None and upstream in REPRESENTATIVES and leak.variant.name not in directly:
            lines.append("    sent directly it does not reach the result: the gateway itself made it so")
    if len(leaks) > _SHOWN:
        lines.append(f"... and {len(leaks) - _SHOWN} more: " + ", ".join(leak.variant.name for leak in leaks[_SHOWN:]))
    return "\n".join(lines)


def _ask(server: Server, data: bytes) -> Answer:
    found = read_answer(asyncio.run(exchange(server.port, data)))
    assert found is not None, "no complete answer"
    return found[0]
