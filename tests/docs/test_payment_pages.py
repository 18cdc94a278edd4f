"""The pages of providers with an API tell their settings as they are, and show a config that loads."""

from __future__ import annotations

import importlib
import json
from pathlib import Path
from typing import Any

import pytest
from pydantic import Field
from pydantic_core import PydanticUndefined

from gateway.core.quantity import format_duration
from gateway.ports.fields import Duration, Settings
from gateway.settings.load import load_settings
from gateway.settings.problem import Severity
from gateway.wiring.plugins import check_plugins

from .page import DOCS, blocks, codes, rows, sections

PAGES = [DOCS / "payments" / f"{name}.md" for name in ("midtrans", "paddle", "yookassa")]
LEAST = {"Setting it up", "Settings", "How it works", "What could not be checked offline"}


def settings_of(page: Path) -> type[Settings]:
    settings: type[Settings] = importlib.import_module(f"gateway_pay_{page.stem}").plugin.settings
    return settings


def fields_of(settings: type[Settings], prefix: str = "") -> dict[str, tuple[str, str]]:
    """Name, description and default as the table writes them, of the fields and those within."""
    found: dict[str, tuple[str, str]] = {}
    for name, field in settings.model_fields.items():
        found[prefix + name] = (str(field.description), written(field.default, str(field.annotation)))
    for name, field in settings.model_fields.items():
        for inner in getattr(field.annotation, "__args__", ()):
            if isinstance(inner, type) and issubclass(inner, Settings) and inner.__name__ != "Secret":
                found |= fields_of(inner, f"{prefix}{name}.")
    return found


def written(default: Any, annotation: str) -> str:
    if default is PydanticUndefined:
        return "required"
    if default is None:
        return "none"
    if isinstance(default, bool) or default in ([], {}, ()):
        return f"`{json.dumps(default)}`"
    if isinstance(default, int) and default >= 1000:
        return f"`{format_duration(default)}`"
    return f"`{default}`"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_the_table_tells_every_setting(page: Path) -> None:
    table = rows(sections(page.read_text("utf-8"))["Settings"])
    told = {codes(row[0])[0]: (row[1], row[2]) for row in table}
    assert told == fields_of(settings_of(page))
    assert all(row[3] for row in table)


def test_a_setting_that_is_told_otherwise_is_noticed() -> None:
    class Other(Settings):
        shop: str = Field(description="The shop.")
        wait: Duration = Field(default=90_000, validate_default=False, description="How long.")

    assert fields_of(Other) == {"shop": ("The shop.", "required"), "wait": ("How long.", "`1m30s`")}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_the_page_says_what_it_must(page: Path) -> None:
    assert set(sections(page.read_text("utf-8"))) >= LEAST


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_its_configs_load(page: Path, tmp_path: Path) -> None:
    configs = [block for block in blocks(page.read_text("utf-8")) if "payments" in block.marks]
    assert configs
    for block in configs:
        file = tmp_path / "paywall.yaml"
        file.write_text(block.text, "utf-8")
        # That its secrets are not set here is a warning.
        found = check_plugins(load_settings(file, environ={}))
        assert not [problem.message for problem in found if problem.severity is Severity.ERROR]
