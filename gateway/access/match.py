"""Which rule of the config a request falls under: first match wins.

Rules are kept in a tree by path segment, so that the cost depends on the depth of the path and not on the number of
rules. The tree compares as the most lenient framework would: case folded, trailing slash, space and dot ignored. A rule
that also matches the path exactly as it is written is the *exact* match. Where the two differ, two frameworks would
route the request differently, and a result among them wins.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from urllib.parse import parse_qsl

from gateway.core.rule import RouteClass, Rule
from gateway.core.target import Reading

_COMMON_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_PLACEHOLDER = re.compile(r"\{[A-Za-z_][A-Za-z0-9_]*\}")
_IGNORED_AT_END = "/ ."


@dataclass(frozen=True, slots=True)
class Match:
    """The rule for a request, and those that may still take its place when the head of the answer is there."""

    rule: Rule
    on_answer: tuple[Rule, ...] = ()
    """Rules with answer conditions that stand before `rule`, in order."""


@dataclass(slots=True)
class _Node:
    literals: dict[str, _Node] = field(default_factory=dict)
    patterns: dict[str, tuple[re.Pattern[str], _Node]] = field(default_factory=dict)
    any_depth: _Node | None = None
    ends: list[int] = field(default_factory=list)


class RouteTable:
    """The compiled rules of one config; immutable once built."""

    def __init__(self, rules: tuple[Rule, ...]) -> None:
        self._rules = [(rule, _exact_pattern(rule.path)) for rule in rules]
        self._fallback = Rule(name="everything-else", route_class=RouteClass.OPEN)
        self._root = _Node()
        for index, rule in enumerate(rules):
            self._insert(rule.path, index)

    def match(self, method: str, reading: Reading, query: str, overrides: tuple[str, ...] = ()) -> Match:
        """The rule for this request; behind the last one stands a rule that leaves everything open.

        `overrides` are other methods that the application may take the request for (a method override header).
        """
        on_answer: list[Rule] = []
        lenient: Rule | None = None
        exact: Rule | None = None
        for index in self._candidates(reading.folded):
            rule, pattern = self._rules[index]
            if not _speaks_of(rule, method, query, overrides):
                continue
            if rule.answer is not None:
                on_answer.append(rule)
                continue
            lenient = lenient or rule
            if pattern.fullmatch(reading.path):
                exact = rule
                break
        rule = lenient if lenient and lenient.route_class is RouteClass.RESULT else exact or self._fallback
        return Match(rule, () if rule.route_class is RouteClass.RESULT else tuple(on_answer))

    def _candidates(self, folded: str) -> list[int]:
        found: set[int] = set()
        trimmed = folded.rstrip(_IGNORED_AT_END)
        self._walk(self._root, trimmed.split("/")[1:], 0, found)
        if trimmed != folded:
            self._walk(self._root, folded.split("/")[1:], 0, found)
        return sorted(found)

    def _walk(self, node: _Node, segments: list[str], position: int, found: set[int]) -> None:
        # Goes no deeper than the longest pattern, however long the path is.
        if node.any_depth is not None:
            found.update(node.any_depth.ends)
            if node.any_depth.literals or node.any_depth.patterns:
                for later in range(position, len(segments)):
                    self._walk(node.any_depth, segments, later, found)
        if position == len(segments):
            found.update(node.ends)
            return
        segment = segments[position]
        child = node.literals.get(segment)
        if child is not None:
            self._walk(child, segments, position + 1, found)
        for pattern, following in node.patterns.values():
            if pattern.fullmatch(segment):
                self._walk(following, segments, position + 1, found)

    def _insert(self, path: str, index: int) -> None:
        node = self._root
        for segment in path.casefold().rstrip("/").split("/")[1:]:
            if segment == "**":
                node.any_depth = node.any_depth or _Node()
                node = node.any_depth
            elif _PLACEHOLDER.search(segment):
                expression = _segment_expression(segment)
                node = node.patterns.setdefault(expression, (re.compile(expression, re.DOTALL), _Node()))[1]
            else:
                node = node.literals.setdefault(segment.rstrip(_IGNORED_AT_END), _Node())
        node.ends.append(index)


def _speaks_of(rule: Rule, method: str, query: str, overrides: tuple[str, ...]) -> bool:
    if rule.methods and not rule.allows_method(method):
        if rule.route_class is not RouteClass.RESULT:
            return False
        # A framework may hand an unheard-of method to a handler for all methods, and take another method's name from
        # a header or from the query: neither opens a result.
        if method in _COMMON_METHODS and not any(map(rule.allows_method, _overriding(query, overrides))):
            return False
    return not rule.query or _has_parameters(rule.query, query)


def _overriding(query: str, overrides: tuple[str, ...]) -> Iterator[str]:
    yield from overrides
    if "_method" in query:  # Rails, Laravel, Symfony and others
        yield from (value.upper() for name, value in parse_qsl(query) if name == "_method")


def _has_parameters(wanted: tuple[tuple[str, str | None], ...], query: str) -> bool:
    # Read leniently: any of several values counts, `;` separates too, `name[]` is `name`, case is ignored.
    pairs = [
        (name.partition("[")[0].strip().casefold(), value)
        for name, value in parse_qsl(query.replace(";", "&"), keep_blank_values=True)
    ]
    return all(
        any(name == wanted_name.casefold() and wanted_value in (None, value) for name, value in pairs)
        for wanted_name, wanted_value in wanted
    )


def _segment_expression(segment: str) -> str:
    parts = _PLACEHOLDER.split(segment)
    return "[^/]*".join(re.escape(part) for part in parts)


def _exact_pattern(path: str) -> re.Pattern[str]:
    if path == "/**":
        return re.compile(r".*", re.DOTALL)
    expression = ""
    for segment in path.split("/")[1:]:
        expression += "(?:/.*)?" if segment == "**" else "/" + _segment_expression(segment)
    return re.compile(expression, re.DOTALL)
