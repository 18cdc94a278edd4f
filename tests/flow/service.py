"""A real gateway process in front of a real application, as a user would start it."""

from __future__ import annotations

import contextlib
import html
import http.client
import json
import os
import re
import signal
import socket
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import redis

from gateway.cli.store_access import with_store
from gateway.core.subject import Subject, SubjectKind
from gateway.settings.load import load_settings
from gateway.store.embedded.server_socket import socket_path
from tests.free_port import free_port

_MAIN = "from gateway.cli.main import main; main()"
COMMAND = [sys.executable, "-m", "gateway.cli.main"]
DEADLINE = 20.0
START_SECONDS = 90.0
"""Most of what a start does is to compute: where many tests run beside each other, that takes a while."""


def wait_until(condition: Callable[[], Any], what: str, seconds: float = DEADLINE) -> Any:
    """Wait for something that must happen; fails when it does not."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        found = condition()
        if found:
            return found
        time.sleep(0.01)
    raise AssertionError(f"did not happen within {seconds} s: {what}")


@dataclass(frozen=True)
class Reply:
    """An answer as a client got it."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes

    def header(self, name: str) -> str:
        """All values of a header, joined."""
        return ", ".join(value for key, value in self.headers if key.lower() == name.lower())

    def json(self) -> Any:
        """The body as JSON."""
        return json.loads(self.body)

    @property
    def reason(self) -> str:
        """The gateway's reason; empty for an answer of the application."""
        return self.header("paywall-reason")


def visible(reply: Reply) -> str:
    """What a person reads on a page."""
    body = re.sub(r"<style>.*?</style>|<[^>]*>", " ", reply.body.decode(), flags=re.DOTALL)
    return " ".join(html.unescape(body).split())


class Service:
    """One gateway process."""

    def __init__(
        self,
        folder: Path,
        config: str,
        arguments: tuple[str, ...] = (),
        environment: Mapping[str, str] | None = None,
        beforehand: str = "",
    ) -> None:
        """`beforehand` is Python that its process runs first: it sets what is a constant there, or breaks something."""
        self.folder, self.port = folder, free_port()
        self.config = folder / "paywall.yaml"
        self.config.write_text(config)
        self._arguments = arguments or ("run", "--config", str(self.config), "--listen", f"127.0.0.1:{self.port}")
        self._command = [sys.executable, "-c", f"{beforehand}\n{_MAIN}"] if beforehand else COMMAND
        self._environment = {**os.environ, "PYTHONUNBUFFERED": "1", **(environment or {})}
        self.output: list[str] = []
        self.messages: list[str] = []
        self.process: subprocess.Popen[str] | None = None

    @property
    def address(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> Service:
        """Start it and wait until it is ready."""
        self.process = subprocess.Popen(
            [*self._command, *self._arguments], cwd=self.folder, text=True, env=self._environment,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip
        for stream, lines in ((self.process.stdout, self.output), (self.process.stderr, self.messages)):
            threading.Thread(target=_collect, args=(stream, lines), daemon=True).start()
        process = self.process
        try:
            wait_until(lambda: self._is_ready() or process.poll() is not None, "the gateway is ready", START_SECONDS)
        except AssertionError:
            process.kill()
            raise
        assert self._is_ready(), "\n".join(self.messages)
        return self

    def _is_ready(self) -> bool:
        return "paywall: ready\n" in self.messages

    def stop(self) -> int:
        """Stop it politely; the exit code."""
        assert self.process is not None
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(DEADLINE)
        for stream in (self.process.stdout, self.process.stderr):
            assert stream is not None
        return code

    def command(self, *arguments: str) -> str:
        """Run another command of `paywall` with this config; its standard output."""
        done = subprocess.run(
            [*COMMAND, *arguments, "--config", str(self.config)], cwd=self.folder, text=True, capture_output=True
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def expire(self, person: str) -> None:
        """End a person's trial, as `paywall subject expire` does, without a process of its own."""
        subject = Subject(SubjectKind.PERSON, person)
        with_store(load_settings(self.config).settings, lambda store: store.operations.expire(subject))

    def grace_used(self, person: str, scope: str) -> int:
        """Grace results of this person that are spent, in the purse of this route."""
        subject = Subject(SubjectKind.PERSON, person)
        exported = with_store(load_settings(self.config).settings, lambda store: store.operations.export(subject))
        purses: Any = exported["grace"]
        return len(purses.get(scope, {}))

    def store_calls(self) -> int:
        """How often the store was asked for something about anybody so far."""
        folder = load_settings(self.config).settings.data.resolve() / "store"
        with contextlib.closing(redis.Redis(unix_socket_path=str(socket_path(folder)))) as store:
            told = store.info("commandstats")
        # What is asked about a subject reads its fields so, once; events, counts and what is due are told without.
        return int(told.get("cmdstat_hmget", {"calls": 0})["calls"])

    def ledger(self, person: str) -> list[Any]:
        """What this person paid and was given."""
        subject = Subject(SubjectKind.PERSON, person)
        exported = with_store(load_settings(self.config).settings, lambda store: store.operations.export(subject))
        entries: Any = exported["ledger"]
        return list(entries)

    def memory(self) -> int:
        """Bytes of memory that the gateway's process has in use."""
        assert self.process is not None
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(re.findall(r"VmRSS:\s+(\d+) kB", status)[0]) * 1024

    def children(self) -> list[int]:
        """The processes that the gateway has started."""
        assert self.process is not None
        children: list[int] = []
        for task in Path(f"/proc/{self.process.pid}/task").iterdir():
            with contextlib.suppress(FileNotFoundError, ProcessLookupError):  # a thread that has ended meanwhile
                children += map(int, (task / "children").read_text().split())
        return children

    def connect(self, ahead: int = 0) -> socket.socket:
        """A connection to it, for exact bytes; `ahead` limits what this machine receives before it is read."""
        client = socket.socket()
        if ahead:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, ahead)
        client.settimeout(DEADLINE)
        client.connect(("127.0.0.1", self.port))
        return client

    def request(
        self, method: str, path: str, headers: Mapping[str, str] | None = None, body: bytes | None = None
    ) -> Reply:
        """One request over a connection of its own."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=DEADLINE)
        try:
            connection.request(method, path, body, dict(headers or {}))
            answer = connection.getresponse()
            return Reply(answer.status, answer.getheaders(), answer.read())
        finally:
            connection.close()

    def raw(self, data: bytes) -> bytes:
        """Send exact bytes and read until the gateway closes or is silent for a second."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=DEADLINE) as connection:
            connection.sendall(data)
            connection.settimeout(1.0)
            received = b""
            try:
                while piece := connection.recv(65536):
                    received += piece
            except TimeoutError:
                pass
            return received

    def entries(self) -> list[dict[str, Any]]:
        """The access log so far (configs of these tests log JSON)."""
        return [json.loads(line) for line in list(self.output) if line.startswith("{")]

    def entry(self, path: str, **fields: Any) -> dict[str, Any]:
        """The newest line of the access log for this path, with these fields; waits for it."""

        def find() -> Any:
            for entry in reversed(self.entries()):
                if entry["path"] == path and all(entry.get(name) == value for name, value in fields.items()):
                    return entry
            return None

        found: dict[str, Any] = wait_until(
            find, f"a log line for {path} with {fields}; there are {self.entries()[-3:]}"
        )
        return found

    def me(self, person: str) -> Any:
        """A person's own standing."""
        return self.request("GET", "/_paywall/me", {"x-user-id": person}).json()


class Administered(Service):
    """A gateway whose operators' side can be asked."""

    def __init__(
        self, folder: Path, config: str, beforehand: str = "", environment: Mapping[str, str] | None = None
    ) -> None:
        self.admin = Service.__new__(Service)
        self.admin.port = free_port()
        super().__init__(
            folder, f"admin: {{listen: 127.0.0.1:{self.admin.port}}}\n" + config, (), environment, beforehand
        )
        self.admin.process = None

    def status(self) -> Any:
        """What operators are told."""
        return self.admin.request("GET", "/status").json()

    def change(self, old: str, new: str) -> None:
        """Write the config anew, as an editor does: the whole file by a rename."""
        text = self.config.read_text()
        assert old in text
        draft = self.folder / "draft.yaml"
        draft.write_text(text.replace(old, new))
        draft.replace(self.config)

    def gates(self, path: str, person: str) -> bool:
        """Whether this person is asked to pay there."""
        return self.request("GET", path, {"x-user-id": person}).status == 402

    def said(self, text: str) -> bool:
        """Whether a line on standard error has this."""
        return any(text in line for line in list(self.messages))

    def metric(self, name: str, *labels: str) -> float:
        """The sum over the series of this name with these labels."""
        lines = self.admin.request("GET", "/metrics").body.decode().splitlines()
        found = [line for line in lines if line.startswith(name) and all(label in line for label in labels)]
        return sum(float(line.rsplit(" ", 1)[1]) for line in found)


@contextlib.contextmanager
def running(folder: Path, config: str, beforehand: str = "") -> Iterator[Service]:
    """A gateway that runs meanwhile."""
    service = Service(folder, config, beforehand=beforehand).start()
    try:
        yield service
    finally:
        code = service.stop()
    assert code == 0


def read_head(connection: socket.socket) -> tuple[bytes, bytes]:
    """The head of an answer with its empty line, and what came behind it already."""
    received = b""
    while b"\r\n\r\n" not in received:
        piece = connection.recv(65536)
        assert piece, f"closed within the head of its answer: {received!r}"
        received += piece
    head, separator, rest = received.partition(b"\r\n\r\n")
    return head + separator, rest


def read_to_end(connection: socket.socket) -> bytes:
    """Everything until the other side closes."""
    received = b""
    while piece := connection.recv(65536):
        received += piece
    return received


def alive(pid: int) -> bool:
    """Whether this process runs; one that ended and was not waited for does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in ("Z", "X")
    except (FileNotFoundError, ProcessLookupError):
        return False


def leave(connection: socket.socket) -> None:
    """Be gone at once, as a client whose machine was switched off and on: with a reset."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


def _collect(stream: Any, lines: list[str]) -> None:
    with stream:
        for line in stream:
            lines.append(line)


def pay(service: Service, person: str, address: str) -> Reply:
    """Go from a checkout address through the sandbox's page to the end, as a program would."""
    headers = {"x-user-id": person}
    begun = service.request("POST", address, headers)
    assert begun.status == 303, begun.body
    page = begun.header("location")
    assert service.request("GET", page, headers).status == 200
    return service.request("POST", page, headers, b"choice=pay")


FORM = {"content-type": "application/x-www-form-urlencoded"}
NAVIGATION = {"sec-fetch-mode": "navigate", "sec-fetch-site": "same-origin", "accept": "text/html"}
HOLD_ID = re.compile(r"/_paywall/hold/([A-Za-z0-9_-]{32})")
