"""One application and one gateway for the whole folder; tests use people of their own."""

from __future__ import annotations

import itertools
import sys
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from gateway.cli.main import main

from .application import Application
from .raw import RawApplication
from .service import Service

CONFIG = """
data: {data}
upstream: {{url: "{upstream}", read_timeout: 3s}}
sandbox: allowed
trusted_proxies: [127.0.0.1/32]
identity:
  - header: {{name: x-user-id}}
  - visitor: {{}}
trial: {{length: 14d, starts: first-visit}}
results_after_trial: {{mode: hold, grace: 0}}
holds: {{max_size: 2MiB, max_total: 5MiB, max_count: 4, max_wait: 1s}}
plans:
  - {{id: single, name: This result, price: 3.00 USD, gives: 1 result}}
  - {{id: five, name: Five results, price: 10.00 USD, gives: 5 results}}
  - {{id: month, name: Thirty days, price: 19.00 USD, gives: 30d}}
payments:
  - sandbox: {{}}
log: {{format: json}}
routes:
  - {{path: "/static/**", class: exempt, name: static}}
  - {{path: "/**/{{file}}.css", class: exempt, name: styles}}
  - {{path: "/report.csv", class: result, name: report}}
  - {{path: "/export.php", class: result, name: script}}
  - {{path: "/reports/{{id}}", class: result, name: dynamic}}
  - {{path: "/blocked/**", class: result, mode: block, name: blocked}}
  - {{path: "/preview/**", class: result, mode: preview, name: preview}}
  - {{path: "/grace/**", class: result, grace: 2 per 30d, name: graceful}}
  - {{path: "/metered/**", class: result, mode: block, grace: 2 per 30d, name: metered}}
  - {{path: "/priced", class: result, price: 4.50 USD, name: priced}}
  - {{path: "/letters", class: result, name: letters}}
  - {{path: "/large", class: result, name: large}}
  - {{path: "/endless", class: result, name: endless}}
  - {{path: "/cut", class: result, name: cut}}
  - {{path: "/slow", class: result, name: slow}}
  - {{path: "/fails", class: result, grace: 1 per 30d, name: fails}}
  - {{path: "/missing", class: result, grace: 1 per 30d, name: missing}}
  - {{path: "/not-a-result", class: result, grace: 1 per 30d, name: no-result}}
  - {{path: "/empty", class: result, name: empty}}
  - {{path: "/events", class: result, name: events}}
  - {{path: "/socket", class: result, name: socket}}
  - {{path: "/projects", methods: [POST], class: action, name: create-project}}
  - {{path: "/docs/**", answer: {{attachment: true, media_type: [text/csv]}}, class: result, name: documents}}
  - {{path: "/**", class: open}}
"""

_people = itertools.count()


@pytest.fixture(scope="session")
def application() -> Iterator[Application]:
    """The application behind the gateway."""
    running = Application().start()
    yield running
    running.close()


@pytest.fixture(scope="session")
def service(application: Application, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """The gateway."""
    folder = tmp_path_factory.mktemp("gateway")
    running = Service(folder, CONFIG.format(upstream=application.url, data=folder)).start()
    yield running
    assert running.stop() == 0


@pytest.fixture(scope="module")
def raw() -> Iterator[RawApplication]:
    """An application of exact bytes."""
    running = RawApplication()
    yield running
    running.close()


@pytest.fixture
def person() -> str:
    """Somebody nobody has seen yet: on trial."""
    return f"somebody-{next(_people)}"


@pytest.fixture
def expired(service: Service, person: str) -> str:
    """Somebody whose trial is over."""
    service.expire(person)
    return person


@dataclass(frozen=True)
class Done:
    """How a command ended, and what it said."""

    code: int
    output: str
    messages: str


Paywall = Callable[..., Done]


@pytest.fixture
def paywall(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Paywall:
    """Run a command as `paywall` does, but in this process: one of its own takes a second to start."""

    def run(*arguments: object) -> Done:
        monkeypatch.setattr(sys, "argv", ["paywall", *map(str, arguments)])
        capsys.readouterr()
        code = 0
        try:
            with warnings.catch_warnings():
                # cyclopts takes a command line read under pytest for a mistake; here it is meant.
                warnings.filterwarnings("ignore", "Cyclopts application invoked without tokens")
                main()
        except SystemExit as end:
            code = end.code if isinstance(end.code, int) else 0
        output, messages = capsys.readouterr()
        return Done(code, output, messages)

    return run


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A config whose gateway does not run."""
    folder = tmp_path_factory.mktemp("alone")
    file = folder / "paywall.yaml"
    file.write_text(CONFIG.format(upstream="http://127.0.0.1:9", data=folder / "data"))
    return file
