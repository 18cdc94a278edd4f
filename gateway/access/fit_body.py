"""Whether a request fits the conditions that a rule has on its body.

As with queries there are two answers. A result is fitted by what any application might read as one; what can't be read
may be anything. A rule of another class is fitted only by what every application reads that way.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from gateway.access.body import Body
from gateway.access.form import read_encoded
from gateway.access.graphql_request import may_run, surely_runs
from gateway.access.parameters import Pairs, bare, first_key, folded_key, last_key
from gateway.access.strict_json import Unclear
from gateway.core.rule import BodyCondition, FieldCondition

_NO_WORDS = frozenset({"", "0", "false", "no", "off", "null", "none", "undefined", "n", "f"})
_EXACT = 2**53
"""Whole numbers from here on are rounded where numbers are floats."""


def may_fit(condition: BodyCondition, body: Body, query: str) -> bool:
    """Whether some application reads it so, in the body or in the query. Raises `Unclear` where it can't be told."""
    if body.unreadable:
        raise Unclear(body.unreadable)
    parameters = read_encoded(query)
    if condition.fields and not _may_have(condition.fields, body, parameters):
        return False
    return condition.graphql is None or may_run(condition.graphql, body, parameters)


def surely_fits(condition: BodyCondition, body: Body, query: str) -> bool:
    """Whether every application reads it so: in a body of one reading, and without a second word in the query."""
    if not body.sure:
        return False
    parameters = read_encoded(query)
    if condition.fields and not _surely_has(condition.fields, body, parameters):
        return False
    return condition.graphql is None or surely_runs(condition.graphql, body, parameters)


# Some application


def _may_have(wanted: tuple[FieldCondition, ...], body: Body, parameters: Pairs) -> bool:
    texts: dict[str, list[str]] = {}
    for name, text in (*parameters, *body.fields):
        for key in {folded_key(name), last_key(name)}:
            texts.setdefault(key, []).append(text)
    inside = [field for field in wanted if not _is_among(texts.get(folded_key("".join(field.path)), ()), field)]
    return any(all(_is_in(item, field) for field in inside) for item in body.items or ({},))


def _is_among(texts: Iterable[str], field: FieldCondition) -> bool:
    """Whether one of these texts, out of a form or a query, is a value of the field."""
    return any(
        _is_word_for(value, text) if isinstance(value, bool) else _alike(value, text)
        for text in texts
        for value in field.values
    )


def _is_in(item: Any, field: FieldCondition) -> bool:
    keys = [folded_key(name) for name in field.path]
    return any(_alike(value, found) for found in _found(item, keys) for value in field.values)


def _found(value: Any, keys: list[str]) -> Iterator[Any]:
    """Whatever some application takes for the field, looking into the items of lists too."""
    if not keys:
        yield value
    elif isinstance(value, list):
        for each in value:
            yield from _found(each, keys)
    elif isinstance(value, dict):
        first, whole = keys[0], "".join(keys)
        for name, inner in value.items():
            key = folded_key(name)
            if key == first:
                yield from _found(inner, keys[1:])
            elif key == whole:
                yield inner


def _alike(wanted: str | int | float | bool, found: Any) -> bool:
    """Whether some application takes what was found for what is wanted: text for a number, a list for its item,
    anything for `true` that is neither empty nor zero."""
    if isinstance(wanted, bool):
        return _is_truthy(found) if wanted else not found or (isinstance(found, str) and _is_word_for(False, found))
    if isinstance(found, list):
        return any(_alike(wanted, each) for each in found)
    if isinstance(found, dict):
        return False
    number = _number(found)
    return bare(_text(found)) == bare(_text(wanted)) or (number is not None and number == _number(wanted))


def _is_word_for(wanted: bool, text: str) -> bool:
    return (bare(text) in _NO_WORDS) is not wanted


def _is_truthy(found: Any) -> bool:
    """As in JavaScript, where an empty list is too."""
    return not (found is None or found is False or found == 0 or found == "")


def _text(value: Any) -> str:
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    return str(value)


def _number(value: Any) -> float | None:
    try:
        return float(value)
    except (TypeError, ValueError, OverflowError):
        return None


# Every application


def _surely_has(wanted: tuple[FieldCondition, ...], body: Body, parameters: Pairs) -> bool:
    said = {key for name, _ in parameters for key in (first_key(name), folded_key(name), last_key(name))}
    if any({folded_key(field.path[0]), folded_key("".join(field.path))} & said for field in wanted):
        return False
    if body.fields:
        return all(_surely_in_form(field, body.fields) for field in wanted)
    return bool(body.items) and all(_surely_in_object(field, item) for item in body.items for field in wanted)


def _surely_in_form(field: FieldCondition, fields: tuple[tuple[str, str], ...]) -> bool:
    if len(field.path) > 1:
        return False
    key = folded_key(field.path[0])
    alike = {(name, value) for name, value in fields if key in (first_key(name), folded_key(name), last_key(name))}
    return len(alike) == 1 and alike.pop() in {(field.path[0], value) for value in field.values}


def _surely_in_object(field: FieldCondition, value: Any) -> bool:
    for position, name in enumerate(field.path):
        if not isinstance(value, dict):
            return False
        aliases = {folded_key(name), folded_key("".join(field.path[position:]))}
        if [key for key in value if folded_key(key) in aliases] != [name]:
            return False
        value = value[name]
    return any(_same(each, value) for each in field.values)


def _same(wanted: str | int | float | bool, found: Any) -> bool:
    if type(wanted) is not type(found):
        return False
    return bool(wanted == found) and (isinstance(wanted, str) or abs(wanted) < _EXACT)
