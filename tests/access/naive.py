"""Matching as the documentation tells it, one rule after the other: slow, plain, and nothing shared with the table."""

from __future__ import annotations

import re

from gateway.core.rule import RouteClass, Rule
from gateway.core.target import fold

_NAME = re.compile(r"\{\w+\}")
TRAILING = "/ ."


def rule_of(rules: tuple[Rule, ...], path: str) -> str:
    """The name of the rule that a path falls under.

    What lies below the script of a result route is a result where the script is one, unless the rule that it falls
    under speaks itself of what lies below a script.
    """
    found = _as_written(rules, path)
    by_name = {rule.name: rule for rule in rules}
    if found in by_name:
        rule = by_name[found]
        if rule.route_class is RouteClass.RESULT or any(map(_is_script, rule.path.split("/")[:-1])):
            return found
    segments = path.split("/")
    for depth in range(2, len(segments)):
        script = "/".join(segments[:depth])
        if any(_names_script(rule, script) for rule in rules):
            name = _as_written(rules, script)
            return name if name in by_name and by_name[name].route_class is RouteClass.RESULT else found
    return found


def _names_script(rule: Rule, path: str) -> bool:
    if rule.route_class is not RouteClass.RESULT or not _is_script(rule.path.rstrip("/").split("/")[-1]):
        return False
    return matches_leniently(rule.path, "/".join(segment.rstrip(" .") for segment in path.split("/")))


def _is_script(segment: str) -> bool:
    return fold(segment).endswith(".php")


def _as_written(rules: tuple[Rule, ...], path: str) -> str:
    """First match wins. The lenient reading ignores case and what trails; of the rules before the exact one that some
    framework could route to, a result wins."""
    for rule in rules:
        if matches(rule.path, path):
            break
        if rule.route_class is RouteClass.RESULT and matches_leniently(rule.path, path):
            return rule.name
    exact = next((rule for rule in rules if matches(rule.path, path)), None)
    return exact.name if exact is not None else "everything-else"


def matches(pattern: str, path: str) -> bool:
    """Whether a path is written exactly as a pattern wants it."""
    return pattern == "/**" or _fits(pattern.split("/")[1:], path.split("/")[1:])


def matches_leniently(pattern: str, path: str) -> bool:
    """Whether the most lenient framework would take a path for one of the pattern."""
    wanted = fold(pattern).rstrip("/").split("/")[1:]
    if wanted and "{" not in wanted[-1] and wanted[-1] != "**":
        wanted[-1] = wanted[-1].rstrip(TRAILING) or wanted[-1]
    folded = fold(path)
    return any(_fits(wanted, each.split("/")[1:]) for each in (folded, folded.rstrip("/"), folded.rstrip(TRAILING)))


def _fits(wanted: list[str], segments: list[str]) -> bool:
    if not wanted:
        return not segments
    if wanted[0] == "**":
        return any(_fits(wanted[1:], segments[taken:]) for taken in range(len(segments) + 1))
    return bool(segments) and _segment_fits(wanted[0], segments[0]) and _fits(wanted[1:], segments[1:])


def _segment_fits(wanted: str, segment: str) -> bool:
    literals = _NAME.split(wanted)
    return _literals_fit(literals, segment) if len(literals) > 1 else wanted == segment


def _literals_fit(literals: list[str], segment: str) -> bool:
    first, *rest = literals
    if not segment.startswith(first):
        return False
    if not rest:
        return segment == first
    return any(_literals_fit(rest, segment[start:]) for start in range(len(first), len(segment) + 1))
