"""Several processes behind one address: what one can't do, none does; what one knows, all do; none is left behind."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from gateway.cli.relay import Relay
from gateway.cli.serving import Prepared
from gateway.cli.worker_process import Logs, WorkerProcess
from gateway.settings.load import default_settings

from .application import CSV, OPEN_PAGE, Application
from .conftest import CONFIG
from .service import COMMAND, DEADLINE, Administered, Service, alive, read_head, read_to_end, wait_until

NEW_ROUTE = 'routes:\n  - {path: "/newly/**", class: result, mode: block, name: newly}\n'
WAITS = b"GET /any/waits HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n"

# Run by every Python of the gateway before its own program. `taken` is a file that only one of them can make.
ONE_REFUSES = """
import os, sys
if "gateway.cli.worker" in sys.orig_argv:
    from gateway.wiring import application
    configs, real = [], application.assemble

    def assemble(*parts):
        configs.append(parts)
        if len(configs) == 2:
            try:
                os.close(os.open({taken!r}, os.O_CREAT | os.O_EXCL))
            except FileExistsError:
                pass
            else:
                raise ValueError("broken by the test")
        return real(*parts)

    application.assemble = assemble
"""

NO_MEMORY_GROWS_OLD = """
from gateway.store import near

near.OLDEST_SECONDS = 3600.0
"""

DIES_IN_ITS_START = """
import os, sys
if "gateway.cli.worker" in sys.orig_argv:
    from gateway.wiring import application
    application.assemble = lambda *parts: os._exit(7)
"""

NONE_STARTS_AGAIN = """
import os, sys
if "gateway.cli.worker" in sys.orig_argv and os.path.exists({broken!r}):
    from gateway.wiring import application

    def assemble(*parts):
        raise ValueError("broken by the test")

    application.assemble = assemble
"""


class Crew(Administered):
    """A gateway with two workers. Connections to it are closed at the end of the test."""

    def __init__(self, *given: Any, **named: Any) -> None:
        self.clients: list[socket.socket] = []
        super().__init__(*given, **named)

    def connect(self, ahead: int = 0) -> socket.socket:
        client = super().connect(ahead)
        self.clients.append(client)
        return client

    def pids(self) -> list[int]:
        """Of the workers that serve."""
        return [worker["pid"] for worker in self.status()["workers"] if worker["answers"]]

    def whole(self) -> bool:
        """Whether all workers serve."""
        return self.admin.request("GET", "/health/ready").status == 200

    def server_of(self, client: socket.socket) -> int:
        """The worker that has this connection."""

        def find() -> int | None:
            theirs = f"{client.getsockname()[1]:04X}"
            for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
                _, local, remote, *_ = fields = line.split()
                if local.endswith(f":{self.port:04X}") and remote.endswith(f":{theirs}"):
                    return next((pid for pid in self.pids() if _has(pid, fields[9])), None)
            return None

        found: int = wait_until(find, "a worker has taken the connection")
        return found

    def connections(self, more: int = 0) -> dict[int, list[socket.socket]]:
        """Connections by worker: to each at least one, and `more` of whichever."""
        found: dict[int, list[socket.socket]] = {pid: [] for pid in self.pids()}
        while more > 0 or not all(found.values()):
            client = self.connect()
            found[self.server_of(client)].append(client)
            more -= 1
            assert sum(map(len, found.values())) < 400, "one worker alone gets all connections"
        return found


def _has(pid: int, inode: str) -> bool:
    for descriptor in Path(f"/proc/{pid}/fd").iterdir():
        try:
            if os.readlink(descriptor) == f"socket:[{inode}]":
                return True
        except FileNotFoundError:
            continue
    return False


def crew(folder: Path, application: Application, before_python: str = "") -> Crew:
    config = CONFIG.format(upstream=application.url, data=folder / "data").replace(
        "read_timeout: 3s", "read_timeout: 60s"
    )
    environment = {}
    if before_python:
        (folder / "python").mkdir()
        (folder / "python/sitecustomize.py").write_text(before_python)
        environment["PYTHONPATH"] = os.pathsep.join([str(folder / "python"), os.environ.get("PYTHONPATH", "")])
    return Crew(folder, "workers: 2\n" + config, environment=environment)


@pytest.fixture
def service(application: Application, tmp_path: Path) -> Iterator[Crew]:
    """A gateway that a test may end in its own way; whatever that is, nothing of it is left."""
    running = crew(tmp_path, application)
    running.start()
    assert running.process is not None
    children = running.children()
    yield running
    for client in running.clients:
        client.close()
    if running.process.poll() is None:
        children = running.children()
        assert running.stop() == 0
    wait_until(lambda: not any(map(alive, children)), "workers and store have ended")


def test_all_workers_serve_and_their_numbers_are_added_up(service: Crew) -> None:
    assert [line for line in service.messages if "ready" in line and "health" not in line] == ["paywall: ready\n"]
    clients = service.connections(more=6)
    assert len(clients) == 2
    asked = 0
    for theirs in clients.values():
        for client in theirs:
            client.sendall(b"GET /any HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")
            assert read_to_end(client).endswith(OPEN_PAGE)
            client.close()
            asked += 1
    wait_until(lambda: service.metric("paywall_decisions_total") == asked, "all requests are counted")
    assert service.metric("http_server_request_duration_seconds_count") == asked
    assert service.metric("paywall_overhead_seconds_bucket", 'le="+Inf"') == asked
    by_worker = {worker["pid"]: worker["requests"] for worker in service.status()["workers"]}
    assert by_worker == {pid: len(theirs) for pid, theirs in clients.items()}
    wait_until(lambda: len(service.entries()) == asked, "the access log has all of them")
    assert service.admin.request("GET", "/health/ready").json() == {"status": "ready", "store": True, "workers": True}


def test_a_worker_that_is_killed_takes_only_its_own_connections_along(service: Crew, application: Application) -> None:
    clients = service.connections(more=8)
    waiting = [client for theirs in clients.values() for client in theirs]
    for client in waiting:
        client.sendall(WAITS)
    wait_until(lambda: application.waiting == len(waiting), "all requests are under way")
    victim, other = clients
    counted = service.metric("paywall_decisions_total")
    os.kill(victim, signal.SIGKILL)
    for _ in range(30):
        assert service.request("GET", "/any").body == OPEN_PAGE, "no new connection is lost"
    wait_until(lambda: service.said(f"worker 1 (process {victim}) was ended by SIGKILL") or
               service.said(f"worker 2 (process {victim}) was ended by SIGKILL"), "its end is told")  # fmt: skip
    wait_until(lambda: len(service.pids()) == 2 and service.whole(), "another has taken its place")
    wait_until(lambda: application.waiting == len(clients[other]), "the application was told of the lost requests")
    application.let_go_on()
    assert all(CSV in read_to_end(client) for client in clients[other])
    for client in clients[victim]:
        with pytest.raises(ConnectionResetError):
            assert client.recv(1) == b""
            raise ConnectionResetError
    assert victim not in service.pids()
    assert len([line for line in service.messages if "starting another" in line]) == 1
    wait_until(lambda: service.metric("paywall_decisions_total") >= counted + 1, "counting goes on")
    assert all(service.connections().values()), "the new one serves"


def test_counters_never_fall_when_a_worker_ends(service: Crew) -> None:
    for _ in range(20):
        service.request("GET", "/any")
    wait_until(lambda: service.metric("paywall_decisions_total") == 20, "all requests are counted")
    for pid in service.pids():
        os.kill(pid, signal.SIGKILL)
    wait_until(lambda: len(service.pids()) == 2 and service.whole(), "others have taken their place")
    assert service.metric("paywall_decisions_total") == 20
    service.request("GET", "/any")
    wait_until(lambda: service.metric("paywall_decisions_total") == 21, "and counting goes on from there")


def test_an_access_log_line_is_whole_whoever_writes_and_whoever_dies(service: Crew) -> None:
    path = "/any/" + "x" * 6000
    ended = threading.Event()

    def ask() -> None:
        while not ended.is_set():
            try:
                service.request("GET", path)
            except OSError:  # of the worker that is killed
                continue

    askers = [threading.Thread(target=ask) for _ in range(8)]
    for asker in askers:
        asker.start()
    try:
        wait_until(lambda: len(service.output) > 200, "the log grows")
        os.kill(service.pids()[0], signal.SIGKILL)
        wait_until(lambda: len(service.pids()) == 2, "another has taken its place")
        before = len(service.output)
        wait_until(lambda: len(service.output) > before + 200, "the log grows on")
    finally:
        ended.set()
        for asker in askers:
            asker.join()
    assert {json.loads(line)["path"] for line in list(service.output)} == {path}


def test_a_new_config_reaches_all_workers(service: Crew) -> None:
    service.expire("ann")
    ask = b"GET /newly/made HTTP/1.1\r\nhost: x\r\nx-user-id: ann\r\n\r\n"
    clients = [theirs[0] for theirs in service.connections().values()]
    service.change("routes:\n", NEW_ROUTE)
    wait_until(lambda: service.said("the new config is in force"), "the config is taken")
    for client in clients:
        client.sendall(ask)
        assert read_head(client)[0].startswith(b"HTTP/1.1 402 "), "each of them gates the new route"
        client.close()
    status = service.status()
    assert {worker["digest"] for worker in status["workers"]} == {status["config"]["digest"]}
    assert service.metric("paywall_config_reloads_total", 'result="accepted"') == 1
    events = service.command("events", "--after", "0")
    assert events.count('"config-reloaded"') == 1, "one reload is one event"
    os.kill(service.pids()[0], signal.SIGKILL)
    wait_until(service.whole, "another has taken its place")
    for theirs in service.connections().values():
        theirs[0].sendall(ask)
        assert read_head(theirs[0])[0].startswith(b"HTTP/1.1 402 "), "one that is started later does so too"


def test_a_bad_config_is_refused_once_and_a_worker_started_later_does_not_take_it(service: Crew) -> None:
    assert service.process is not None
    digest = service.status()["config"]["digest"]
    service.change("routes:\n", "routes:\n  - {path: no-slash, class: open}\n")
    service.process.send_signal(signal.SIGHUP)
    wait_until(lambda: service.said("was not taken; the old one goes on"), "the bad config is refused")
    reply = service.admin.request("POST", "/reload")
    assert reply.status == 422 and "routes[0].path" in str(reply.json()["problems"])
    assert service.metric("paywall_config_last_reload_successful") == 0
    os.kill(service.pids()[0], signal.SIGKILL)
    wait_until(service.whole, "another has taken its place, by the config in force")
    assert {worker["digest"] for worker in service.status()["workers"]} == {digest}


def test_what_one_worker_can_not_put_in_force_none_does(application: Application, tmp_path: Path) -> None:
    service = crew(tmp_path, application, ONE_REFUSES.format(taken=str(tmp_path / "taken")))
    service.start()
    try:
        digest = service.status()["config"]["digest"]
        service.change("routes:\n", NEW_ROUTE)
        wait_until(lambda: service.said("was not taken; the old one goes on"), "the config is refused")
        told = [line for line in service.messages if "broken by the test" in line]
        assert told == [f"paywall: {service.config}: the new config can't be put in force: broken by the test\n"]
        status = service.status()
        assert {worker["digest"] for worker in status["workers"]} == {digest} == {status["config"]["digest"]}
        assert service.metric("paywall_config_last_reload_successful") == 0
        service.change(NEW_ROUTE, NEW_ROUTE + "\n")
        wait_until(lambda: service.said("the new config is in force"), "the next one is taken")
        assert digest not in {worker["digest"] for worker in service.status()["workers"]}
    finally:
        assert service.stop() == 0


def test_a_worker_that_can_not_start_again_is_told_with_longer_and_longer_pauses(
    application: Application, tmp_path: Path
) -> None:
    broken = tmp_path / "broken"
    service = crew(tmp_path, application, NONE_STARTS_AGAIN.format(broken=str(broken)))
    service.start()
    try:
        broken.touch()
        os.kill(service.pids()[0], signal.SIGKILL)
        words = "is missing: the gateway can't start: broken by the test; starting another in"
        for pause in ("0.2 s", "0.4 s", "0.8 s"):
            wait_until(lambda end=f"{words} {pause}": service.said(end), f"told, with {pause}")  # type: ignore[misc]
        assert service.admin.request("GET", "/health/ready").json() == {
            "status": "not ready", "store": True, "workers": False,
        }  # fmt: skip
        assert service.request("GET", "/any").body == OPEN_PAGE, "the other goes on"
        broken.unlink()
        wait_until(service.whole, "it is back")
    finally:
        assert service.stop() == 0


def test_told_to_stop_while_one_is_missing_it_ends_without_complaint(application: Application, tmp_path: Path) -> None:
    broken = tmp_path / "broken"
    service = crew(tmp_path, application, NONE_STARTS_AGAIN.format(broken=str(broken)))
    service.start()
    broken.touch()
    os.kill(service.pids()[0], signal.SIGKILL)
    wait_until(lambda: service.said("starting another in 0.8 s"), "nobody starts one for a while")
    assert service.stop() == 0
    assert not [line for line in service.messages if "Traceback" in line or "never retrieved" in line]


PATIENT_WITH_HEADS = """
import sys
from gateway.wire import protocol

protocol.HEAD_SECONDS_LIMIT = 60.0
"""


def test_an_operator_who_never_finishes_asking_does_not_keep_it(application: Application, tmp_path: Path) -> None:
    service = crew(tmp_path, application, PATIENT_WITH_HEADS)
    service.start()
    assert service.process is not None
    with service.admin.connect() as operator:
        operator.sendall(b"GET /metrics HTTP/1.1\r\nho")
        assert service.whole(), "what was sent before has come by now"
        assert service.stop() == 0


def test_a_gateway_whose_workers_can_not_start_says_so_and_ends(application: Application, tmp_path: Path) -> None:
    broken = tmp_path / "broken"
    broken.touch()
    service = crew(tmp_path, application, NONE_STARTS_AGAIN.format(broken=str(broken)))
    with pytest.raises(AssertionError):
        service.start()
    assert service.process is not None and service.process.wait(DEADLINE) == 1
    wait_until(lambda: service.said("broken by the test"), "the reason is told")
    assert [line for line in service.messages if "broken by" in line] == [
        "paywall: the gateway can't start: broken by the test\n"
    ]


def test_a_worker_that_dies_in_its_start_is_told_with_how(application: Application, tmp_path: Path) -> None:
    service = crew(tmp_path, application, DIES_IN_ITS_START)
    with pytest.raises(AssertionError):
        service.start()
    assert service.process is not None and service.process.wait(DEADLINE) == 1
    told = "paywall: the gateway can't start: a worker ended with exit code 7 before it served\n"
    wait_until(lambda: service.messages[-1:] == [told], "its end is told, and nothing after it")
    assert not service.said("Unknown child process")


async def test_the_end_of_a_worker_is_told_as_it_was_to_whoever_ends_it_again(tmp_path: Path) -> None:
    """A signal to a process that has just ended must not take its exit code away from who waits for it."""
    loaded = default_settings("http://127.0.0.1:9", environ={"PAYWALL__DATA": str(tmp_path / "data")})
    with open(os.devnull, "wb") as nowhere, socket.create_server(("127.0.0.1", 0)) as listener:
        logs = Logs(Relay(nowhere.fileno()), Relay(nowhere.fileno()))
        opened = Prepared(f"unix://{tmp_path}/no-store", b"s" * 32, listener, None)
        for _ in range(6):
            worker = await WorkerProcess.begin(1, loaded, opened, logs)
            for _ in range(20_000):  # without a pause, so that one of them comes between its end and the waiting
                worker.kill()
            assert await worker.ended() == "was ended by SIGKILL"


def test_one_worker_told_to_stop_finishes_its_requests_and_is_replaced(service: Crew, application: Application) -> None:
    clients = service.connections()
    pid, (client, *_) = next(iter(clients.items()))
    client.sendall(WAITS)
    wait_until(lambda: application.waiting == 1, "the request is under way")
    os.kill(pid, signal.SIGTERM)
    assert service.request("GET", "/any").body == OPEN_PAGE
    assert alive(pid), "it waits for its request"
    application.let_go_on()
    assert CSV in read_to_end(client)
    wait_until(lambda: service.said(f"(process {pid}) ended with exit code 0; starting another"), "its end is told")
    wait_until(service.whole, "another has taken its place")


def test_told_to_stop_all_workers_finish_what_is_under_way(service: Crew, application: Application) -> None:
    assert service.process is not None
    clients = service.connections()
    waiting = [client for theirs in clients.values() for client in theirs]
    for client in waiting:
        client.sendall(WAITS)
    wait_until(lambda: application.waiting == len(waiting), "the requests are under way")
    idle = service.connect()
    service.server_of(idle)
    service.process.send_signal(signal.SIGTERM)
    assert idle.recv(1) == b"", "an idle connection is closed"
    with pytest.raises(subprocess.TimeoutExpired):
        service.process.wait(1.0)  # one that does not wait for the requests is gone by then
    assert all(map(alive, clients))
    application.let_go_on()
    assert all(CSV in read_to_end(client) for client in waiting)
    assert service.process.wait(DEADLINE) == 0
    wait_until(lambda: "paywall: stopped\n" in service.messages, "it says that it stopped")
    assert len([entry for entry in service.entries() if entry["path"] == "/any/waits"]) == len(waiting)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_told_twice_it_stops_at_once(service: Crew, application: Application, number: signal.Signals) -> None:
    assert service.process is not None
    clients = service.connections()
    waiting = [client for theirs in clients.values() for client in theirs]
    for client in waiting:
        client.sendall(WAITS)
    wait_until(lambda: application.waiting == len(waiting), "the requests are under way")
    idle = service.connect()
    service.server_of(idle)
    service.process.send_signal(number)
    assert idle.recv(1) == b""
    service.process.send_signal(number)
    assert service.process.wait(DEADLINE / 2) == 0
    wait_until(lambda: application.waiting == 0, "the application was told")


def test_killed_it_leaves_no_worker_behind(service: Crew) -> None:
    assert service.process is not None
    children = service.children()
    assert len(children) == 3, "two workers and the store"
    service.process.kill()
    service.process.wait()
    wait_until(lambda: not any(map(alive, children)), "all have ended with the gateway")
    again = Crew(service.folder, service.config.read_text().partition("\n")[2])
    again.start()
    assert again.stop() == 0


def test_a_second_gateway_on_the_same_folder_is_refused(service: Crew) -> None:
    assert service.process is not None
    second = subprocess.run(
        [*COMMAND, "run", "--config", str(service.config), "--listen", "127.0.0.1:0", "--workers", "3"],
        capture_output=True, text=True, cwd=service.folder, env={**os.environ, "PAYWALL__ADMIN__LISTEN": "127.0.0.1:0"},
    )  # fmt: skip
    assert second.returncode == 1
    assert f"is in use by the gateway with process id {service.process.pid}" in second.stderr
    assert service.request("GET", "/any").status == 200


def test_what_a_command_changes_holds_in_every_worker_at_once(application: Application, tmp_path: Path) -> None:
    """Each of them remembers whom it saw in the trial, and forgets it when the store tells of the change."""
    service = crew(tmp_path, application, NO_MEMORY_GROWS_OLD)
    service.start()
    try:
        clients = [theirs[0] for theirs in service.connections().values()]
        for _ in range(3):
            assert [_report_for_ann(client) for client in clients] == [200, 200]
        service.command("subject", "expire", "ann")
        for client in clients:
            wait_until(lambda: _report_for_ann(client) == 402, "this worker knows of it")  # noqa: B023 - ends within
        service.command("subject", "grant", "ann", "--period", "30d")
        assert [_report_for_ann(client) for client in clients] == [200, 200]
    finally:
        for client in service.clients:
            client.close()
        assert service.stop() == 0


def _report_for_ann(client: socket.socket) -> int:
    client.sendall(b"GET /report.csv HTTP/1.1\r\nhost: x\r\nx-user-id: ann\r\n\r\n")
    head, body = read_head(client)
    size = int(next(line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:"))[15:])
    while len(body) < size:
        body += client.recv(65536)
    return int(head.split(b" ")[1])


def test_the_secret_stands_in_no_command_line_and_no_environment(service: Crew, tmp_path: Path) -> None:
    secret = (tmp_path / "data/secret").read_bytes()
    for pid in service.pids():
        for place in ("cmdline", "environ"):
            assert secret not in Path(f"/proc/{pid}/{place}").read_bytes()


def test_a_module_in_the_working_folder_does_not_pass_for_one_of_the_gateways(
    application: Application, tmp_path: Path
) -> None:
    (tmp_path / "uvloop.py").write_text("raise SystemExit('taken from the working folder')")
    config = CONFIG.format(upstream=application.url, data=tmp_path / "data")
    file = tmp_path / "paywall.yaml"
    file.write_text(config)
    program = "import sys; sys.path.remove(''); from gateway.cli.main import main; main()"
    process = subprocess.Popen(
        [sys.executable, "-c", program, "run", "--config", str(file), "--listen", "127.0.0.1:0", "--workers", "2"],
        cwd=tmp_path, text=True, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL,
    )  # fmt: skip
    assert process.stderr is not None
    said: list[Any] = []
    try:
        for line in process.stderr:
            said.append(line)
            if line == "paywall: ready\n":
                break
        assert said[-1] == "paywall: ready\n", said
    finally:
        process.terminate()
        with process.stderr:
            process.stderr.read()
        assert process.wait(DEADLINE) == 0


def test_one_worker_is_the_gateway_itself(application: Application, tmp_path: Path) -> None:
    service = Service(tmp_path, "workers: 1\n" + CONFIG.format(upstream=application.url, data=tmp_path / "data"))
    service.start()
    assert len(service.children()) == 1, "the store alone"
    assert service.stop() == 0
