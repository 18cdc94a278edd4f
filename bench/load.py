"""The load: Debian's `wrk`, driven so that its numbers need no reading of prose."""

from __future__ import annotations

import http.client
import os
import signal
import subprocess
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from bench.processes import Unavailable, find_program, pinned, stop

CONNECTIONS = 32

# Without `request` in it wrk runs no Lua for single requests.
_SCRIPT = """
function done(summary, latency, requests)
  local errors = summary.errors
  print(string.format("totals %d %d %d %d %d %d %d %d", summary.requests, summary.duration, summary.bytes,
    errors.status, errors.connect, errors.read, errors.write, errors.timeout))
end
"""
# All requests are made before the first is sent; a look into a table is what each of them costs.
_VARIED = """
local made, turn = {}, 0
function init(arguments)
  for n = 1, %d do
    local headers = {}
    for name, value in pairs(wrk.headers) do headers[name] = value:gsub("{n}", n) end
    made[n] = wrk.format("GET", (wrk.path:gsub("{n}", n)), headers)
  end
end
function request()
  turn = turn %% #made + 1
  return made[turn]
end
"""


@dataclass(frozen=True)
class Target:
    """What is asked for: `GET http://127.0.0.1:port/path` with these `Name: value` headers.

    `{n}` in path and headers stands for a number from 1 to `variants`, one after the other.
    """

    port: int
    path: str
    headers: tuple[str, ...] = ()
    variants: int = 1

    def numbered(self, number: int) -> Target:
        """The one with this number."""
        headers = tuple(header.replace("{n}", str(number)) for header in self.headers)
        return Target(self.port, self.path.replace("{n}", str(number)), headers)


@dataclass(frozen=True)
class Load:
    """What one run of wrk did; `trouble` is empty or says in words why the run does not count."""

    requests: int
    seconds: float
    trouble: str


def run_load(target: Target, seconds: float, cores: set[int], folder: Path, expected_bytes: int) -> Load:
    """Loads `target` for about `seconds` (fractions are allowed) with 32 connections from `cores`.

    `expected_bytes` is the least size of a right answer; shorter ones on average are reported as trouble,
    because wrk itself does not count a redirect as an error.
    """
    program = find_program("wrk")
    if program is None:
        raise Unavailable("The load generator is missing: install the Debian package wrk.")
    script = folder / "totals.lua"
    script.write_text(_SCRIPT + (_VARIED % target.variants if target.variants > 1 else ""))
    arguments = [program, "-t1", f"-c{CONNECTIONS}", "-d3600s", "-s", str(script)]
    for header in target.headers:
        arguments += ["-H", header]
    arguments.append(f"http://127.0.0.1:{target.port}{target.path}")
    return _read_totals(_run_for(pinned(cores, tuple(arguments)), seconds), expected_bytes)


def check_answer(target: Target, body: bytes) -> str:
    """Asks once; the empty string when the answer is 200 with exactly `body`, else what it was instead."""
    target = target.numbered(1)
    connection = http.client.HTTPConnection("127.0.0.1", target.port, timeout=5)
    headers = dict(header.split(": ", 1) for header in target.headers)
    try:
        connection.request("GET", target.path, headers=headers)
        answer = connection.getresponse()
        received = answer.read()
    except (OSError, http.client.HTTPException) as problem:
        return f"no answer ({type(problem).__name__}: {problem})"
    finally:
        connection.close()
    if answer.status != 200:
        return f"answered {answer.status} instead of 200"
    return "" if received == body else f"answered {len(received)} bytes that are not the upstream's {len(body)}"


def _run_for(line: list[str], seconds: float) -> str:
    process = subprocess.Popen(line, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True)
    try:
        with suppress(subprocess.TimeoutExpired):
            process.wait(seconds)
        # wrk takes whole seconds only; told to stop by this signal it finishes its report as usual.
        with suppress(ProcessLookupError):
            os.kill(process.pid, signal.SIGINT)
        output, _ = process.communicate(timeout=30)
    finally:
        if process.returncode is None:
            stop(process)
    return output.decode(errors="replace")


def _read_totals(output: str, expected_bytes: int) -> Load:
    line = next((line for line in output.splitlines() if line.startswith("totals ")), None)
    if line is None:
        return Load(0, 0.0, f"wrk did not finish: {' '.join(output.split())[-200:] or 'it printed nothing'}")
    requests, microseconds, received, status, connect, read, write, timeout = map(int, line.split()[1:])
    troubles = [
        (status, f"{status} answers of 400 or above"),
        (connect, f"{connect} refused connections"),
        (read + write, f"{read + write} broken connections"),
        (timeout, f"{timeout} time-outs"),
        (not requests, "no request was answered"),
        (received < requests * expected_bytes, "answers shorter than the upstream's"),
    ]
    return Load(requests, microseconds / 1e6, ", ".join(text for happened, text in troubles if happened))
