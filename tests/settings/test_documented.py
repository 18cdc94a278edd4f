"""docs/settings.md tells of every setting, and of none that is not there."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from enum import Enum
from pathlib import Path
from typing import Any, get_args

import pytest
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from gateway.settings.document import read_document, read_value
from gateway.settings.load import load_settings
from gateway.settings.schema import GatewaySettings

ROOT = Path(__file__).parents[2]
ROW = re.compile(
    r"^\| `([a-z0-9_.\[\]]+)` \| (.+?) \| (required|none|see below|five reasons|`[^`]*`) \| `([^`]*)` \|$", re.MULTILINE
)
ROWS = {
    key: (meaning, default, example)
    for key, meaning, default, example in ROW.findall((ROOT / "docs/settings.md").read_text())
}


def fields(model: type[BaseModel], prefix: str = "") -> Iterator[tuple[str, FieldInfo]]:
    """Every field of the config with its key: `routes[].answer.attachment`."""
    for name, field in model.model_fields.items():
        key = prefix + (field.alias or name)
        yield key, field
        inner, is_list = inner_model(field.annotation)
        if inner is not None:
            yield from fields(inner, key + ("[]." if is_list else "."))


def inner_model(annotation: Any) -> tuple[type[BaseModel] | None, bool]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation, False
    for part in get_args(annotation):
        inner, is_list = inner_model(part)
        if inner is not None:
            return inner, is_list or annotation.__class__.__name__ == "GenericAlias"
    return None, False


FIELDS = dict(fields(GatewaySettings))


def test_every_setting_is_described_and_every_description_is_of_a_setting() -> None:
    assert set(ROWS) == set(FIELDS)


@pytest.mark.parametrize("key", sorted(FIELDS))
def test_the_description_is_the_same_as_in_editors(key: str) -> None:
    description = FIELDS[key].description
    if not key.startswith("secret."):
        assert ROWS[key][0] == description


@pytest.mark.parametrize("key", sorted(FIELDS))
def test_the_default_is_the_true_one(key: str) -> None:
    written, field = ROWS[key][1], FIELDS[key]
    if field.is_required():
        assert written == "required"
    elif written.startswith("`"):
        default = field.get_default(call_default_factory=True, validated_data={})
        assert read_value(written.strip("`")) == in_yaml(default)
    else:
        assert (written == "none") == (field.default is None)


def in_yaml(default: Any) -> Any:
    """A default as it is read from YAML."""
    if isinstance(default, Enum):
        return default.value
    return list(default) if isinstance(default, tuple) else int(default) if default == "0" else default


@pytest.mark.parametrize("key", sorted(FIELDS))
def test_the_example_works(key: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PAYWALL_SECRET", "0123456789abcdef0123456789abcdef")
    text = ROWS[key][2]
    value = read_value(text) if text[0] in '[{"' else text
    config: dict[str, Any] = {"upstream": {"url": "http://localhost:3000"}, "secret": {"env": "PAYWALL_SECRET"}}
    templates: dict[str, Any] = {
        "former_secrets[]": {},
        "plans[]": {"id": "p", "name": "P", "price": "1.00 USD", "gives": "1d"},
        "routes[]": {"path": "/a", "class": "result"},
        "offer.reasons[]": {"id": "r", "text": "R"},
        "x402": {"facilitator": "https://a.example", "pay_to": f"0x{'1' * 40}", "network": "eip155:8453"},
        "lightning": {"lnd": "https://a.example", "macaroon": {"env": "LND_MACAROON"}},
        "x402.asset": {"address": f"0x{'1' * 40}", "symbol": "USDC", "name": "USDC", "version": "2"},
    }
    put(config, key, value if isinstance(value, dict | list) else read_or_text(text), templates)
    if key == "secret.file":
        config["secret"].pop("env")
        (tmp_path / "secret").write_text("0123456789abcdef0123456789abcdef")
        config["secret"]["file"] = str(tmp_path / "secret")
    if key == "lightning.macaroon.file":
        config["lightning"]["macaroon"].pop("env")
    if key == "upstream.urls":
        config["upstream"].pop("url")
    if key == "routes[].mode":
        config["routes"][0].pop("answer", None)
    file = tmp_path / "paywall.yaml"
    file.write_text(json.dumps(config))
    load_settings(file, environ={})


def read_or_text(text: str) -> Any:
    value = read_value(text)
    return text if value is None else value


def put(config: dict[str, Any], key: str, value: Any, templates: dict[str, Any]) -> None:
    """Set one key, with the keys around it that its section requires."""
    holder, walked = config, ""
    *sections, last = key.split(".")
    for section in sections:
        walked = f"{walked}.{section}" if walked else section
        if section.endswith("[]"):
            holder = holder.setdefault(section[:-2], [dict(templates[walked])])[0]
        else:
            holder = holder.setdefault(section, dict(templates.get(walked, {})))
    holder[last] = value


def test_the_large_sample_has_every_setting() -> None:
    data = read_document("x", (ROOT / "config/paywall.yaml").read_text()).data
    either = {
        "secret.file",
        "former_secrets[].file",
        "upstream.urls",
        "x402.authorization.file",
        "lightning.macaroon.file",
    }  # the sample has the other one of these
    there = {"offer.templates"}  # names a folder that must be there
    missing = [key for key in FIELDS if key not in either | there and not has(data, key.split("."))]
    assert missing == []


def has(data: Any, keys: list[str]) -> bool:
    if not keys:
        return True
    name = keys[0].removesuffix("[]")
    if not isinstance(data, dict) or name not in data:
        return False
    if keys[0].endswith("[]"):
        return any(has(item, keys[1:]) for item in data[name])
    return has(data[name], keys[1:])
