"""`paywall demo`, started once for all of its tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.flow.service import Service
from tests.free_port import free_port


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """The demo, with its real 336,776 flights."""
    folder = tmp_path_factory.mktemp("demo")
    port = free_port()
    running = Service(folder, "", ("demo", "--listen", f"127.0.0.1:{port}", "--data", str(folder / "data")))
    running.port = port
    running.start()
    yield running
    assert running.stop() == 0
