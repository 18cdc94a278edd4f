"""The paths of many rules in one tree by segment: finding those that a path may fall under costs its depth, not their
number.

The tree compares as the most lenient framework would: case folded, trailing slash, space and dot ignored.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field

from gateway.core.target import fold

PLACEHOLDER = re.compile(r"\{[A-Za-z_][A-Za-z0-9_]*\}")
IGNORED_AT_END = "/ ."


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


class PathTree:
    """Paths of rules, each known by a number."""

    def __init__(self) -> None:
        self._root = _Node()

    def insert(self, path: str, index: int) -> None:
        """Add the path of a rule."""
        node = self._root
        segments = fold(path).rstrip("/").split("/")[1:]
        for position, segment in enumerate(segments):
            if segment == "**":
                node.any_depth = node.any_depth or _Node(repeats=True)
                node = node.any_depth
            elif PLACEHOLDER.search(segment):
                expression = segment_expression(segment)
                node = node.patterns.setdefault(expression, (re.compile(expression, re.DOTALL), _Node()))[1]
            else:
                # What is ignored at the end of a path is ignored at the end of a pattern, and nowhere else.
                last = position == len(segments) - 1
                node = node.literals.setdefault((last and segment.rstrip(IGNORED_AT_END)) or segment, _Node())
        node.ends.append(index)

    def find(self, folded: str) -> list[int]:
        """The rules that a path may fall under, in order."""
        found: set[int] = set()
        self._walk(folded.split("/")[1:], found)
        if folded[-1:] in IGNORED_AT_END:
            for shorter in {folded.rstrip("/"), folded.rstrip(IGNORED_AT_END)}:
                self._walk(shorter.split("/")[1:], found)
        return sorted(found)

    def nearest_end(self, segments: list[str], counts: Callable[[int], bool]) -> int:
        """How many of these segments lead to the first end of a rule that counts; 0 where none does."""
        places: list[_Node] = []
        _arrive(self._root, places, set())
        for depth, segment in enumerate(segments, 1):
            places = _step(places, segment.rstrip(IGNORED_AT_END), set())
            if any(counts(index) for node in places for index in node.ends):
                return depth
            if not places:
                break
        return 0

    def _walk(self, segments: list[str], found: set[int]) -> None:
        # All places in the tree at once, segment by segment: the cost grows with the path, never with its square,
        # however many `**` a pattern has. It goes no deeper than the longest pattern.
        places: list[_Node] = []
        _arrive(self._root, places, found)
        for segment in segments:
            places = _step(places, segment, found)
            if not places:
                return
        for node in places:
            found.update(node.ends)


def _step(before: list[_Node], segment: str, found: set[int]) -> list[_Node]:
    """Where one more segment leads."""
    places: list[_Node] = []
    for node in before:
        if node.repeats and node not in places:
            places.append(node)
        if segment in node.literals:
            _arrive(node.literals[segment], places, found)
        for pattern, following in node.patterns.values():
            if pattern.fullmatch(segment):
                _arrive(following, places, found)
    return places


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


def segment_expression(segment: str) -> str:
    """The expression that one segment of a pattern stands for."""
    first, *rest = map(re.escape, PLACEHOLDER.split(segment))
    if not rest:
        return first
    *middle, last = rest
    # The leftmost place is always good enough for what stands between two names. Atomic groups keep a long segment
    # of nothing but separators from being tried in every possible division.
    return first + "".join(f"(?>[^/]*?{literal})" for literal in middle) + "[^/]*" + last
