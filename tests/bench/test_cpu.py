"""CPU time is counted wherever in the process tree it is spent, and the store's apart."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from bench.cpu import tree_use

# The kernel cuts to whole ticks in each process, so that a little less than what was burnt may be seen.
BURN = "import time\nwhile time.process_time() < 0.6: pass\n"
BURNT_US = 500_000
WAIT = "import sys; print('ready', flush=True); sys.stdin.read()\n"


def in_child(program: str) -> str:
    """A program that runs `program` in a child, and goes on when that is ready."""
    return (
        "import subprocess, sys\n"
        f"child = subprocess.Popen([sys.executable, '-c', {program!r}],"
        " stdin=subprocess.PIPE, stdout=subprocess.PIPE)\n"
        "child.stdout.readline()\n"
    )


def named(name: str) -> str:
    return f"open('/proc/self/comm', 'w').write({name!r})\n"


IN_THREAD = f"""
import threading
thread = threading.Thread(target=exec, args=({BURN!r}, {{}}))
thread.start(); thread.join()
"""


@contextmanager
def python(program: str) -> Iterator[int]:
    """Runs a program until it has printed `ready`; it is expected to wait for the end of its input then."""
    process = subprocess.Popen([sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert process.stdin is not None and process.stdout is not None
    try:
        assert process.stdout.readline() == b"ready\n"
        yield process.pid
    finally:
        process.stdin.close()
        process.wait(10)
        process.stdout.close()


@pytest.mark.parametrize(
    "work",
    [
        pytest.param(BURN, id="the process itself"),
        pytest.param(IN_THREAD, id="a thread that has ended"),
        pytest.param(in_child(BURN) + "child.wait()\n", id="a child that has ended"),
        pytest.param(in_child(BURN + WAIT), id="a living child"),
        pytest.param(in_child(in_child(BURN + WAIT) + WAIT), id="a living grandchild"),
    ],
)
def test_cpu_is_counted_wherever_in_the_tree_it_is_burnt(work: str) -> None:
    with python(work + WAIT) as pid:
        assert tree_use(pid).cpu_us >= BURNT_US


def test_a_process_that_does_nothing_costs_next_to_nothing() -> None:
    with python(WAIT) as pid:
        assert tree_use(pid).cpu_us < BURNT_US


def test_the_store_is_counted_apart_and_brackets_in_a_name_do_no_harm() -> None:
    store = named("valkey-server") + BURN + WAIT
    parent = named("a) S (b") + in_child(store)
    with python(parent + WAIT) as pid:
        use = tree_use(pid)
    assert use.store_cpu_us >= BURNT_US
    assert use.cpu_us < BURNT_US
    assert use.store_resident_bytes > 0


def test_the_tree_of_a_process_that_has_ended_is_an_error_not_a_zero() -> None:
    with python(WAIT) as pid:
        pass
    with pytest.raises(ProcessLookupError):
        tree_use(pid)
