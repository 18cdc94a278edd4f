"""What every plugin of the gateway promises, read from the entry points as they are published."""

from __future__ import annotations

import asyncio
import importlib
import socket
import subprocess
import sys
import threading
import tomllib
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from gateway.ports.plugin import API_VERSION, Plugin
from tests.plugins.host import FakeHost

ROOT = Path(__file__).parents[2]
ENTRY_POINTS: dict[str, dict[str, str]] = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"][
    "entry-points"
]
IDENTITIES, TEASERS = ENTRY_POINTS["gateway.identity"], ENTRY_POINTS["gateway.teaser"]
STORAGES, PAYMENTS = ENTRY_POINTS["gateway.storage"], ENTRY_POINTS["gateway.payment"]
NEEDED: dict[str, dict[str, object]] = {
    "jwt": {"secret": {"env": "APP_SECRET"}}, "header": {"name": "x-user-id"}, "directory": {"path": "/nowhere"},
    "s3": {"bucket": "holds"}, "invoice": {"payee": "Northwind", "account": ["Bank 7"]},
    "stripe": {"secret_key": {"env": "STRIPE_KEY"}, "webhook_secrets": [{"env": "STRIPE_WEBHOOK_SECRET"}]},
    "yookassa": {"shop_id": "54401", "secret_key": {"env": "YOOKASSA_KEY"}},
    "midtrans": {"server_key": {"env": "MIDTRANS_KEY"}},
    "paddle": {
        "api_key": {"env": "PADDLE_KEY"}, "client_token": "live_1", "webhook_secrets": [{"env": "PADDLE_SECRET"}],
    },
}  # fmt: skip
PLUGINS = IDENTITIES | TEASERS | STORAGES | PAYMENTS
NAMES = [*PLUGINS]


def load(name: str) -> Plugin[Any, Any]:
    module, _, attribute = PLUGINS[name].partition(":")
    plugin: Plugin[Any, Any] = getattr(importlib.import_module(module), attribute)
    return plugin


@pytest.mark.parametrize("name", NAMES)
def test_a_plugin_is_one_published_value_in_a_typed_package(name: str) -> None:
    module = importlib.import_module(PLUGINS[name].partition(":")[0])
    assert module.__all__ == ["plugin"]
    assert module.__doc__
    plugin = load(name)
    assert plugin.api_version == API_VERSION
    assert plugin.summary.endswith(".")
    assert module.__file__ is not None
    assert (Path(module.__file__).parent / "py.typed").exists()


@pytest.mark.parametrize("name", NAMES)
def test_settings_are_strict_and_have_a_schema(name: str) -> None:
    plugin = load(name)
    with pytest.raises(ValidationError, match="Extra inputs"):
        plugin.settings.model_validate({**NEEDED.get(name, {}), "unheard-of": 1})
    assert plugin.settings.model_json_schema()["additionalProperties"] is False


@pytest.mark.parametrize("name", NAMES)
async def test_creating_has_no_effect_and_stopping_needs_no_start(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    plugin = load(name)
    settings = plugin.settings.model_validate(NEEDED.get(name, {}))

    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("creating a provider opens nothing")

    tasks, threads = len(asyncio.all_tasks()), threading.active_count()
    with monkeypatch.context() as patch:
        patch.setattr("builtins.open", refuse)
        patch.setattr(socket.socket, "connect", refuse)
        provider = plugin.create(settings, FakeHost())
    assert (len(asyncio.all_tasks()), threading.active_count()) == (tasks, threads)
    await provider.stop()


@pytest.mark.parametrize("name", TEASERS)
async def test_a_teaser_names_its_media_types(name: str) -> None:
    maker = load(name).create(load(name).settings(), FakeHost())
    assert maker.media_types
    assert all(text == text.lower() and text.count("/") == 1 for text in maker.media_types)
    assert maker.whole is (name in ("json", "image", "pdf"))


@pytest.mark.parametrize(("name", "absent"), [("image", "PIL"), ("pdf", "pypdfium2")])
def test_a_missing_library_is_said_at_the_start_with_the_mend(name: str, absent: str) -> None:
    program = f"""
import asyncio, sys
sys.modules[{absent!r}] = None
from gateway_teaser_{name} import plugin
maker = plugin.create(plugin.settings(), None)
try:
    asyncio.run(maker.start())
except RuntimeError as error:
    print(error)
"""
    told = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=ROOT)
    assert "pip install 'paywall-gateway[teasers]'" in told.stdout


@pytest.mark.parametrize("name", NAMES)
def test_loading_a_plugin_loads_no_heavy_optional_library(name: str) -> None:
    module = PLUGINS[name].partition(":")[0]
    heavy = ("PIL", "pypdfium2", "aiohttp", "obstore", "stripe")
    program = f"import sys, {module}; print([name for name in {heavy} if name in sys.modules])"
    told = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=ROOT)
    assert told.stdout.strip() == "[]"
