"""The schema for editors: sound, complete, and of one mind with the loader."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import jsonschema
import pytest
from pydantic import Field

from gateway.ports.fields import Duration, Secret, Settings
from gateway.settings.document import read_document
from gateway.settings.init import commented_config
from gateway.settings.json_schema import DIALECT, json_schema

ROOT = Path(__file__).parents[2]
BAD = Path(__file__).parent / "bad"
SAMPLES = [
    ROOT / "config/paywall.yaml",
    *sorted((ROOT / "config/examples").glob("*.yaml")),
    *sorted((Path(__file__).parent / "good").glob("*.yaml")),
]


class Key(Settings):
    """Where a key stands."""

    header: str = Field(description="Name of the header.")


class ApiKeySettings(Settings):
    """Settings of a plugin with a part of its own."""

    key: Key
    remembered: Duration = Field(default=60_000, description="How long.", validate_default=False)
    secret: Secret | None = None


class VisitorSettings(Settings):
    """Settings of a plugin that needs none."""


def data_of(text: str) -> dict[str, Any]:
    return read_document("x", text).data


def test_it_is_a_schema_of_the_dialect() -> None:
    schema = json_schema()
    assert schema["$schema"] == DIALECT
    jsonschema.Draft202012Validator.check_schema(schema)


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda path: path.stem)
def test_samples_fit(sample: Path) -> None:
    jsonschema.Draft202012Validator(json_schema()).validate(data_of(sample.read_text()))


def test_the_first_config_fits() -> None:
    jsonschema.Draft202012Validator(json_schema()).validate(data_of(commented_config("http://localhost:1")))


def test_everything_is_described() -> None:
    schema = json_schema()

    def walk(node: Any, place: str) -> None:
        for name, part in node.get("properties", {}).items():
            # Where section and field have the same description, the schema has it once, in the section.
            section = schema["$defs"].get(part.get("$ref", "").rpartition("/")[2], {})
            assert part.get("description") or section.get("description"), f"{place}.{name} has no description"
        for name, part in node.get("$defs", {}).items():
            if name != "Secret":
                walk(part, name)

    walk(schema, "")


@pytest.mark.parametrize(
    "case",
    [
        "unknown-top-key", "unknown-key-in-route", "not-yet-supported", "upstream-missing", "upstream-scheme",
        "upstream-without-url", "upstream-url-and-urls", "upstream-urls-empty", "upstream-urls-one-bad",
        "upstream-urls-text", "upstream-timeouts", "listen-no-port", "store-misspelt", "secret-inline",
        "trusted-proxies-text",
        "identity-as-text",
        "identity-two-keys", "trial-length", "trial-starts", "results-mode", "plans-mapping", "plan-fields",
        "plan-missing-fields", "sandbox-misspelt", "route-class-missing", "route-class-misspelt", "route-methods",
        "route-query", "route-names", "route-answer-fields", "route-store-failure", "route-grace", "holds", "canonical",
        "offer", "log", "route-body", "route-graphql", "route-rpc", "everything-at-once",
    ],
)  # fmt: skip
def test_editors_see_what_is_wrong_in_one_place(case: str) -> None:
    data = data_of((BAD / f"{case}.yaml").read_text())
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.Draft202012Validator(json_schema()).validate(data)


def test_plugins_bring_their_own() -> None:
    schema = json_schema({"identity": {"api_key": ApiKeySettings, "visitor": VisitorSettings}})
    jsonschema.Draft202012Validator.check_schema(schema)
    validator = jsonschema.Draft202012Validator(schema)
    base = "upstream: http://localhost:1\nidentity: "
    for good in ("[visitor: {}]", "[api_key: {key: {header: x}, remembered: 5m, secret: {env: A}}, visitor: {}]"):
        validator.validate(data_of(base + good))
    for bad in (
        "[visiter: {}]",
        "[visitor: {x: 1}]",
        "[api_key: {key: {heder: x}}]",
        "[api_key: {}]",
        "[visitor: {}, 1]",
    ):
        with pytest.raises(jsonschema.ValidationError):
            validator.validate(data_of(base + bad))
