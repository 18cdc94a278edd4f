"""The benchmark harness: it tells wrong answers, prints what it found, and leaves nothing running."""

from __future__ import annotations

import json
import os
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

from bench.candidate import BODY, Site
from bench.cpu import process_tree
from bench.gateway import PLAIN
from bench.load import Target, check_answer, run_load
from bench.machine import split_cores
from bench.measure.every import EVERY, chosen
from bench.measure.load_turn import CPU, load_turn
from bench.peers import NGINX_UPSTREAM, PEERS
from bench.processes import Command, find_program, running
from bench.report import table
from bench.rounds import Sample, Series, ratios, take_turns
from bench.row import Row, ratio_row
from bench.setting import Scale, Setting

ROOT = Path(__file__).parents[2]

NGINX = next(peer for peer in PEERS if peer.name == "nginx")
needs_nginx = pytest.mark.skipif(find_program("nginx") is None, reason="needs the Debian package nginx-light")
needs_wrk = pytest.mark.skipif(find_program("wrk") is None, reason="needs the Debian package wrk")


def eventually(condition: Callable[[], bool], seconds: float = 20) -> bool:
    deadline = time.monotonic() + seconds
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


@needs_wrk
def test_variants_are_asked_for_one_after_the_other(tmp_path: Path) -> None:
    asked: list[tuple[str, str | None]] = []

    class Noting(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            asked.append((self.path, self.headers["x-user-id"]))
            self.send_response(200)
            self.send_header("content-length", str(len(BODY)))
            self.end_headers()
            self.wfile.write(BODY)

        def log_message(self, format: str, *args: object) -> None:
            """Keeps the test's output clean."""

    with _QuietServer(("127.0.0.1", 0), Noting) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        target = Target(server.server_port, "/of-{n}", ("x-user-id: subject-{n}",), variants=3)
        load = run_load(target, 0.5, split_cores().load, tmp_path, len(BODY))
        server.shutdown()
    assert load.trouble == ""
    assert set(asked) == {(f"/of-{n}", f"subject-{n}") for n in (1, 2, 3)}


# --- Report


def _series(name: str, *samples: Sample) -> Series:
    return Series(name, name, samples=list(samples))


def _sample(number: int, cpu_us: float, trouble: str = "") -> Sample:
    return Sample(number, {CPU: cpu_us}, 0.0, trouble)


def _ratio_row(own: Series, baseline: Series, limit: float | None = 2.5) -> Row:
    both = {own.name: own, baseline.name: baseline}
    return ratio_row(
        "row", "the row", both, own.name, baseline.name, CPU, unit="x", beside_unit="us", limit=limit, peers=["nginx"]
    )


def test_ratios_compare_each_round_with_itself() -> None:
    # In the second round the machine was ten times slower, for both.
    nginx = _series("nginx", _sample(1, 10.0), _sample(2, 100.0))
    other = _series("other", _sample(1, 20.0), _sample(2, 200.0))
    assert ratios(other, nginx, CPU) == [2.0, 2.0]


def test_a_round_with_wrong_answers_does_not_count() -> None:
    nginx = _series("nginx", _sample(1, 10.0), _sample(2, 10.0))
    other = _series("other", _sample(1, 30.0), _sample(2, 1.0, "7 time-outs"))
    row = _ratio_row(other, nginx)
    assert row.value == 3.0
    assert row.notes == ("other: 1 of 2 rounds do not count: 7 time-outs.",)
    assert "30 us" in table([row], markdown=False)


def test_a_row_without_any_good_round_has_no_number() -> None:
    broken = _series("broken", _sample(1, 1.0, "7 time-outs"))
    text = table([_ratio_row(broken, _series("nginx", _sample(1, 1000.0)))], markdown=True)
    assert "not measured" in text
    assert "1 us" not in text


@pytest.mark.parametrize(
    ("cpu_us", "limit", "verdict"),
    [(25.0, 2.5, "met"), (50.0, 2.5, "missed by 100%"), (50.0, None, "shown")],
)
def test_a_goal_is_met_or_missed_by_so_much(cpu_us: float, limit: float | None, verdict: str) -> None:
    row = _ratio_row(_series("other", _sample(1, cpu_us)), _series("nginx", _sample(1, 10.0)), limit)
    assert row.verdict == verdict


def test_an_unknown_measurement_names_the_known_ones() -> None:
    with pytest.raises(ValueError, match=r"--only apache: .* choose from cost, grace"):
        chosen(["apache"])
    assert list(chosen(["events", "cost"])) == ["cost", "events"]


def _short_setting() -> Setting:
    return Setting(Scale(rounds=1, seconds=0.3), split_cores(), lambda line: None)


@needs_nginx
@needs_wrk
def test_a_missing_program_is_left_out_and_the_rest_goes_on() -> None:
    setting = _short_setting()
    missing = replace(NGINX, name="missing", program="no-such-proxy")
    series = take_turns(setting, NGINX_UPSTREAM, [missing, NGINX], load_turn(setting))
    assert series["missing"].absent == "`no-such-proxy` is not on this machine: install the Debian package nginx-light."
    assert len(series["nginx"].good) == 1


@needs_nginx
@needs_wrk
def test_a_program_that_ends_at_its_start_is_left_out_with_its_last_words() -> None:
    def prepare(site: Site) -> Command:
        return Command(("sh", "-c", "echo the roof is missing; exit 3"))

    setting = _short_setting()
    house = replace(NGINX, name="house", title="house", prepare=prepare)
    series = take_turns(setting, NGINX_UPSTREAM, [house, NGINX], load_turn(setting))
    assert series["house"].absent == "house ended at its start; its last words: the roof is missing"
    assert len(series["nginx"].good) == 1


@needs_nginx
@needs_wrk
def test_a_gateway_that_decides_something_else_than_what_is_measured_does_not_count() -> None:
    setting = _short_setting()
    other = replace(PLAIN, decision="take:grace")
    series = take_turns(setting, NGINX_UPSTREAM, [other], load_turn(setting))[other.name]
    assert series.good == []
    assert "the log has, instead of take:grace" in series.samples[0].trouble
    assert "forward:open" in series.samples[0].trouble


# --- The whole

ROWS = {
    "cost": ["cost", "policy", "trial", "zero"],
    "grace": ["grace"],
    "rules": ["rules"],
    "stream": ["stream-down", "stream-up", "memory"],
    "latency": ["latency-p50", "latency-p99"],
    "events": ["events"],
    "sockets": ["sockets"],
}


def test_every_measurement_is_run_by_the_test_below() -> None:
    assert ROWS.keys() == EVERY.keys()


@needs_nginx
@needs_wrk
@pytest.mark.timeout(400)
@pytest.mark.parametrize("name", ROWS)
def test_every_row_of_the_table_can_be_measured(name: str, tmp_path: Path) -> None:
    results = tmp_path / "results.json"
    done = subprocess.run(
        [sys.executable, "-m", "bench", "--short", "--seconds", "0.4", "--only", name, "--json", str(results)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=380,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    told = json.loads(results.read_text())
    assert [row["name"] for row in told["rows"]] == ROWS[name]
    for row in told["rows"]:
        # The price of the gateway itself is there also where a peer is not installed.
        assert row["beside"]["paywall"] is not None, (row, done.stderr)
        line = next(line for line in done.stdout.splitlines() if line.startswith(row["title"]))
        assert row["verdict"] in line
        assert (row["value"] is None) == (row["verdict"] == "not measured")
    assert told["short"] and told["finished"] and not told["whole"]
    assert told["machine"]["cores"] == len(os.sched_getaffinity(0))
    assert any(version.startswith("paywall ") for version in told["versions"])
    own = [series for title, series in told["samples"][name].items() if title.startswith("paywall")]
    assert own and all(len(series["samples"]) == 1 for series in own)


@needs_nginx
@needs_wrk
@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGTERM])
def test_an_interruption_leaves_no_process_and_keeps_what_there_is(tmp_path: Path, ending: signal.Signals) -> None:
    results = tmp_path / "results.json"
    arguments = ["--rounds", "1000", "--seconds", "0.3", "--only", "grace", "--json", str(results)]
    with (tmp_path / "progress").open("w+") as progress:
        process = subprocess.Popen(
            [sys.executable, "-m", "bench", *arguments],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=progress,
            text=True,
        )
        assert eventually(lambda: "round 2 of" in (tmp_path / "progress").read_text(), 60)
        tree = process_tree(process.pid)
        assert len(tree) > 3
        process.send_signal(ending)
        output, _ = process.communicate(timeout=30)
    assert process.returncode == 130
    assert "The run was interrupted" in output
    told = json.loads(results.read_text())
    assert not told["finished"]
    assert told["rows"][0]["value"] > 0
    assert all(_has_ended(stat.pid) for stat in tree)
