"""What the config says about API keys."""

from __future__ import annotations

import re

from pydantic import Field, field_validator

from gateway.ports.fields import Secret, Settings

_HEADER = re.compile(r"header:[0-9A-Za-z-]{1,100}")
"""Requests with other names of headers are refused (`gateway.web.message`)."""


class ApiKeySettings(Settings):
    """Where the key is found, and optionally which keys exist."""

    sources: str | tuple[str, ...] = Field("header:x-api-key", alias="from")
    """`bearer` or `header:NAME`, or a list of them."""
    known: Secret | None = None
    """The keys that exist, one a line: a name, a space, the key's SHA-256 in hex. The name becomes the subject."""

    @field_validator("sources")
    @classmethod
    def _names_places(cls, value: str | tuple[str, ...]) -> str | tuple[str, ...]:
        for text in (value,) if isinstance(value, str) else value:
            if text != "bearer" and _HEADER.fullmatch(text) is None:
                raise ValueError(f"{text!r} is no place for an API key: write bearer or header:NAME")
            if text.lower() in ("header:authorization", "header:cookie"):
                raise ValueError(f"{text!r} holds more than a key: write bearer")
        if not value:
            raise ValueError("name at least one place: bearer or header:NAME")
        return value

    @property
    def headers(self) -> tuple[str, ...]:
        """Names of the headers to look at, lower case; `authorization` stands for a bearer."""
        texts = (self.sources,) if isinstance(self.sources, str) else self.sources
        names = ("authorization" if text == "bearer" else text.removeprefix("header:").lower() for text in texts)
        return tuple(dict.fromkeys(names))
