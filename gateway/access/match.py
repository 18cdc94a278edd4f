"""Which rule of the config a request falls under: first match wins.

The first rule that matches the path exactly as it is written is the *exact* match. Rules before it that match leniently
(`path_tree`) are what another framework might route to, and a result among them wins.

A script file is a leaf for the config and a branch for many servers: CGI, PHP and ASP run `/export.php` for every
address below it and tell it the rest (RFC 3875 section 4.1.5, PATH_INFO). So what lies below the script of a result
route is judged as the script itself, whichever rule it falls under, unless that rule names a path below a script.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import parse_qsl

from gateway.access.path_tree import PathTree, segment_expression
from gateway.core.rule import RouteClass, Rule
from gateway.core.target import Reading, fold

_COMMON_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_SUFFIX = (
    r"\.(?:php[0-9]?|phtml|phar|f?cgi|p[lmy]|pyc|wsgi|rb|lua|tcl|sh|asp|aspx|ashx|asmx|axd|jspx?|cfm|cfc|shtml|exe|dll)"
)
_IS_SCRIPT = re.compile(rf".*{_SUFFIX}", re.DOTALL)
_GOES_ON = re.compile(rf"{_SUFFIX}[ .]*/")
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


class RouteTable:
    """The compiled rules of one config; immutable once built, but for what it remembers of earlier requests."""

    def __init__(self, rules: tuple[Rule, ...]) -> None:
        self._rules = [(rule, _exact_pattern(rule.path)) for rule in rules]
        self._methods = _COMMON_METHODS.union(*(rule.methods for rule in rules))
        self.fallback = Rule(name="everything-else", route_class=RouteClass.OPEN)
        self._tree, self._scripts = PathTree(), PathTree()
        self._has_scripts = False
        self._looks_at_queries = any(rule.query for rule in rules)
        self._remembered: dict[tuple[str, str, str], Match] = {}
        for index, rule in enumerate(rules):
            self._tree.insert(rule.path, index)
            if rule.route_class is RouteClass.RESULT and _is_script(rule.path.rstrip("/").rpartition("/")[2]):
                self._scripts.insert(rule.path, index)
                self._has_scripts = True

    def match(self, method: str, reading: Reading, query: str, overrides: tuple[str, ...] = ()) -> Match:
        """The rule for this request; behind the last one stands a rule that leaves everything open.

        `overrides` are other methods that the application may take the request for (a method override header).
        """
        found = self._match(method, reading, query)
        if found.rule.route_class is not RouteClass.RESULT and (overrides or "_method" in query or "%" in query):
            # No rule names the others, so one stands for all: a query may have thousands.
            others = {other if other in self._methods else "" for other in _overriding(query, overrides)}
            for other in sorted(others):
                taken_for = self._match(other, reading, query)
                if taken_for.rule.route_class is RouteClass.RESULT:
                    return taken_for
        return found

    def _match(self, method: str, reading: Reading, query: str) -> Match:
        if not self._looks_at_queries:
            query = ""
        key = (method, reading.path, query)
        found = self._remembered.get(key)
        if found is None:
            found = self._find(method, reading, query)
            if len(reading.path) + len(query) <= _REMEMBERED_LENGTH:
                if len(self._remembered) >= _REMEMBERED_MATCHES:
                    self._remembered.clear()
                self._remembered[key] = found
        return found

    def _find(self, method: str, reading: Reading, query: str) -> Match:
        found = self._match_as_written(method, reading, query)
        if not self._has_scripts or found.rule.route_class is RouteClass.RESULT:
            return found
        if _GOES_ON.search(reading.folded) is None or _leads_below_a_script(found.rule.path):
            return found
        return self._match_script(method, reading, query, found)

    def _match_script(self, method: str, reading: Reading, query: str, found: Match) -> Match:
        """The match that counts for a path below a script, when it would be `found` without it."""
        above = reading.folded.split("/")[1:-1]
        depth = self._scripts.nearest_end(above, lambda index: _speaks_of(self._rules[index][0], method, query))
        if not depth:
            return found
        path = "/".join(reading.path.split("/")[: depth + 1])
        script = self._match_as_written(method, Reading(path, fold(path)), query)
        if script.rule.route_class is RouteClass.RESULT:
            return Match(script.rule, (), f"many servers run the script of {script.rule.name!r} for what is below it")
        # Nor must the script's answer be looked at less than it would be at its own address.
        rule = script.rule if found.rule.route_class is RouteClass.EXEMPT else found.rule
        return Match(rule, tuple(dict.fromkeys(found.on_answer + script.on_answer)))

    def _match_as_written(self, method: str, reading: Reading, query: str) -> Match:
        on_answer: list[Rule] = []
        lenient_result: Rule | None = None
        exact: Rule | None = None
        for index in self._tree.find(reading.folded):
            rule, pattern = self._rules[index]
            if not _speaks_of(rule, method, query):
                continue
            if rule.answer is not None:
                on_answer.append(rule)
                continue
            if pattern.fullmatch(reading.path):
                exact = rule
                break
            if rule.route_class is RouteClass.RESULT:
                lenient_result = lenient_result or rule
        if lenient_result is not None:
            why = f"it is {lenient_result.name!r} for whoever ignores case and what trails"
            return Match(lenient_result, (), why)
        rule = exact or self.fallback
        return Match(rule, () if rule.route_class is RouteClass.RESULT else tuple(on_answer))


def _is_script(segment: str) -> bool:
    return _IS_SCRIPT.fullmatch(fold(segment)) is not None


def _leads_below_a_script(path: str) -> bool:
    """Whether a pattern speaks of what lies below a script: whoever wrote it knows that there is something."""
    return any(map(_is_script, path.split("/")[:-1]))


def _speaks_of(rule: Rule, method: str, query: str) -> bool:
    is_result = rule.route_class is RouteClass.RESULT
    # A framework may hand an unheard-of method to a handler for all methods: it does not open a result.
    if not rule.allows_method(method) and (not is_result or method in _COMMON_METHODS):
        return False
    if not rule.query:
        return True
    return _may_have_parameters(rule.query, query) if is_result else _surely_has_parameters(rule.query, query)


def _overriding(query: str, overrides: tuple[str, ...]) -> Iterator[str]:
    """Other methods that a framework may take it for, by a header or by the query (Rails, Laravel, Symfony)."""
    yield from overrides
    yield from (value.upper() for name, value in _parameters(query.replace(";", "&")) if name == "_method")


def _may_have_parameters(wanted: tuple[tuple[str, str | None], ...], query: str) -> bool:
    """Whether some framework finds these parameters: any of several values counts, whatever its case,
    and `;` separates too."""
    pairs = [(_folded_name(name), _bare(value)) for name, value in _parameters(query.replace(";", "&"))]
    return all(
        any(name == _folded_name(wanted_name) and _fits(wanted_value, value) for name, value in pairs)
        for wanted_name, wanted_value in wanted
    )


def _fits(wanted: str | None, folded: str) -> bool:
    return wanted is None or _bare(wanted) == folded


def _bare(text: str) -> str:
    """Text as the most lenient reader takes it: no case, no space, nothing invisible."""
    return "".join(character for character in fold(text) if character.isprintable() and character != " ")


def _surely_has_parameters(wanted: tuple[tuple[str, str | None], ...], query: str) -> bool:
    """Whether every framework finds these parameters: spelled exactly so, and no second value to choose from.

    A rule that opens something must not be reached by a query that the application reads otherwise.
    """
    for spelled in {query, query.replace(";", "&")}:
        pairs = _parameters(spelled)
        for wanted_name, wanted_value in wanted:
            if all(name != wanted_name for name, _ in pairs):
                return False
            values = {value for name, value in pairs if _folded_name(name) == _folded_name(wanted_name)}
            if wanted_value is not None and values != {wanted_value}:
                return False
    return True


def _parameters(query: str) -> list[tuple[str, str]]:
    return parse_qsl(query, keep_blank_values=True)


def _folded_name(name: str) -> str:
    """`Name[]` as the most lenient framework reads it: `name`."""
    return _bare(name.partition("[")[0])


def _exact_pattern(path: str) -> re.Pattern[str]:
    if path == "/**":
        return re.compile(r".*", re.DOTALL)
    runs = [""]
    for segment in path.split("/")[1:]:
        if segment == "**":
            runs.append("")
        else:
            runs[-1] += "/" + segment_expression(segment)
    first, *rest = runs
    if not rest:
        return re.compile(first, re.DOTALL)
    *middle, last = rest
    # As in a segment: the first place where a run fits between two `**` is good enough.
    expression = first + r"(?![^/])" + "".join(rf"(?>(?:/[^/]*+)*?{run}(?![^/]))" for run in middle)
    return re.compile(expression + (rf"(?:/[^/]*+)*{last}" if last else r"(?:/.*)?"), re.DOTALL)
