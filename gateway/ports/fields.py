"""Types of settings, shared by the config and by the settings of plugins.

Each reads what people write (`14d`, `16MiB`, `19.00 USD`, `2 per 30d`) and says in its error what is allowed.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, GetCoreSchemaHandler, WithJsonSchema
from pydantic.functional_validators import BeforeValidator
from pydantic_core import CoreSchema, core_schema

from gateway.core.money import Money
from gateway.core.quantity import Allowance, parse_duration, parse_size


def _text(parse: Any, example: str) -> Any:
    def read(value: object) -> object:
        if isinstance(value, bool) or not isinstance(value, str | int):
            raise ValueError(f"write it like {example}")
        return parse(str(value))

    return BeforeValidator(read)


Duration = Annotated[
    int,
    _text(parse_duration, "90s, 15m, 24h or 14d"),
    WithJsonSchema({"type": "string", "pattern": r"^(\d+(ms|s|m|h|d|w))+$", "examples": ["90s", "15m", "24h", "14d"]}),
]
"""Milliseconds, written `90s`, `15m`, `24h`, `14d`."""

Size = Annotated[
    int,
    _text(parse_size, "500KB or 16MiB"),
    WithJsonSchema({"type": "string", "pattern": r"^\d+ ?([KMG]i?B|TiB|B)$", "examples": ["500KB", "16MiB"]}),
]
"""Bytes, written `500KB`, `16MiB`."""


class _Parsed:
    """Pydantic schema of a core value that is written as text."""

    def __init__(self, parse: Any, example: str, pattern: str) -> None:
        self.parse, self.example, self.pattern = parse, example, pattern

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        def read(value: object) -> object:
            if isinstance(value, source):
                return value
            if isinstance(value, bool) or not isinstance(value, str | int):
                raise ValueError(f"write it like {self.example}")
            return self.parse(str(value))

        return core_schema.no_info_plain_validator_function(read)

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: Any) -> dict[str, Any]:
        return {"type": "string", "pattern": self.pattern, "examples": [self.example]}


MoneyField = Annotated[Money, _Parsed(Money.parse, "19.00 USD", r"^\d+(\.\d+)? ?[A-Z]{3}$")]
"""Money, written `19.00 USD`."""

AllowanceField = Annotated[Allowance, _Parsed(Allowance.parse, "2 per 30d", r"^\d+( per (\d+(ms|s|m|h|d|w))+)?$")]
"""So many in a window, written `2 per 30d`."""


class Settings(BaseModel):
    """Base of everything that is read from a config: unknown keys are errors, values are frozen."""

    model_config = ConfigDict(extra="forbid", frozen=True, validate_default=True)


class Secret(Settings):
    """A secret by reference: `{env: NAME}` or `{file: PATH}`. Never part of a config, a log or a `repr`."""

    env: str | None = Field(default=None, description="The environment variable that holds it.")
    file: Path | None = Field(default=None, description="The file that holds it.")

    def model_post_init(self, context: object) -> None:
        """Exactly one of the two must be given."""
        if (self.env is None) == (self.file is None):
            raise ValueError("give a secret by reference: {env: NAME} or {file: PATH}")

    def reveal(self) -> bytes:
        """The secret itself. Raises `ValueError` that says what is missing, never what was found."""
        if self.env is not None:
            value = os.environ.get(self.env, "").encode()
            if not value:
                raise ValueError(f"the environment variable {self.env} is not set or empty")
            return value
        assert self.file is not None
        try:
            value = self.file.read_bytes().strip()
        except OSError as error:
            raise ValueError(f"the secret file {self.file} can't be read: {error.strerror}") from None
        if not value:
            raise ValueError(f"the secret file {self.file} is empty")
        return value
