"""Notices that the config file has changed, in whatever way it was changed."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from pathlib import Path

from watchfiles import awatch

from gateway.settings.load import read_file
from gateway.settings.problem import ConfigProblems

DEBOUNCE_MS = 200
"""A change counts once nothing more has happened for this long: editors write in several steps."""
LOOK_AGAIN_MS = 5_000
"""Without any event the file is compared this often: network file systems send none."""


async def watch(path: Path | str, on_change: Callable[[], Awaitable[object]], known_digest: str | None = None) -> None:
    """Call `on_change` whenever the content of the file is another than before; runs until cancelled.

    `known_digest` is that of the content in use (`Loaded.digest`), so that a change before the start is noticed too;
    without it the content at the start counts as known. Not the file but its folder is watched, and the folder of
    what it points to: Kubernetes changes a mounted config by swapping a symbolic link beside the file, editors by
    renaming a new file over the old. A file that has gone is a change, too. What `on_change` raises ends the watch.
    """
    file = Path(path)
    known = known_digest if known_digest is not None else await asyncio.to_thread(_digest, file)
    async for _ in _moments(file):
        found = await asyncio.to_thread(_digest, file)
        if found != known:
            known = found
            await on_change()


async def _moments(file: Path) -> AsyncIterator[None]:
    """Whenever it is worth looking at the file: at once, after every event around it, and now and then without one."""
    while True:
        folders = await asyncio.to_thread(_folders, file)
        yield
        if not folders:
            await asyncio.sleep(DEBOUNCE_MS / 1000)
            continue
        # A folder can go between two steps of ours; then the next round finds out which are left.
        with contextlib.suppress(FileNotFoundError):
            async for _ in _events(folders):
                yield
                if await asyncio.to_thread(_folders, file) != folders:
                    break


def _events(folders: list[Path]) -> AsyncGenerator[object, None]:
    return awatch(
        *folders,
        watch_filter=None,
        debounce=DEBOUNCE_MS * 5,
        step=DEBOUNCE_MS,
        rust_timeout=LOOK_AGAIN_MS,
        yield_on_timeout=True,
        recursive=False,
    )


def _folders(file: Path) -> list[Path]:
    """The folders that are there: the file's, and the one of the file that it points to."""
    try:
        places = {file.parent.absolute(), file.resolve().parent}
    except (OSError, RuntimeError):
        places = {file.parent.absolute()}
    return sorted(place for place in places if place.is_dir())


def _digest(file: Path) -> str:
    """SHA-256 of the content; empty while there is none that can be read."""
    try:
        return hashlib.sha256(read_file(file)).hexdigest()
    except ConfigProblems:
        return ""
