"""Settings from outside the file: environment variables (`PAYWALL__UPSTREAM__URL`) and options (`--upstream`)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from gateway.settings.document import Document, Mark, read_value
from gateway.settings.problem import KeyPath, Problem, key_text

PREFIX = "PAYWALL__"
SEPARATOR = "__"

_EITHER: dict[KeyPath, KeyPath] = {
    ("upstream", "url"): ("upstream", "urls"),
    ("upstream", "urls"): ("upstream", "url"),
}
"""Keys of which a config has one."""


@dataclass(frozen=True, slots=True)
class Override:
    """One setting that replaces what the file says. `name` is what a problem with it is called by."""

    name: str
    path: KeyPath
    text: str


def overrides_of(environ: Mapping[str, str]) -> list[Override]:
    """The settings among environment variables, in an order in which a whole comes before its parts."""
    found = []
    for name in sorted(environ):
        if name.startswith(PREFIX):
            parts = name.removeprefix(PREFIX).lower().split(SEPARATOR)
            path = tuple(int(part) if part.isascii() and part.isdigit() and len(part) < 7 else part for part in parts)
            found.append(Override(name, path, environ[name]))
    return found


def apply_overrides(document: Document, overrides: Iterable[Override]) -> dict[KeyPath, str]:
    """Put the settings into the document, with their names as places.

    Returns the texts of those that were read as something other than text, for places where only text fits.
    """
    texts: dict[KeyPath, str] = {}
    for override in overrides:
        holder = _holder(document, override)
        if holder is None:
            continue
        value = _value(override.text)
        _displace(document, override)
        key = override.path[-1]
        for path in [path for path in document.marks if path[: len(override.path)] == override.path]:
            del document.marks[path]
        holder[key] = value
        _mark(document, override.path, value, Mark(override.name))
        if not isinstance(value, str):
            texts[override.path] = override.text
    return texts


def _displace(document: Document, override: Override) -> None:
    """An application given from outside takes the place of the file's, `url` that of `urls` too; an option any's."""
    other = _EITHER.get(override.path)
    if other is not None and (override.name.startswith("--") or document.mark(other).line):
        document.data["upstream"].pop(other[-1], None)
        for path in [path for path in document.marks if path[: len(other)] == other]:
            del document.marks[path]


def _holder(document: Document, override: Override) -> Any:
    """What the key is to be put into; None, with a problem noted, where that is impossible."""
    holder: Any = document.data
    for depth, part in enumerate(override.path):
        here, last = override.path[:depth], depth == len(override.path) - 1
        if isinstance(holder, dict) and isinstance(part, str) and part:
            if last:
                return holder
            if here == () and part == "upstream" and isinstance(holder.get(part), str):
                _expand(document, holder, part)
            if holder.get(part) is None:
                holder[part] = {}
                document.marks.setdefault((*here, part), Mark(override.name))
            holder = holder[part]
        elif isinstance(holder, list) and isinstance(part, int) and part < len(holder):
            if last:
                return holder
            holder = holder[part]
        else:
            document.problems.append(Problem(override.name, _impossible(holder, here), key_text(override.path)))
            return None
    return None


def _expand(document: Document, holder: dict[str, Any], key: str) -> None:
    """The short form `upstream: URL` becomes the long one, so that a part of it can be replaced."""
    holder[key] = {"url": holder[key]}
    document.marks[(key, "url")] = document.mark((key,))


def _impossible(holder: object, here: KeyPath) -> str:
    place = f"`{key_text(here)}`" if here else "the config"
    if isinstance(holder, list):
        allowed = f"name one by its number, 0 to {len(holder) - 1}" if holder else "set it as a whole"
        return f"{place} is a list of {len(holder)} items: {allowed}"
    if isinstance(holder, dict):
        return f"{place} is a mapping: name one of its keys"
    return f"{place} has no keys of its own: set it as a whole"


def _mark(document: Document, path: KeyPath, value: object, mark: Mark) -> None:
    document.marks[path] = mark
    parts: Iterable[tuple[str | int, object]] = ()
    if isinstance(value, dict):
        parts = value.items()
    elif isinstance(value, list):
        parts = enumerate(value)
    for key, part in parts:
        _mark(document, (*path, key), part, mark)


def _value(text: str) -> Any:
    """Lists and mappings as YAML writes them in one line, numbers, true and false; else the text itself."""
    if not text.strip():
        return None
    value = read_value(text)
    if isinstance(value, dict | list):
        return value if text.lstrip()[0] in "[{" else text
    if isinstance(value, str):
        return value if text.lstrip()[0] in "'\"" else text
    return text if value is None and text.strip() not in ("null", "~") else value
