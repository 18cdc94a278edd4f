"""A real Valkey server beside the gateway, for whoever has none: nothing to install, nothing to configure.

Started by the command line's parent process and supervised by it: started again when it dies, stopped on exit, and
gone too when the parent is killed. POSIX only.
"""

from __future__ import annotations

import atexit
import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from urllib.parse import quote

from gateway.store.embedded.folder_lock import FolderLock
from gateway.store.embedded.pdeathsig_exec import dying_with_us
from gateway.store.embedded.server_program import find_server, write_settings
from gateway.store.embedded.server_socket import Health, ask, make_private, socket_path
from gateway.store.embedded.start_error import StoreStartError

__all__ = ["EmbeddedStore", "StoreStartError"]

_START_DEADLINE = 15.0
_STOP_DEADLINE = 5.0
_LOOK_AGAIN = 0.01
_FIRST_BACKOFF, _LONGEST_BACKOFF = 0.1, 5.0
_STEADY = 30.0
"""Seconds. A server that ran this long is started again without having its earlier deaths held against it."""


class EmbeddedStore:
    """The server of one data folder; everything of its own is in the part `store` of it, closed to other users.

    `report` gets one line for the operator whenever something happens; it is called from another thread.
    """

    def __init__(self, folder: Path, report: Callable[[str], None]) -> None:
        self._folder = folder.resolve() / "store"
        self._tell = report
        self._lock = FolderLock(self._folder)
        self._owner = os.getpid()
        # While started.
        self._socket = Path()
        self._program = Path()
        self._thread: threading.Thread | None = None
        self._stopping = threading.Event()
        self._first_start = threading.Event()
        self._failure: StoreStartError | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._process_change = threading.Lock()

    @property
    def pid(self) -> int | None:
        """The server's process id; None while there is none."""
        process = self._process
        return process.pid if process is not None and process.poll() is None else None

    def start(self) -> str:
        """Start the server and wait until it answers; gives its address, `unix://...`. Raises `StoreStartError`."""
        make_private(self._folder)
        self._lock.acquire()
        try:
            self._prepare()
            self._stopping.clear()
            self._first_start.clear()
            self._failure = None
            # The kernel kills the server when the *thread* that started it ends: one thread does both for life.
            self._thread = threading.Thread(target=self._supervise, name="embedded store", daemon=True)
            self._thread.start()
            atexit.register(self.stop)
            self._first_start.wait()
            if self._failure is not None:
                raise self._failure
        except BaseException:
            self.stop()
            raise
        return f"unix://{quote(str(self._socket))}"

    def stop(self) -> None:
        """Stop the server and let the folder go. Safe to call again; does nothing in a forked child."""
        if os.getpid() != self._owner:
            return
        self._stopping.set()
        with self._process_change:
            if self._process is not None:
                _end(self._process)
        if self._thread is not None:
            self._thread.join()
            self._thread = None
        atexit.unregister(self.stop)
        if self._socket.parent not in (self._folder, Path()):
            with suppress(OSError):
                self._socket.parent.rmdir()
        self._lock.release()

    def __enter__(self) -> str:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _prepare(self) -> None:
        self._program = find_server()
        self._socket = socket_path(self._folder)
        make_private(self._socket.parent)
        self._stop_leftover()
        log = self._folder / "store.log"
        if log.exists():
            log.replace(log.with_suffix(".log.1"))
        write_settings(self._folder / "store.conf", self._folder, self._socket, self._pid_file)

    @property
    def _pid_file(self) -> Path:
        return self._folder / "store.pid"

    def _stop_leftover(self) -> None:
        """End the server of a gateway that was killed where the kernel does not do so. The folder is ours by now."""
        if ask(self._socket) is Health.ABSENT:
            return
        self._report(f"stopping the embedded store that another gateway left behind in {self._folder}")
        ask(self._socket, b"SHUTDOWN NOSAVE", timeout=_STOP_DEADLINE)
        if self._gone():
            return
        holder = self._pid_file.read_text().strip() if self._pid_file.exists() else ""
        if holder.isdigit() and _works_in(int(holder), self._folder):
            os.kill(int(holder), signal.SIGKILL)
        if not self._gone():
            raise StoreStartError(
                f"a server that a killed gateway left behind still uses {self._folder}: "
                f"end it first (its process id is {holder or 'not known'})"
            )

    def _gone(self) -> bool:
        deadline = time.monotonic() + _STOP_DEADLINE
        while ask(self._socket, timeout=0.1) is not Health.ABSENT:
            if time.monotonic() > deadline:
                return False
            time.sleep(_LOOK_AGAIN)
        return True

    def _supervise(self) -> None:
        backoff = _FIRST_BACKOFF
        while not self._stopping.is_set():
            began = time.monotonic()
            try:
                ended = self._run_once()
            except OSError as error:  # no more processes, no more files: may pass
                ended = f"can't be started ({error})"
                self._start_failed(ended)
            if self._stopping.is_set():
                break
            if time.monotonic() - began > _STEADY:
                backoff = _FIRST_BACKOFF
            self._report(f"the embedded store {ended}; starting it again in {backoff:g} s{self._last_words()}")
            self._stopping.wait(backoff)
            backoff = min(backoff * 2, _LONGEST_BACKOFF)
        self._first_start.set()

    def _run_once(self) -> str:
        """One life of the server; how it ended."""
        process = self._spawn()
        if process is None:
            return "is no longer wanted"
        if not self._answers(process):
            process.kill()
            self._start_failed(how_it_ended(process.wait()))
        elif self._first_start.is_set():
            self._report("the embedded store answers again")
        else:
            self._first_start.set()
        return how_it_ended(process.wait())

    def _spawn(self) -> subprocess.Popen[bytes] | None:
        """Start the server; None when it is no longer wanted."""
        settings = str(self._folder / "store.conf")
        command = dying_with_us(str(self._program), settings)
        with self._process_change, (self._folder / "store.log").open("ab") as log:
            if self._stopping.is_set():
                return None
            # A session of its own: Ctrl-C in the terminal is for the gateway, which drains before the store may go.
            self._process = subprocess.Popen(  # noqa: S603 - every part of the command is ours
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd="/", start_new_session=True
            )
            return self._process

    def _answers(self, process: subprocess.Popen[bytes]) -> bool:
        """Wait until the server answers; False when it ended, is not wanted any more, or took too long."""
        deadline = time.monotonic() + _START_DEADLINE
        while process.poll() is None and not self._stopping.is_set() and time.monotonic() < deadline:
            health = ask(self._socket)
            if health is Health.READY:
                return True
            if health is Health.LOADING:  # reading much data takes its time
                deadline = time.monotonic() + _START_DEADLINE
            self._stopping.wait(_LOOK_AGAIN)
        return False

    def _start_failed(self, how: str) -> None:
        """The first time is for `start` to tell; later ones are tried again."""
        if not self._first_start.is_set():
            self._failure = StoreStartError(
                f"the embedded store in {self._folder} did not start: {self._program} {how}{self._last_words()}"
            )
            self._stopping.set()

    def _report(self, line: str) -> None:
        # A report that fails must not end the thread: the server would end with it.
        with suppress(Exception):
            self._tell(line)

    def _last_words(self) -> str:
        """The last line of the server's log, for an error."""
        try:
            lines = (self._folder / "store.log").read_text("utf-8", "replace").split("\n")
        except OSError:
            return ""
        told = [line.strip() for line in lines if line.strip()]
        return f"; the end of {self._folder / 'store.log'}: {told[-1]}" if told else ""


def _end(process: subprocess.Popen[bytes]) -> None:
    """SIGTERM, which writes everything to the disk; SIGKILL for one that does not obey."""
    if process.poll() is not None:
        return
    process.terminate()
    try:
        process.wait(_STOP_DEADLINE)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _works_in(process_id: int, folder: Path) -> bool:
    """Whether this process is a server of this folder: ids are given out again, working folders tell (Linux only)."""
    try:
        return Path(f"/proc/{process_id}/cwd").readlink() == folder
    except OSError:
        return False


def how_it_ended(code: int) -> str:
    """The end of a process in words, out of its exit code."""
    if code < 0:
        return f"was ended by {signal.Signals(-code).name}"
    return f"ended with exit code {code}"
