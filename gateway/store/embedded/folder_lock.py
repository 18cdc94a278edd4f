"""One gateway for one data folder."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

from gateway.store.embedded.start_error import StoreStartError


class FolderLock:
    """Holds a folder for this process until it ends, however it ends."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._file: int | None = None

    def acquire(self) -> None:
        """Take the folder. Raises `StoreStartError` that names it and the process that has it."""
        path = self._folder / "lock"
        file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            holder = os.pread(file, 20, 0).decode("ascii", "replace").strip() or "unknown"
            os.close(file)
            raise StoreStartError(
                f"the data folder {self._folder} is in use by the gateway with process id {holder}: "
                "stop that one, or give this one a data folder of its own"
            ) from None
        os.ftruncate(file, 0)
        os.pwrite(file, f"{os.getpid()}\n".encode(), 0)
        self._file = file

    def release(self) -> None:
        """Let the folder go. The file stays: removing it would let two processes lock two files of one name."""
        if self._file is not None:
            os.close(self._file)
            self._file = None
