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
from dataclasses import dataclass, replace

from gateway.access.aliases import Aliases
from gateway.access.body import Body
from gateway.access.fit_body import may_fit, surely_fits
from gateway.access.parameters import may_have, parameters, php_name, surely_has
from gateway.access.path_tree import PathTree, segment_expression
from gateway.access.strict_json import Unclear
from gateway.core.rule import BodyCondition, Framework, RouteClass, Rule
from gateway.core.target import Reading, fold

_READ_AS_FORM, _READ_AS_JSON = frozenset({"POST"}), frozenset({"POST", "PUT", "PATCH"})
"""Methods with which every application reads a body: PHP and Django know forms of POST alone."""
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
    unreadable: str = ""
    """Why it can't be told from the body whether the rule fits, as the rest of a sentence; empty when it can."""
    page: str = ""
    """The path of the page that this is the data of, where the rule is that page's (see `aliases`)."""
    on_body: tuple[Rule, ...] = ()
    """Rules that may take its place once the body is read, in order; empty where it is, or does not matter."""


class RouteTable:
    """The compiled rules of one config; immutable once built, but for what it remembers of earlier requests."""

    def __init__(self, rules: tuple[Rule, ...], frameworks: tuple[Framework, ...] = ()) -> None:
        self._aliases = Aliases(frameworks)
        self._order = {id(rule): index for index, rule in enumerate(rules)}
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

    def match(
        self, method: str, reading: Reading, query: str, overrides: tuple[str, ...] = (), body: Body | None = None
    ) -> Match:
        """The rule for this request; behind the last one stands a rule that leaves everything open.

        `overrides` are other methods that the application may take the request for (a method override header). Without
        a `body` it is what can be told before it is read: where `on_body` has rules, ask again with it.
        """
        fits = _BodyFits(body, query) if body is not None else None
        found = self._match(method, reading, query, fits)
        if found.rule.route_class is not RouteClass.RESULT and (overrides or "method" in query or "%" in query):
            # No rule names the others, so one stands for all: a query may have thousands.
            others = {other if other in self._methods else "" for other in _overriding(query, overrides)}
            for other in sorted(others):
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
        found = self._find_page(method, reading, query, fits)
        if self._aliases:
            for page in self._aliases.pages(reading.path):
                found = self._stricter(found, self._find_page(method, Reading(page, fold(page)), query, fits), page)
        return found

    def _stricter(self, found: Match, of_page: Match, page: str) -> Match:
        """The match for an address that falls under one rule itself and under another as the data of a page.

        What is exempt stays so next to a page that is open whatever comes: every picture of a folder might else be the
        data of something.
        """
        on_body = tuple(dict.fromkeys(found.on_body + of_page.on_body))
        on_answer = tuple(dict.fromkeys(found.on_answer + of_page.on_answer))
        match found.rule.route_class, of_page.rule.route_class:
            case RouteClass.RESULT, RouteClass.RESULT if self._order[id(of_page.rule)] < self._order[id(found.rule)]:
                return replace(of_page, on_body=on_body, page=page)
            case RouteClass.RESULT, _:
                return replace(found, on_body=on_body)
            case _, RouteClass.RESULT:
                return replace(of_page, on_body=on_body, page=page)
            case ((RouteClass.EXEMPT | RouteClass.OPEN), RouteClass.ACTION):
                return replace(of_page, on_answer=on_answer, on_body=on_body, page=page)
            case RouteClass.EXEMPT, RouteClass.OPEN if of_page.on_answer:
                return replace(of_page, on_answer=on_answer, on_body=on_body, page=page)
            case RouteClass.EXEMPT, _:
                return replace(found, on_body=on_body)
            case _:
                return replace(found, on_answer=on_answer, on_body=on_body)

    def _find_page(self, method: str, reading: Reading, query: str, fits: _BodyFits | None) -> Match:
        found = self._match_as_written(method, reading, query, fits)
        if not self._has_scripts or found.rule.route_class is RouteClass.RESULT:
            return found
        if _GOES_ON.search(reading.folded) is None or _leads_below_a_script(found.rule.path):
            return found
        return self._match_script(method, reading, query, fits, found)

    def _match_script(self, method: str, reading: Reading, query: str, fits: _BodyFits | None, found: Match) -> Match:
        """The match that counts for a path below a script, when it would be `found` without it."""
        above = reading.folded.split("/")[1:-1]

        def may_fit_script(index: int) -> bool:
            rule = self._rules[index][0]
            return _speaks_of(rule, method, query) and (fits is None or fits.of(index, rule, method)[0])

        depth = self._scripts.nearest_end(above, may_fit_script)
        if not depth:
            return found
        path = "/".join(reading.path.split("/")[: depth + 1])
        script = self._match_as_written(method, Reading(path, fold(path)), query, fits)
        on_body = tuple(dict.fromkeys(found.on_body + script.on_body))
        if script.rule.route_class is RouteClass.RESULT:
            why = f"many servers run the script of {script.rule.name!r} for what is below it"
            return Match(script.rule, (), why, script.unreadable, on_body=on_body)
        # Nor must the script's answer be looked at less than it would be at its own address.
        rule = script.rule if found.rule.route_class is RouteClass.EXEMPT else found.rule
        return Match(rule, tuple(dict.fromkeys(found.on_answer + script.on_answer)), on_body=on_body)

    def _match_as_written(self, method: str, reading: Reading, query: str, fits: _BodyFits | None) -> Match:
        on_answer: list[Rule] = []
        on_body: list[Rule] = []
        doubtful: Match | None = None
        """A result that only some framework, or only some reading of the body, leads to."""
        exact: Rule | None = None
        for index in self._tree.find(reading.folded):
            rule, pattern = self._rules[index]
            if not _speaks_of(rule, method, query):
                continue
            is_exact = pattern.fullmatch(reading.path) is not None
            if not is_exact and rule.route_class is not RouteClass.RESULT:
                continue
            if rule.body is not None and fits is None:
                if doubtful is None:  # else nothing behind it takes its place
                    on_body.append(rule)
                continue
            fit, unreadable = (True, "") if fits is None else fits.of(index, rule, method)
            if not fit:
                continue
            if rule.answer is not None:
                on_answer.append(rule)
            elif is_exact and not unreadable:
                exact = rule
                break
            elif doubtful is None:
                why = "" if is_exact else f"it is {rule.name!r} for whoever ignores case and what trails"
                doubtful = Match(rule, (), why, unreadable)
        if doubtful is not None:
            return replace(doubtful, on_body=tuple(on_body))
        rule = exact or self.fallback
        late = () if rule.route_class is RouteClass.RESULT else tuple(on_answer)
        return Match(rule, late, on_body=tuple(on_body))


class _BodyFits:
    """Which rules the body of one request fits; each is asked once, whatever else the request may be taken for."""

    def __init__(self, body: Body, query: str) -> None:
        self._body, self._query = body, query
        self._read_with = _READ_AS_FORM if body.fields else _READ_AS_JSON
        """With other methods some applications do not read it, and do what they do without one."""
        self._known: dict[int, tuple[bool, str]] = {}

    def of(self, index: int, rule: Rule, method: str) -> tuple[bool, str]:
        """Whether it fits, or may fit, and why that can't be told."""
        if rule.body is None:
            return True, ""
        if rule.route_class is not RouteClass.RESULT and method not in self._read_with:
            return False, ""
        known = self._known.get(index)
        if known is None:
            known = self._known[index] = self._ask(rule.body, rule.route_class is RouteClass.RESULT)
        return known

    def _ask(self, condition: BodyCondition, is_result: bool) -> tuple[bool, str]:
        if not is_result:
            return surely_fits(condition, self._body, self._query), ""
        try:
            return may_fit(condition, self._body, self._query), ""
        except Unclear as unclear:
            return True, str(unclear)


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
    return may_have(rule.query, query) if is_result else surely_has(rule.query, query)


def _overriding(query: str, overrides: tuple[str, ...]) -> Iterator[str]:
    """Other methods that a framework may take it for, by a header or by the query (Rails, Laravel, Symfony)."""
    yield from overrides
    for name, value in parameters(query.replace(";", "&")):
        if "_method" in (name, php_name(name)):
            yield value.upper()


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
