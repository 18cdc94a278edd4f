"""Each server with the gateway in it, all before one application that records."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from .fronts import FRONTS, Front, running
from .upstream import RecordingUpstream

CONFIG = """
data: {data}
upstream: {{url: "{upstream}"}}
log: {{format: json}}
routes:
  - {{path: "/**", class: open}}
"""


@pytest.fixture(scope="session")
def upstream() -> Iterator[RecordingUpstream]:
    """The application behind all of them."""
    application = RecordingUpstream()
    yield application
    application.close()


@pytest.fixture(scope="session", params=FRONTS)
def front(
    request: pytest.FixtureRequest, upstream: RecordingUpstream, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Front]:
    """One of the servers."""
    folder = tmp_path_factory.mktemp("front")
    config = folder / "paywall.yaml"
    config.write_text(CONFIG.format(data=folder / "data", upstream=upstream.url))
    with running(request.param, config) as served:
        yield served
