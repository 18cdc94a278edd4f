"""Servers of WebSockets, each with a gateway before it, as processes of their own."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.conformance import fronts
from tests.hostile.rig import OWN_CODE, running

from .echo import MAKES

_CONFIG = """\
upstream: http://127.0.0.1:{port}
store: embedded
data: "{data}"
routes:
  - {{path: "/never", class: result, name: never}}
"""


@dataclass(frozen=True, slots=True)
class Passage:
    """A server, and where it is reached without a gateway and through one."""

    make: str
    direct: int
    through: int


@contextlib.contextmanager
def passage(make: str, folder: Path, front: str = fronts.RUN) -> Iterator[Passage]:
    """A server of this make and a gateway, on the server `front`, before it."""
    assert make in MAKES

    def command(port: int, _: Path) -> list[str]:
        return [sys.executable, "-m", "tests.websockets.echo", make, str(port)]

    with running(f"echo-{make}", command, folder, OWN_CODE) as server:
        config = folder / f"gateway-{make}.yaml"
        config.write_text(_CONFIG.format(port=server.port, data=folder / f"data-{make}"))
        with fronts.running(front, config) as gateway:
            yield Passage(make, server.port, gateway.port)
