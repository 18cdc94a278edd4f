"""Files of one process that outlive it: locked while it lives, however it ends, and then for one other to take over.

What is in them is for one store. `NAME.STORE.SUFFIX` says for which (`Identity`); `NAME.SUFFIX` is a file whose process
has not heard of its store, or one of a version that did not ask: it is for whichever store its finder has.
"""

from __future__ import annotations

import fcntl
import os
from contextlib import suppress
from pathlib import Path

_UNFINISHED = ".new"


def make_owned(path: Path) -> int:
    """A new file of ours, locked; its folder is made where it is missing. Raises OSError.

    It gets its name when it is locked: without a lock it would be taken for one that was left behind.
    """
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    unfinished = path.with_suffix(_UNFINISHED)
    file = locked(unfinished, os.O_CREAT | os.O_EXCL)
    try:
        unfinished.rename(path)
    except OSError:
        os.close(file)
        raise
    return file


def assign(path: Path, store: str) -> Path:
    """Let the name of a file of ours say which store it is for; its new path. Raises OSError."""
    name, *_, suffix = path.name.split(".")
    assigned = path.with_name(f"{name}.{store}.{suffix}")
    path.rename(assigned)
    return assigned


def is_for(path: Path, store: str) -> bool:
    """Whether what is in this file is for this store, as far as its name tells."""
    _, *named, _ = path.name.split(".")
    return named in ([], [store])


def inherit(path: Path) -> int | None:
    """The file of a process that has ended, locked; None where that process lives, or another was faster. Raises
    OSError."""
    try:
        file = locked(path, 0)
    except (BlockingIOError, FileNotFoundError):
        return None
    with suppress(FileNotFoundError):
        if os.path.samestat(path.stat(), os.fstat(file)):
            path.with_suffix(_UNFINISHED).unlink(missing_ok=True)
            return file
    os.close(file)  # it was removed, or written anew, between opening and locking
    return None


def locked(path: Path, flags: int) -> int:
    """The file, opened with these flags besides the usual ones. Raises OSError, BlockingIOError where it has a lock."""
    file = os.open(path, os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW | flags, 0o600)
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(file)
        raise
    return file
