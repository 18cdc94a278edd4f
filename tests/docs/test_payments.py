"""The pages about payment plugins tell of every setting and every kind of webhook."""

from __future__ import annotations

import importlib
from typing import Any

import pytest
from pydantic_core import PydanticUndefined

from gateway.settings.document import read_value
from gateway_pay_stripe.provider import StripeProvider
from tests.plugins.host import FakeHost

from .page import codes, read, rows, sections


def settings_of(name: str) -> Any:
    return importlib.import_module(f"gateway_pay_{name}").plugin.settings


@pytest.mark.parametrize("name", ["stripe"])
def test_every_setting_is_told_as_editors_are_told_it(name: str) -> None:
    told = {codes(row[0])[0]: row[1:] for row in rows(sections(read(f"payments/{name}.md"))["Settings"])}
    model = settings_of(name)
    assert {key: row[0] for key, row in told.items()} == {
        key: field.description for key, field in model.model_fields.items()
    }
    for key, field in model.model_fields.items():
        schema = model.model_json_schema()["properties"][key]
        default = schema.get("default", {} if field.default_factory else PydanticUndefined)
        written = PydanticUndefined if told[key][1] == "required" else read_value(told[key][1].strip("`"))
        assert written == default, key


@pytest.mark.parametrize("name", ["stripe"])
def test_every_example_works(name: str) -> None:
    page = rows(sections(read(f"payments/{name}.md"))["Settings"])
    examples = {codes(row[0])[0]: read_value(row[3].strip("`")) for row in page}
    assert settings_of(name).model_validate(examples)


@pytest.mark.parametrize("name", ["stripe"])
def test_the_webhook_and_what_is_not_known_are_told(name: str) -> None:
    assert f"/_paywall/provider/{name}/webhook" in read(f"payments/{name}.md")
    assert sections(read(f"payments/{name}.md"))["What could not be checked offline"].count("\n- ") >= 5


def test_every_event_of_stripe_is_told() -> None:
    told = {codes(row[0])[0] for row in rows(sections(read("payments/stripe.md"))["Set it up"])}
    needed = {"secret_key": {"env": "A"}, "webhook_secrets": [{"env": "B"}]}
    provider = StripeProvider(settings_of("stripe").model_validate(needed), FakeHost())
    assert told == set(provider._handlers)
