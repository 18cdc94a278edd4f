"""`gateway.asgi:create_app`: what is wrong is said as `paywall run` says it, and the server ends."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from gateway import asgi
from tests.flow.service import DEADLINE
from tests.free_port import free_port

from .fronts import GRANIAN, RUN, UVICORN, command


def start(kind: str, config: Path, named: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PAYWALL_CONFIG": named}
    return subprocess.run(
        command(kind, free_port(), config), cwd=config.parent, env=environment, text=True, timeout=DEADLINE,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip


@pytest.mark.parametrize("kind", [UVICORN, GRANIAN])
def test_a_bad_config_is_told_as_the_command_tells_it(kind: str, tmp_path: Path) -> None:
    config = tmp_path / "paywall.yaml"
    config.write_text("upstream: {urll: x}\n")
    told = [line for line in start(RUN, config, "").stdout.splitlines() if line.startswith("paywall: ")]
    ended = start(kind, config, str(config))
    assert told
    assert [line for line in ended.stdout.splitlines() if line.startswith("paywall: ")] == told
    assert ended.returncode
    assert "Traceback" not in ended.stdout


def test_no_config_is_told(tmp_path: Path) -> None:
    ended = start(UVICORN, tmp_path / "paywall.yaml", "")
    assert "paywall: name the config file in the environment: PAYWALL_CONFIG=paywall.yaml" in ended.stdout
    assert ended.returncode


@pytest.mark.parametrize("kind", [UVICORN, GRANIAN])
def test_a_store_that_cannot_start_ends_the_server(kind: str, tmp_path: Path) -> None:
    config, data = tmp_path / "paywall.yaml", tmp_path / "data"
    data.write_text("a file where a folder should be")
    config.write_text(f"data: {data}\nupstream: {{url: 'http://127.0.0.1:9'}}\n")
    ended = start(kind, config, str(config))
    assert "the secret" in ended.stdout
    assert ended.returncode


async def test_whatever_goes_wrong_at_the_start_is_told_to_the_server(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A server that is not told goes on, and every request meets an error."""

    def broken(*_: object) -> None:
        raise ZeroDivisionError("nobody thought of this")

    config, told = tmp_path / "paywall.yaml", list[str]()
    config.write_text(f"data: {tmp_path / 'data'}\nupstream: {{url: 'http://127.0.0.1:9'}}\n")
    monkeypatch.setenv("PAYWALL_CONFIG", str(config))
    monkeypatch.setattr(asgi, "find_secret", broken)

    async def receive() -> dict[str, str]:
        return {"type": "lifespan.startup"}

    async def send(event: dict[str, str]) -> None:
        told.append(f"{event['type']} {event.get('message')}")

    await asgi.create_app()({"type": "lifespan"}, receive, send)
    assert told == ["lifespan.startup.failed nobody thought of this"]
    assert "ZeroDivisionError" in capsys.readouterr().err
