"""A gateway before an application whose pages ask for results by themselves."""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Iterator
from pathlib import Path

from .conftest import CONFIG
from .notices import PATIENT
from .raw import RawApplication, Script, answer
from .service import Service, running

CSV = b"name,amount\nfirst,1\nsecond,2\n"
HTML = b"content-type: text/html; charset=utf-8"
ICON = b'<link rel="icon" href="data:,">'
_paths = itertools.count()


class Overlaid:
    """The gateway and the application."""

    def __init__(self, service: Service, raw: RawApplication) -> None:
        self.service, self.raw = service, raw

    def serve(self, path: str, made: bytes | Script) -> str:
        """Answer so at this path; `*` in it becomes a number of its own."""
        path = path.replace("*", str(next(_paths)))
        self.raw.answers[path.encode()] = made
        return path

    def page(self, *headers: bytes, body: bytes) -> str:
        """A path of its own at which the application has a page."""
        return self.serve("/page-*", answer(HTML, *headers, body=body))

    def executed(self, path: str) -> int:
        """How often the application was asked for it."""
        return sum(head.split(b" ", 2)[1].partition(b"?")[0] == path.encode() for head in self.raw.heads)


@contextlib.contextmanager
def overlaid(folder: Path, raw: RawApplication, more: str = "") -> Iterator[Overlaid]:
    """A gateway, while the block lasts."""
    config = CONFIG.format(upstream=raw.url, data=folder / "data") + more
    with running(folder, config, beforehand=PATIENT) as service:
        yield Overlaid(service, raw)
