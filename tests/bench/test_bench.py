"""The benchmark harness: it tells wrong answers, prints what it found, and leaves nothing running."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from bench.__main__ import all_candidates, chosen
from bench.candidate import BODY, Site
from bench.cpu import process_tree
from bench.gateway import gateway_candidates
from bench.load import Target, check_answer, run_load
from bench.machine import split_cores
from bench.peers import PEERS
from bench.processes import Command, find_program, running
from bench.report import ratio, table
from bench.rounds import Row, Sample, measure

ROOT = Path(__file__).parents[2]

NGINX = next(peer for peer in PEERS if peer.name == "nginx")
needs_nginx = pytest.mark.skipif(find_program("nginx") is None, reason="needs the Debian package nginx-light")
needs_wrk = pytest.mark.skipif(find_program("wrk") is None, reason="needs the Debian package wrk")


def eventually(condition: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + 20
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


# --- Processes


def test_leaving_ends_children_even_those_that_will_not_listen(tmp_path: Path) -> None:
    shell = "(trap '' TERM; echo deaf; sleep 600; sleep 600) & wait"
    with running(Command(("sh", "-c", shell)), tmp_path, split_cores().proxy) as pid:
        assert eventually(lambda: "deaf" in (tmp_path / "output.log").read_text())
        tree = [stat.pid for stat in process_tree(pid)]
        assert len(tree) >= 2
    assert all(_has_ended(each) for each in tree)


def test_the_program_runs_on_the_core_it_was_given(tmp_path: Path) -> None:
    cores = split_cores().proxy
    with running(Command(("sleep", "600")), tmp_path, cores) as pid:
        assert eventually(lambda: os.sched_getaffinity(pid) == cores)


def _has_ended(pid: int) -> bool:
    tree = process_tree(pid)
    return not tree or tree[0].has_ended


# --- Load


class _Refusing(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self.send_response(302 if self.path == "/moved" else 503)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        """Keeps the test's output clean."""


class _QuietServer(ThreadingHTTPServer):
    def handle_error(self, request: object, client_address: object) -> None:
        """The load generator hangs up in the middle of answers when its time is over."""


@pytest.fixture
def refusing_port() -> Iterator[int]:
    with _QuietServer(("127.0.0.1", 0), _Refusing) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_port
        server.shutdown()


@needs_wrk
@pytest.mark.parametrize(
    ("path", "trouble"),
    [("/", "answers of 400 or above"), ("/moved", "answers shorter than the upstream's")],
)
def test_wrong_answers_under_load_are_told(refusing_port: int, path: str, trouble: str, tmp_path: Path) -> None:
    load = run_load(Target(refusing_port, path), 0.3, split_cores().load, tmp_path, len(BODY))
    assert trouble in load.trouble
    assert load.requests > 0


@needs_wrk
def test_a_port_where_nobody_listens_is_told(tmp_path: Path) -> None:
    load = run_load(Target(9, "/"), 0.3, split_cores().load, tmp_path, len(BODY))
    assert load.trouble


def test_a_proxy_with_another_body_is_not_measured(refusing_port: int) -> None:
    assert check_answer(Target(refusing_port, "/"), BODY) == "answered 503 instead of 200"


# --- Report


def _row(name: str, *samples: Sample) -> Row:
    return Row(replace(NGINX, name=name, title=name), samples=list(samples))


def _sample(number: int, cpu_us: float, trouble: str = "") -> Sample:
    return Sample(number, 1000, 1.0, cpu_us, None, 0.0, trouble)


def test_ratios_compare_each_round_with_itself() -> None:
    # In the second round the machine was ten times slower, for both.
    nginx = _row("nginx", _sample(1, 10.0), _sample(2, 100.0))
    other = _row("other", _sample(1, 20.0), _sample(2, 200.0))
    assert ratio(other, nginx) == 2.0


def test_a_round_with_wrong_answers_does_not_count() -> None:
    nginx = _row("nginx", _sample(1, 10.0), _sample(2, 10.0))
    other = _row("other", _sample(1, 30.0), _sample(2, 1.0, "7 time-outs"))
    assert ratio(other, nginx) == 3.0
    assert "30.0-30.0" in table([nginx, other], markdown=False)


def test_a_row_without_any_good_round_has_no_number() -> None:
    text = table([_row("broken", _sample(1, 1.0, "7 time-outs"))], markdown=True)
    assert "no good round" in text
    assert "1.0" not in text


def test_an_unknown_row_names_the_known_ones() -> None:
    with pytest.raises(ValueError, match=r"--only apache: .* choose from nginx, haproxy, caddy, paywall-open"):
        chosen(all_candidates(), ["apache"])
    assert len(chosen(all_candidates(), ["paywall"])) == len(gateway_candidates())


@needs_nginx
@needs_wrk
def test_a_missing_program_is_left_out_and_the_rest_goes_on() -> None:
    rows = [Row(replace(NGINX, name="missing", program="no-such-proxy")), Row(NGINX)]
    measure(rows, 1, 0.3, split_cores(), lambda line: None)
    assert rows[0].absent == "`no-such-proxy` is not on this machine: install the Debian package nginx-light."
    assert len(rows[1].good) == 1


@needs_nginx
@needs_wrk
def test_a_program_that_ends_at_its_start_is_left_out_with_its_last_words() -> None:
    def prepare(site: Site) -> Command:
        return Command(("sh", "-c", "echo the roof is missing; exit 3"))

    rows = [Row(replace(NGINX, name="house", title="house", prepare=prepare)), Row(NGINX)]
    measure(rows, 1, 0.3, split_cores(), lambda line: None)
    assert rows[0].absent == "house ended at its start; its last words: the roof is missing"
    assert len(rows[1].good) == 1


# --- The whole


@needs_nginx
@needs_wrk
def test_the_whole_harness_prints_a_table_and_writes_its_numbers(tmp_path: Path) -> None:
    results = tmp_path / "results.json"
    arguments = ["--rounds", "1", "--seconds", "0.3", "--only", "nginx", "--json", str(results)]
    done = subprocess.run(
        [sys.executable, "-m", "bench", *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    line = next(line for line in done.stdout.splitlines() if line.startswith("nginx, proxy_pass"))
    printed = re.search(r"\d+\.\d", line)
    assert printed is not None and float(printed[0]) > 0
    (row,) = json.loads(results.read_text())["rows"]
    assert row["cpu_us"]["median"] > 0
    assert row["ratio"]["nginx"] == 1.0
    assert "round 1 of 1" in done.stderr


@needs_nginx
@needs_wrk
@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGTERM])
def test_an_interruption_leaves_no_process_and_prints_what_there_is(tmp_path: Path, ending: signal.Signals) -> None:
    results = tmp_path / "results.json"
    arguments = ["--rounds", "1000", "--seconds", "0.3", "--only", "nginx", "--json", str(results)]
    with (tmp_path / "progress").open("w+") as progress:
        process = subprocess.Popen(
            [sys.executable, "-m", "bench", *arguments],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=progress,
            text=True,
        )
        assert eventually(lambda: "round 2 of" in (tmp_path / "progress").read_text())
        tree = process_tree(process.pid)
        assert len(tree) > 3
        process.send_signal(ending)
        output, _ = process.communicate(timeout=30)
    assert process.returncode == 130
    assert "The run was interrupted" in output
    assert not results.exists()
    assert all(_has_ended(stat.pid) for stat in tree)
