"""Which rule of the config a request falls under: first match wins.

Rules are kept in a tree by path segment, so that the cost depends on the depth of the path and not on the number of
rules. The tree compares as the most lenient framework would: case folded, trailing slash, space and dot ignored. The
first rule that matches the path exactly as it is written is the *exact* match. Rules before it that match leniently are
what another framework might route to, and a result among them wins.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from gateway.access.body import Body
from gateway.access.fit_body import may_fit, surely_fits
from gateway.access.parameters import may_have, parameters, surely_has
from gateway.access.strict_json import Unclear
from gateway.core.rule import RouteClass, Rule
from gateway.core.target import Reading, fold

_COMMON_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_PLACEHOLDER = re.compile(r"\{[A-Za-z_][A-Za-z0-9_]*\}")
_IGNORED_AT_END = "/ ."
_REMEMBERED_MATCHES = 4096
_REMEMBERED_LENGTH = 256
"""Longer paths are matched anew each time: thousands of the longest must not fill the memory."""


@dataclass(frozen=True, slots=True)
class Match:
    """The rule for a request, and those that may still take its place when the head of the answer is there."""

    rule: Rule
    on_answer: tuple[Rule, ...] = ()
    """Rules with answer conditions that stand before `rule`, in order."""
    ambiguous: str = ""
    """Why the rule is only one of two that frameworks would choose, as the rest of a sentence; empty when it is not."""
    unreadable: str = ""
    """Why it can't be told from the body whether the rule fits, as the rest of a sentence; empty when it can."""
    on_body: tuple[Rule, ...] = ()
    """Rules that may take its place once the body is read, in order; empty where it is, or does not matter."""


@dataclass(slots=True, eq=False)
class _Node:
    literals: dict[str, _Node] = field(default_factory=dict)
    patterns: dict[str, tuple[re.Pattern[str], _Node]] = field(default_factory=dict)
    any_depth: _Node | None = None
    repeats: bool = False
    """Whether it stands for `**`, which takes every further segment too."""
    ends: list[int] = field(default_factory=list)

    def leads_on(self) -> bool:
        return bool(self.literals or self.patterns or self.any_depth)


class RouteTable:
    """The compiled rules of one config; immutable once built, but for what it remembers of earlier requests."""

    def __init__(self, rules: tuple[Rule, ...]) -> None:
        self._rules = [(rule, _exact_pattern(rule.path)) for rule in rules]
        self._fallback = Rule(name="everything-else", route_class=RouteClass.OPEN)
        self._root = _Node()
        self._looks_at_queries = any(rule.query for rule in rules)
        self._remembered: dict[tuple[str, str, str], Match] = {}
        for index, rule in enumerate(rules):
            self._insert(rule.path, index)

    def match(
        self, method: str, reading: Reading, query: str, overrides: tuple[str, ...] = (), body: Body | None = None
    ) -> Match:
        """The rule for this request; behind the last one stands a rule that leaves everything open.

        `overrides` are other methods that the application may take the request for (a method override header). Without
        a `body` it is what can be told before it is read: where `on_body` has rules, ask again with it.
        """
        fits = _BodyFits(body, query) if body is not None else None
        found = self._match(method, reading, query, fits)
        if found.rule.route_class is not RouteClass.RESULT and (overrides or "_method" in query or "%" in query):
            for other in _overriding(query, overrides):
                taken_for = self._match(other, reading, query, fits)
                if taken_for.rule.route_class is RouteClass.RESULT:
                    return taken_for
                if taken_for.on_body:
                    found = replace(found, on_body=taken_for.on_body)
        return found

    def _match(self, method: str, reading: Reading, query: str, fits: _BodyFits | None) -> Match:
        if fits is not None:
            return self._find(method, reading, query, fits)
        if not self._looks_at_queries:
            query = ""
        key = (method, reading.path, query)
        found = self._remembered.get(key)
        if found is None:
            found = self._find(method, reading, query, None)
            if len(reading.path) + len(query) <= _REMEMBERED_LENGTH:
                if len(self._remembered) >= _REMEMBERED_MATCHES:
                    self._remembered.clear()
                self._remembered[key] = found
        return found

    def _find(self, method: str, reading: Reading, query: str, fits: _BodyFits | None) -> Match:
        on_answer: list[Rule] = []
        on_body: list[Rule] = []
        doubtful: Match | None = None
        """A result that only some framework, or only some reading of the body, leads to."""
        exact: Rule | None = None
        for index in self._candidates(reading.folded):
            rule, pattern = self._rules[index]
            if not _speaks_of(rule, method, query):
                continue
            is_result, is_exact = rule.route_class is RouteClass.RESULT, pattern.fullmatch(reading.path) is not None
            if not is_result and not is_exact:
                continue
            unreadable = ""
            if rule.body is not None:
                if fits is None:
                    if doubtful is None:  # else nothing behind it takes its place
                        on_body.append(rule)
                    continue
                fit, unreadable = fits.of(index, rule)
                if not fit:
                    continue
            if rule.answer is not None:
                on_answer.append(rule)
            elif is_exact and not unreadable:
                exact = rule
                break
            elif doubtful is None:
                doubtful = Match(rule, (), "" if is_exact else _like(rule), unreadable)
        if doubtful is not None:
            return replace(doubtful, on_body=tuple(on_body))
        rule = exact or self._fallback
        late = () if rule.route_class is RouteClass.RESULT else tuple(on_answer)
        return Match(rule, late, on_body=tuple(on_body))

    def _candidates(self, folded: str) -> list[int]:
        found: set[int] = set()
        self._walk(folded.split("/")[1:], found)
        if folded[-1:] in _IGNORED_AT_END:
            for shorter in {folded.rstrip("/"), folded.rstrip(_IGNORED_AT_END)}:
                self._walk(shorter.split("/")[1:], found)
        return sorted(found)

    def _walk(self, segments: list[str], found: set[int]) -> None:
        # All places in the tree at once, segment by segment: the cost grows with the path, never with its square,
        # however many `**` a pattern has. It goes no deeper than the longest pattern.
        places: list[_Node] = []
        _arrive(self._root, places, found)
        for segment in segments:
            before, places = places, []
            for node in before:
                if node.repeats and node not in places:
                    places.append(node)
                if segment in node.literals:
                    _arrive(node.literals[segment], places, found)
                for pattern, following in node.patterns.values():
                    if pattern.fullmatch(segment):
                        _arrive(following, places, found)
            if not places:
                return
        for node in places:
            found.update(node.ends)

    def _insert(self, path: str, index: int) -> None:
        node = self._root
        segments = fold(path).rstrip("/").split("/")[1:]
        for position, segment in enumerate(segments):
            if segment == "**":
                node.any_depth = node.any_depth or _Node(repeats=True)
                node = node.any_depth
            elif _PLACEHOLDER.search(segment):
                expression = _segment_expression(segment)
                node = node.patterns.setdefault(expression, (re.compile(expression, re.DOTALL), _Node()))[1]
            else:
                # What is ignored at the end of a path is ignored at the end of a pattern, and nowhere else.
                last = position == len(segments) - 1
                node = node.literals.setdefault((last and segment.rstrip(_IGNORED_AT_END)) or segment, _Node())
        node.ends.append(index)


class _BodyFits:
    """Which rules the body of one request fits; each is asked once, whatever methods the request may be taken for."""

    def __init__(self, body: Body, query: str) -> None:
        self._body, self._query = body, query
        self._known: dict[int, tuple[bool, str]] = {}

    def of(self, index: int, rule: Rule) -> tuple[bool, str]:
        """Whether it fits, or may fit, and why that can't be told."""
        known = self._known.get(index)
        if known is None:
            known = self._known[index] = self._ask(rule)
        return known

    def _ask(self, rule: Rule) -> tuple[bool, str]:
        assert rule.body is not None
        if rule.route_class is not RouteClass.RESULT:
            return surely_fits(rule.body, self._body, self._query), ""
        try:
            return may_fit(rule.body, self._body, self._query), ""
        except Unclear as unclear:
            return True, str(unclear)


def _arrive(node: _Node, places: list[_Node], found: set[int]) -> None:
    """Be at this node, and where `**` for no segment leads from it. What ends in `**` is found already."""
    if node in places:
        return
    places.append(node)
    deeper = node.any_depth
    while deeper is not None:
        found.update(deeper.ends)
        if deeper.leads_on() and deeper not in places:
            places.append(deeper)
        deeper = deeper.any_depth


def _like(rule: Rule) -> str:
    return f"it is {rule.name!r} for whoever ignores case and what trails"


def _speaks_of(rule: Rule, method: str, query: str) -> bool:
    is_result = rule.route_class is RouteClass.RESULT
    # A framework may hand an unheard-of method to a handler for all methods: it does not open a result.
    if not rule.allows_method(method) and (not is_result or method in _COMMON_METHODS):
        return False
    if not rule.query:
        return True
    return may_have(rule.query, query) if is_result else surely_has(rule.query, query)


def _overriding(query: str, overrides: tuple[str, ...]) -> Iterator[str]:
    """Other methods that a framework may take it for, by a header or by the query (Rails, Laravel, Symfony)."""
    yield from overrides
    yield from (value.upper() for name, value in parameters(query.replace(";", "&")) if name == "_method")


def _segment_expression(segment: str) -> str:
    first, *rest = map(re.escape, _PLACEHOLDER.split(segment))
    if not rest:
        return first
    *middle, last = rest
    # The leftmost place is always good enough for what stands between two names. Atomic groups keep a long segment
    # of nothing but separators from being tried in every possible division.
    return first + "".join(f"(?>[^/]*?{literal})" for literal in middle) + "[^/]*" + last


def _exact_pattern(path: str) -> re.Pattern[str]:
    if path == "/**":
        return re.compile(r".*", re.DOTALL)
    runs = [""]
    for segment in path.split("/")[1:]:
        if segment == "**":
            runs.append("")
        else:
            runs[-1] += "/" + _segment_expression(segment)
    first, *rest = runs
    if not rest:
        return re.compile(first, re.DOTALL)
    *middle, last = rest
    # As in a segment: the first place where a run fits between two `**` is good enough.
    expression = first + r"(?![^/])" + "".join(rf"(?>(?:/[^/]*+)*?{run}(?![^/]))" for run in middle)
    return re.compile(expression + (rf"(?:/[^/]*+)*{last}" if last else r"(?:/.*)?"), re.DOTALL)
