"""The embedded store's unix socket: where it is, and a first question over it."""

from __future__ import annotations

import hashlib
import os
import socket
import stat
import tempfile
from enum import Enum
from pathlib import Path

from gateway.store.embedded.start_error import StoreStartError

_PATH_LIMIT = 103
"""Bytes. A socket's path has 108 on Linux and 104 on macOS, the closing zero included."""


class Health(Enum):
    """What the server says of itself."""

    ABSENT = "absent"
    LOADING = "loading"
    READY = "ready"
    SILENT = "silent"
    """It is there and does not answer."""


def socket_path(folder: Path) -> Path:
    """The socket of the store in this folder; elsewhere, in a private folder, when the path would be too long."""
    path = folder / "store.sock"
    if len(os.fsencode(path)) <= _PATH_LIMIT:
        return path
    name = hashlib.sha256(os.fsencode(folder)).hexdigest()[:16]
    short = Path(tempfile.gettempdir()) / f"paywall-{os.getuid()}-{name}" / "store.sock"
    if len(os.fsencode(short)) > _PATH_LIMIT:
        raise StoreStartError(
            f"the path of the data folder {folder} is too long for a unix socket, and so is the folder for "
            "temporary files: give a shorter data folder, or set TMPDIR to a shorter one"
        )
    return short


def make_private(folder: Path) -> None:
    """Make the folder for us alone, or see that it is: in /tmp another user may have been there first."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        found = folder.lstat()
    except OSError as error:
        raise StoreStartError(f"the folder {folder} can't be made: {error.strerror}") from None
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid():
        raise StoreStartError(f"the folder {folder} belongs to somebody else: remove it, or give another one")
    if stat.S_IMODE(found.st_mode) & 0o077:
        folder.chmod(0o700)


def ask(path: Path, command: bytes = b"PING", timeout: float = 0.5) -> Health:
    """Send one inline command and read what kind of answer comes. Blocks for `timeout` seconds at most."""
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(timeout)
        try:
            connection.connect(os.fsencode(path))
            connection.sendall(command + b"\r\n")
            answer = connection.recv(64)
        except TimeoutError:
            return Health.SILENT
        except OSError:
            return Health.ABSENT
    if answer.startswith(b"-LOADING"):
        return Health.LOADING
    return Health.READY if answer else Health.ABSENT
