"""Settings as people write them, and secrets that nobody sees."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator
from pydantic import TypeAdapter, ValidationError

from gateway.core.money import Money
from gateway.core.quantity import DAY, Allowance
from gateway.ports.fields import AllowanceField, Duration, MoneyField, Secret, Settings, Size


class Example(Settings):
    """One of each."""

    length: Duration = 1
    size: Size = 1
    price: MoneyField = Money(1, "USD")
    grace: AllowanceField = Allowance(1, 0)


GOOD = [
    ("length", "14d", 14 * DAY),
    ("length", "0s", 0),
    ("size", "16MiB", 16 * 2**20),
    ("size", "0B", 0),
    ("size", "5 KB", 5000),
    ("price", "19.00 USD", Money(1900, "USD")),
    ("price", Money(1900, "USD"), Money(1900, "USD")),
    ("grace", "2 per 30d", Allowance(2, 30 * DAY)),
    ("grace", "2", Allowance(2, 0)),
    ("grace", 2, Allowance(2, 0)),
]
BAD = [
    ("length", "14", "write it like 90s"),
    ("length", 14, "write it like 90s"),
    ("length", True, "write it like 90s"),
    ("length", 1.5, "write it like 90s"),
    ("length", None, "write it like 90s"),
    ("length", ["14d"], "write it like 90s"),
    ("size", "16 megabytes", "write it like 500KB"),
    ("size", 500, "write it like 500KB"),
    ("price", "19.00", "write it like 19.00 USD"),
    ("price", 19, "write it like 19.00 USD"),
    ("price", 19.5, "write it like 19.00 USD"),
    ("price", False, "write it like 19.00 USD"),
    ("price", {"minor": 1}, "write it like 19.00 USD"),
    ("grace", "two", "write it like 2 per 30d"),
    ("grace", True, "write it like 2 per 30d"),
    ("grace", -1, "write it like 2 per 30d"),
]


def read(name: str, value: object) -> object:
    given = {"length": "1s", "size": "1B", "price": "1 USD", "grace": "1", name: value}
    return getattr(Example.model_validate(given), name)


@pytest.mark.parametrize(("name", "value", "meant"), GOOD)
def test_what_people_write_is_read(name: str, value: object, meant: object) -> None:
    assert read(name, value) == meant


@pytest.mark.parametrize(("name", "value", "allowed"), BAD)
def test_what_is_wrong_is_refused_with_what_is_allowed(name: str, value: object, allowed: str) -> None:
    with pytest.raises(ValidationError, match=allowed) as refused:
        read(name, value)
    assert [error["loc"] for error in refused.value.errors()] == [(name,)]


@pytest.mark.parametrize(("name", "value"), [(name, value) for name, value, _ in GOOD if isinstance(value, str)])
def test_an_editor_accepts_what_is_read(name: str, value: str) -> None:
    schema = Example.model_json_schema()["properties"][name]
    Draft202012Validator(schema).validate(value)


@pytest.mark.parametrize(("name", "value"), [(name, value) for name, value, _ in BAD if isinstance(value, str)])
def test_an_editor_refuses_what_is_refused(name: str, value: str) -> None:
    schema = Example.model_json_schema()["properties"][name]
    assert not Draft202012Validator(schema).is_valid(value)


def test_every_example_of_an_editor_is_read() -> None:
    for name, schema in Example.model_json_schema()["properties"].items():
        for example in schema["examples"]:
            read(name, example)


def test_a_key_that_nobody_knows_is_an_error() -> None:
    with pytest.raises(ValidationError, match="Extra inputs"):
        Example.model_validate({"lenght": "14d"})


def test_settings_stay_as_they_were_read() -> None:
    example = Example.model_validate({"length": "14d", "size": "1B"})
    with pytest.raises(ValidationError, match="frozen"):
        example.length = 3


SECRET = TypeAdapter(Secret)


class TestSecret:
    def test_comes_from_the_environment(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("APP_SECRET", "hush-hush")
        assert SECRET.validate_python({"env": "APP_SECRET"}).reveal() == b"hush-hush"

    def test_comes_from_a_file_without_its_last_line_end(self, tmp_path: Path) -> None:
        (tmp_path / "secret").write_bytes(b"hush\xff-hush\n")
        assert SECRET.validate_python({"file": str(tmp_path / "secret")}).reveal() == b"hush\xff-hush"

    @pytest.mark.parametrize("given", [{}, {"env": "A", "file": "b"}, {"env": None}])
    def test_is_given_by_exactly_one_reference(self, given: dict[str, object]) -> None:
        with pytest.raises(ValidationError, match="by reference"):
            SECRET.validate_python(given)

    @pytest.mark.parametrize("given", ["hush-hush", {"value": "hush-hush"}])
    def test_is_never_written_into_the_config(self, given: object) -> None:
        with pytest.raises(ValidationError):
            SECRET.validate_python(given)

    @pytest.mark.parametrize("value", [None, ""])
    def test_that_is_missing_in_the_environment_is_named(
        self, monkeypatch: pytest.MonkeyPatch, value: str | None
    ) -> None:
        monkeypatch.delenv("APP_SECRET", raising=False)
        if value is not None:
            monkeypatch.setenv("APP_SECRET", value)
        with pytest.raises(ValueError, match="APP_SECRET is not set or empty"):
            Secret(env="APP_SECRET").reveal()

    def test_whose_file_is_missing_or_empty_is_named(self, tmp_path: Path) -> None:
        with pytest.raises(ValueError, match=r"nowhere can't be read: No such file"):
            Secret(file=tmp_path / "nowhere").reveal()
        (tmp_path / "empty").write_text(" \n")
        with pytest.raises(ValueError, match=r"empty is empty"):
            Secret(file=tmp_path / "empty").reveal()

    def test_is_in_no_text_of_it(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("APP_SECRET", "hush-hush")
        secret = Secret(env="APP_SECRET")
        secret.reveal()
        assert "hush" not in repr(secret) + str(secret) + secret.model_dump_json() + json.dumps(secret.model_dump())
