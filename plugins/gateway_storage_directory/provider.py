"""Chunks as files, written so that none is ever seen in part, nor lost once it was said to be there.

A few lines of our own: the libraries for object stores write files, too, but none of them waits for the disk, and their
files can be read by whoever may look into the folder.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import secrets
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

from pydantic import Field

from gateway.ports.fields import Settings
from gateway.ports.plugin import Host
from gateway.ports.storage import StorageUnavailable, Stored, checked

_UNFINISHED = ".new-"
_ATTEMPTS = 5
_THREADS = 16
CALL_SECONDS = 30.0
"""A disk that hangs is waited for so long."""

T = TypeVar("T")


class DirectorySettings(Settings):
    """Which directory."""

    path: Path = Field(
        description="The directory, which is the gateway's alone; made where it is missing. Several gateways on one "
        "store have it in common.",
        examples=["/var/lib/paywall/holds"],
    )


class DirectoryStorage:
    """The port `Storage`: a folder for each name, a file for each chunk."""

    def __init__(self, settings: DirectorySettings, host: Host) -> None:
        """Nothing is touched before `start`."""
        self._root = settings.path
        # Its own: a disk that hangs (a share whose server is gone) keeps its threads, and whatever else of the gateway
        # needs one, as names of hosts do, must not wait behind them. They end with the last who uses this object.
        self._threads = ThreadPoolExecutor(_THREADS, "storage of held results")

    async def start(self) -> None:
        """Make the directory. Raises `RuntimeError` where it can't be written to, or does not answer."""
        try:
            is_ours = await self._do(lambda: _begin(self._root))
        except StorageUnavailable as error:
            raise RuntimeError(f"{error}: it can't be made") from None
        if not is_ours:
            raise RuntimeError(f"the storage {self._root} can't be written to by this user")

    async def stop(self) -> None:
        """Nothing to close: a download that goes on is read to its end."""

    async def write(self, name: str, number: int, chunk: bytes) -> None:
        """See the port. Durable: the file and the names that lead to it have been handed to the disk."""
        await self._do(lambda: _write(self._root, checked(name), number, chunk))

    async def read(self, name: str, number: int) -> bytes | None:
        """See the port."""
        return await self._do(lambda: _read(self._root / checked(name) / str(number)))

    async def remove(self, name: str) -> None:
        """See the port."""
        await self._do(lambda: _remove(self._root, checked(name)))

    async def walk(self, under: str) -> AsyncIterator[Stored]:
        """See the port."""
        found = _walk(self._root, self._root / checked(under))
        while (stored := await self._do(lambda: next(found, None))) is not None:
            yield stored

    async def _do(self, work: Callable[[], T]) -> T:
        try:
            async with asyncio.timeout(CALL_SECONDS):
                return await asyncio.get_running_loop().run_in_executor(self._threads, work)
        except TimeoutError:
            raise StorageUnavailable(f"the storage {self._root} did not answer within {CALL_SECONDS:g} s") from None
        except OSError as error:
            raise StorageUnavailable(f"the storage {self._root}: {error.strerror or error}") from None


def _begin(root: Path) -> bool:
    root.mkdir(mode=0o700, parents=True, exist_ok=True)
    return os.access(root, os.R_OK | os.W_OK | os.X_OK)


def _write(root: Path, name: str, number: int, chunk: bytes) -> None:
    folder = root / name
    unfinished = folder / f"{_UNFINISHED}{number}-{secrets.token_hex(4)}"
    file = _open_new(root, folder, unfinished)
    try:
        try:
            left = memoryview(chunk)
            while left:
                left = left[os.write(file, left) :]
            os.fsync(file)
        finally:
            os.close(file)
        unfinished.rename(folder / str(number))
    except BaseException:
        unfinished.unlink(missing_ok=True)
        raise
    _sync(folder)


def _open_new(root: Path, folder: Path, path: Path) -> int:
    """A new file in a folder, which is made where it is missing; durable, too, with those above it."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW
    for _ in range(_ATTEMPTS):
        # Whoever removes another name may have removed a folder that was empty still, also one of those above.
        with contextlib.suppress(FileNotFoundError):
            if not folder.exists():
                _make(root, folder)
            return os.open(path, flags, 0o600)
    return os.open(path, flags, 0o600)


def _make(root: Path, folder: Path) -> None:
    above = [each for each in reversed(folder.parents) if each.is_relative_to(root)]
    for each in (*above, folder):
        # One by one: `parents=True` would give those above the rights of the process's own mask.
        with contextlib.suppress(FileExistsError):
            each.mkdir(mode=0o700)
    # Also those that somebody else has just made, and may not have handed to the disk yet.
    for each in above:
        _sync(each)


def _sync(folder: Path) -> None:
    file = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(file)
    finally:
        os.close(file)


def _read(file: Path) -> bytes | None:
    try:
        return file.read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        return None


def _remove(root: Path, name: str) -> None:
    folder = root / name
    with contextlib.suppress(FileNotFoundError):
        for entry in list(os.scandir(folder)):
            if not entry.is_dir(follow_symlinks=False):
                Path(entry.path).unlink(missing_ok=True)
    for each in (folder, *folder.parents):
        if each == root:
            return
        try:
            each.rmdir()
        except FileNotFoundError:
            continue
        except OSError:  # it is not empty
            return


def _walk(root: Path, folder: Path) -> Iterator[Stored]:
    """What lies in this folder and in those below it. What is only begun counts by its date alone."""
    sizes: dict[int, int] = {}
    changed, begun, below = 0, False, []
    try:
        entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
    except (FileNotFoundError, NotADirectoryError):
        return
    for entry in entries:
        if entry.is_dir(follow_symlinks=False):
            below.append(Path(entry.path))
            continue
        with contextlib.suppress(FileNotFoundError):
            found = entry.stat(follow_symlinks=False)
            if entry.name.isdecimal():
                sizes[int(entry.name)] = found.st_size
            elif entry.name.startswith(_UNFINISHED):
                begun = True
            else:
                continue
            changed = max(changed, found.st_mtime_ns // 1_000_000)
    if sizes or begun:
        yield Stored(folder.relative_to(root).as_posix(), sizes, changed)
    for each in below:
        yield from _walk(root, each)
