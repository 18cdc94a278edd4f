"""Values that are written as one piece of text."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pydantic import GetCoreSchemaHandler
from pydantic_core import CoreSchema, core_schema


def written(value: object) -> Any:
    """A default as it is written in a config; the field's own type reads it."""
    return value


class Written:
    """Pydantic schema of a value that is written as one text and read by `parse`."""

    def __init__(self, parse: Callable[[str], object], example: str, pattern: str = "") -> None:
        self.parse, self.example, self.pattern = parse, example, pattern

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """Text is parsed; a value that is read already passes."""

        def read(value: object) -> object:
            if isinstance(value, str):
                return self.parse(value)
            if source is not str and isinstance(value, source):
                return value
            raise ValueError(f"must be text, like {self.example}")

        return core_schema.no_info_plain_validator_function(read)

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: Any) -> dict[str, Any]:
        """Text, with the pattern that the parser begins with."""
        pattern = {"pattern": self.pattern} if self.pattern else {}
        return {"type": "string", **pattern}
