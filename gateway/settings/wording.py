"""Says in words for people what pydantic found, at the place where it was found."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from gateway.settings.problem import KeyPath, Severity

_QUOTED = re.compile(r"'([^']*)'")
_EMPTY = "is empty: give it a value or remove the key"


@dataclass(frozen=True, slots=True)
class Finding:
    """A problem that does not know yet in which file it is."""

    path: KeyPath
    message: str
    severity: Severity = Severity.ERROR


@dataclass(frozen=True, slots=True)
class _Located:
    finding: Finding
    choice: KeyPath | None
    """Where the value had several allowed shapes, if it had."""
    is_missing: bool


def findings_of(
    error: ValidationError,
    model: type[BaseModel],
    data: object,
    is_planned: Callable[[KeyPath], bool] = lambda path: False,
) -> list[Finding]:
    """What is wrong with `data`. `is_planned` knows the keys that a later version will have."""
    schema = _schema_of(model)
    located = []
    for details in error.errors(include_url=False):
        path, choice = _locate(details, data)
        message = _message(details, path, schema, is_planned)
        located.append(_Located(Finding(path, message), choice, details["type"] == "missing"))
    # A misspelt key is one problem, not two: the key that was meant does not count as missing.
    meant = {_meant(item.finding.path, schema) for item in located if not _is_known(item.finding.path, schema)}
    return list(_merged([item for item in located if not (item.is_missing and item.finding.path in meant)]))


@lru_cache(maxsize=64)
def _schema_of(model: type[BaseModel]) -> Mapping[str, Any]:
    return model.model_json_schema()


def _locate(details: ErrorDetails, data: Any) -> tuple[KeyPath, KeyPath | None]:
    """The path in the data. Pydantic's own goes through the names of alternatives too, which nobody has written."""
    path: KeyPath = ()
    choice: KeyPath | None = None
    loc = details["loc"]
    for position, part in enumerate(loc):
        if _is_in(data, part):
            data = data[part]
        elif details["type"] == "missing" and position == len(loc) - 1:
            pass
        else:
            choice = choice if choice is not None else path
            continue
        path = (*path, part)
    return path, choice


def _is_in(data: Any, part: str | int) -> bool:
    if isinstance(data, list):
        return isinstance(part, int) and part < len(data)
    return isinstance(data, dict) and part in data


def _merged(located: Sequence[_Located]) -> Iterator[Finding]:
    """One finding for each place: of a value with several allowed shapes, the shape that it came nearest to."""
    groups: dict[tuple[KeyPath, bool], list[Finding]] = {}
    for item in located:
        key = (item.finding.path, False) if item.choice is None else (item.choice, True)
        groups.setdefault(key, []).append(item.finding)
    for findings in groups.values():
        deepest = max(len(finding.path) for finding in findings)
        nearest = [finding for finding in findings if len(finding.path) == deepest]
        messages = dict.fromkeys(finding.message for finding in nearest if finding.path == nearest[0].path)
        yield Finding(nearest[0].path, ", or ".join(messages))


def _message(
    details: ErrorDetails, path: KeyPath, schema: Mapping[str, Any], is_planned: Callable[[KeyPath], bool]
) -> str:
    kind, value = details["type"], details.get("input")
    if kind == "extra_forbidden":
        return "not yet supported by this version: remove it" if is_planned(path) else _unknown_key(path, schema)
    if kind == "missing":
        return f"is missing. {_description(schema, path)}".rstrip()
    if value is None:
        return "is empty: give it a value" if _is_required(path, schema) else _EMPTY
    if kind in ("enum", "literal_error"):
        return wrong_choice(value, _QUOTED.findall(str(details.get("ctx", {}).get("expected", ""))))
    if kind in ("model_type", "model_attributes_type") and details.get("ctx", {}).get("class_name") == "Secret":
        return "must be a secret by reference: write {env: NAME} or {file: PATH}"
    return _SHAPES[kind](value) if kind in _SHAPES else _other(details)


def _kind(value: object) -> str:
    names: list[tuple[Any, str]] = [
        (bool, "true or false"), (int | float, "a number"), (str, "text"), (list, "a list"), (dict, "a mapping"),
    ]  # fmt: skip
    return next((name for kind, name in names if isinstance(value, kind)), "something else")


def _must_be_text(value: object) -> str:
    if isinstance(value, bool | int | float):
        return f"must be text, not {_kind(value)}: put it into quotes"
    return f"must be text, not {_kind(value)}"


def _must_be_a_list(value: object) -> str:
    return f"must be a list, not {_kind(value)}: write [a, b], or one '- ' line for each item"


def _must_be_a_mapping(value: object) -> str:
    return f"must be a mapping of keys, not {_kind(value)}: write {{key: value}}, or one 'key: value' line for each"


def _must_be_a_flag(value: object) -> str:
    mend = ": write it without quotes" if value in ("true", "false") else ""
    return f"must be true or false, not {_kind(value)}{mend}"


def _must_be_whole(value: object) -> str:
    return f"must be a whole number, not {_kind(value)}" if not isinstance(value, float) else "must be a whole number"


_SHAPES: dict[str, Callable[[object], str]] = {
    "string_type": _must_be_text,
    "path_type": _must_be_text,
    "tuple_type": _must_be_a_list,
    "list_type": _must_be_a_list,
    "set_type": _must_be_a_list,
    "frozen_set_type": _must_be_a_list,
    "model_type": _must_be_a_mapping,
    "model_attributes_type": _must_be_a_mapping,
    "dict_type": _must_be_a_mapping,
    "mapping_type": _must_be_a_mapping,
    "bool_type": _must_be_a_flag,
    "bool_parsing": _must_be_a_flag,
    "int_type": _must_be_whole,
    "int_parsing": _must_be_whole,
    "int_from_float": _must_be_whole,
    "float_type": lambda value: f"must be a number, not {_kind(value)}",
    "float_parsing": lambda value: f"must be a number, not {_kind(value)}",
    "string_too_short": lambda value: "is too short" if value else "is empty text: give it a value or remove the key",
}


def _other(details: ErrorDetails) -> str:
    """What no rule above speaks of: mostly what our own types and those of plugins say themselves."""
    said = details["msg"].removeprefix("Value error, ").removeprefix("Assertion failed, ")
    said = re.sub(r"^(Input|String|Value|Data|URL|Path|Tuple|List|Dictionary) (should|must) ", "must ", said)
    return said.replace("a valid tuple", "a list").replace("a valid dictionary", "a mapping")


def wrong_choice(value: object, allowed: Sequence[str]) -> str:
    """Says that a value is none of the allowed words, and which one was probably meant."""
    choices = _choices(allowed)
    if not isinstance(value, str):
        return f"must be {choices}, not {_kind(value)}"
    near = difflib.get_close_matches(value.lower(), allowed, 1, 0.6)
    hint = f", did you mean '{near[0]}'?" if near else ""
    shown = repr(value if len(value) <= 40 else value[:40] + "...")
    return f"must be {choices}, not {shown}{hint}"


def _choices(allowed: Sequence[str]) -> str:
    *others, last = [repr(word) for word in allowed] or ["something else"]
    return f"{', '.join(others)} or {last}" if others else last


def _unknown_key(path: KeyPath, schema: Mapping[str, Any]) -> str:
    meant = _meant(path, schema)
    if meant is not None:
        return f"unknown key, did you mean '{meant[-1]}'?"
    return f"unknown key; known here: {', '.join(_known_keys(path, schema)) or 'none'}"


def _meant(path: KeyPath, schema: Mapping[str, Any]) -> KeyPath | None:
    """The known key that this one is most like."""
    key = str(path[-1]).lower().replace("-", "_") if path else ""
    near = difflib.get_close_matches(key, _known_keys(path, schema), 1, 0.6)
    return (*path[:-1], near[0]) if near else None


def _known_keys(path: KeyPath, schema: Mapping[str, Any]) -> list[str]:
    return sorted({name for node in _nodes(schema, path[:-1]) for name in node.get("properties", {})})


def _is_known(path: KeyPath, schema: Mapping[str, Any]) -> bool:
    return not path or not isinstance(path[-1], str) or path[-1] in _known_keys(path, schema)


def _is_required(path: KeyPath, schema: Mapping[str, Any]) -> bool:
    return bool(path) and any(path[-1] in node.get("required", ()) for node in _nodes(schema, path[:-1]))


def _description(schema: Mapping[str, Any], path: KeyPath) -> str:
    return next((str(node["description"]) for node in _nodes(schema, path, resolve=False) if "description" in node), "")


def _nodes(schema: Mapping[str, Any], path: KeyPath, resolve: bool = True) -> list[Mapping[str, Any]]:
    """The parts of a JSON Schema that speak of this path."""
    nodes: list[Mapping[str, Any]] = [schema]
    for part in path:
        below = (_below(node, part) for node in _resolved(schema, nodes))
        nodes = [node for node in below if isinstance(node, Mapping)]
    return list(_resolved(schema, nodes)) if resolve else nodes


def _below(node: Mapping[str, Any], part: str | int) -> object:
    if isinstance(part, int):
        return node.get("items")
    return node.get("properties", {}).get(part, node.get("additionalProperties"))


def _resolved(schema: Mapping[str, Any], nodes: Sequence[Mapping[str, Any]]) -> Iterator[Mapping[str, Any]]:
    for node in nodes:
        yield node
        if "$ref" in node:
            name = str(node["$ref"]).rpartition("/")[2]
            yield from _resolved(schema, [schema.get("$defs", {})[name]])
        for word in ("anyOf", "oneOf", "allOf"):
            yield from _resolved(schema, node.get(word, []))
