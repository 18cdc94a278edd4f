"""Every verb of one subject beside a model of what is promised, in histories that hypothesis makes up."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.model.histories import FIND_THE_SHORTEST, Stage, stage
from tests.model.servers import NAMES, REDIS, running
from tests.model.twins import TWINS, Twin

pytestmark = pytest.mark.timeout(400)  # nothing but computing: it takes what others leave of the machine

HISTORIES = 100
SEED = 3
ENOUGH = 600
"""Histories within which every fault of the twins is found."""

ROOT = Path(__file__).parents[2]
CHANCE = 1 if os.environ.get("CI") else int.from_bytes(os.urandom(4))
"""The same histories on every run where nobody could play them again."""


def on(name: str) -> Iterator[Stage]:
    if name == "redis" and not REDIS.exists() and not os.environ.get("CI"):
        pytest.skip(f"{REDIS} is not installed")
    with running(name) as url, stage(url) as made:
        yield made


@pytest.fixture(scope="module", params=NAMES)
def any_stage(request: pytest.FixtureRequest) -> Iterator[Stage]:
    yield from on(request.param)


@pytest.fixture(scope="module")
def one_stage() -> Iterator[Stage]:
    yield from on("valkey")


def test_the_store_does_what_is_promised(any_stage: Stage) -> None:
    try:
        any_stage.play(HISTORIES, CHANCE, phases=FIND_THE_SHORTEST)
    except Exception as error:
        error.add_note(f"again: python -m tests.model --seed {CHANCE} --histories {HISTORIES}")
        raise
    assert len(any_stage.told) > 15, "the histories come to few outcomes: they no longer try much"


@pytest.mark.parametrize("twin", TWINS.values(), ids=TWINS.keys())
def test_a_known_bad_twin_is_found(twin: Twin, one_stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(twin.module, twin.verb, twin.script())
    with pytest.raises(AssertionError):
        one_stage.play(ENOUGH, seed_number=SEED)


def test_the_long_form_ends_in_order_when_interrupted() -> None:
    command = [sys.executable, "-m", "tests.model", "--servers", "valkey", "--histories", "1000000"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as playing:
        assert playing.stderr is not None
        assert "of 1,000,000 histories" in playing.stderr.readline()
        playing.send_signal(signal.SIGINT)
        said, complained = playing.communicate(timeout=60)
    assert (complained, playing.returncode) == ("interrupted\n", 130)
    assert "nothing found" in said
