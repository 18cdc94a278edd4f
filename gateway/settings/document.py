"""A YAML 1.2 file as plain values, with the place of each key and item.

The parser is ruamel.yaml, stopped after composing: the tree of nodes is turned into values here, because only here are
the place of every item, doubled keys and the cost of aliases known at the same time. Nothing but text, numbers,
truth values, null, lists and mappings with text keys can come out; dates stay text.
"""

from __future__ import annotations

import io
import math
import re
from dataclasses import dataclass, field
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode
from ruamel.yaml.reader import ReaderError

from gateway.settings.problem import ConfigProblems, KeyPath, Problem, Severity, key_text

MAX_BYTES = 2**20
MAX_DEPTH = 32
MAX_REPEATED = 10_000
"""How many values aliases may repeat: the guard against a small file that unfolds to gigabytes."""

_TAG = "tag:yaml.org,2002:"
_TEXT_TAGS = {_TAG + "str", _TAG + "timestamp"}
_HALF_CHARACTER = "the text has half of a character (an escape \\uD800 to \\uDFFF)"
_OTHER_VERSION = re.compile(r"^%YAML[ \t]+(?!1\.2\b)", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Mark:
    """Where something stands. Line 0: in no file, `where` says it all."""

    where: str
    line: int = 0
    column: int = 0


@dataclass
class Document:
    """What was read. `data` is the top-level mapping; `marks` holds the place of every key and item."""

    where: str
    data: dict[str, Any] = field(default_factory=dict)
    marks: dict[KeyPath, Mark] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    """Found while reading and not fatal to it: doubled keys."""
    unread: set[KeyPath] = field(default_factory=set)
    """Where something stands that could not be read as a value; it counts as null and has its problem already."""

    def mark(self, path: KeyPath) -> Mark:
        """The place of this key or item, or of the nearest thing around it."""
        for length in range(len(path), 0, -1):
            if (found := self.marks.get(path[:length])) is not None:
                return found
        return Mark(self.where, 1 if self.data and () in self.marks else 0)

    def problem(self, path: KeyPath, message: str, severity: Severity = Severity.ERROR) -> Problem:
        """A problem at this key."""
        mark = self.mark(path)
        return Problem(mark.where, message, key_text(path), mark.line, severity=severity)


def read_document(where: str, text: str) -> Document:
    """Read the text of a config. Raises `ConfigProblems` when it is not one YAML mapping within the limits."""
    if found := _OTHER_VERSION.search(text):
        line = text.count("\n", 0, found.start()) + 1
        raise _refused(where, "only YAML 1.2 is read: remove the %YAML line", line)
    node = _compose(where, text)
    if node is None:
        raise _refused(where, 'the file is empty: it needs at least `upstream: "http://HOST:PORT"`')
    if not isinstance(node, MappingNode):
        kind = "a list" if isinstance(node, SequenceNode) else "a single value"
        raise _refused(where, f"the top level is {kind}: it must be keys, like `upstream: http://...`", _line(node))
    document = Document(where)
    document.marks[()] = Mark(where, 1)
    data = _Reading(document).value(node, ())
    if not isinstance(data, dict):  # a tag of its own, which is told already
        raise ConfigProblems(document.problems)
    document.data = data
    return document


def read_value(text: str) -> Any:
    """One value written as YAML, or None when the text is not valid YAML (an environment variable is often not)."""
    try:
        node = _compose("", text)
        if node is None:
            return None
        document = Document("")
        value = _Reading(document).value(node, ())
    except ConfigProblems:
        return None
    return None if document.problems else value


def _compose(where: str, text: str) -> Node | None:
    yaml = YAML(typ="safe", pure=True)
    yaml.composer.warn_double_anchors = False
    try:
        node: Node | None = yaml.compose(io.StringIO(text))
    except MarkedYAMLError as error:
        raise ConfigProblems([_syntax_problem(where, error)]) from None
    except ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        column = error.position - text.rfind("\n", 0, error.position)
        message = f"not valid YAML: the character U+{_code(error.character):04X} is not allowed"
        raise ConfigProblems([Problem(where, message, line=line, column=column)]) from None
    except RecursionError:
        raise _refused(where, f"nested deeper than {MAX_DEPTH} levels") from None
    except (YAMLError, ValueError, OverflowError) as error:
        raise _refused(where, f"not valid YAML: {error}") from None
    return node


def _code(character: Any) -> int:
    return ord(character) if isinstance(character, str) else int(character)


def _syntax_problem(where: str, error: MarkedYAMLError) -> Problem:
    mark = error.problem_mark or error.context_mark
    said = ", ".join(part.strip() for part in (error.context, error.problem) if part) or "it can't be read"
    line, column = (mark.line + 1, mark.column + 1) if mark is not None else (0, 0)
    if error.context_mark is not None and error.context_mark.line + 1 < line:
        said += f" (it begins in line {error.context_mark.line + 1})"
    return Problem(where, f"not valid YAML: {said}{_syntax_hint(said)}", line=line, column=column)


def _syntax_hint(said: str) -> str:
    hints = {
        "'\\t'": ": indent with spaces, not with tabs",
        "mapping values are not allowed": ": put text that contains ': ' into quotes, and check the indentation",
        "single document": ": a config is one document, without '---' in between",
        "an alias": ": put text that begins with '*' into quotes",
        "'%'": ": put text that begins with '%' into quotes",
        "'@'": ": put text that begins with '@' into quotes",
        "'`'": ": put text that begins with '`' into quotes",
    }
    return next((hint for sign, hint in hints.items() if sign in said), "")


def _refused(where: str, message: str, line: int = 0) -> ConfigProblems:
    return ConfigProblems([Problem(where, message, line=line)])


def _line(node: Node) -> int:
    return int(node.start_mark.line) + 1


class _Reading:
    """Turns nodes into values and notes where each stands."""

    def __init__(self, document: Document) -> None:
        self.document = document
        self.seen: set[int] = set()
        self.repeated = 0

    def value(self, node: Node, path: KeyPath) -> Any:
        self._count(node, path)
        if isinstance(node, ScalarNode):
            return self._scalar(node, path)
        if isinstance(node, SequenceNode) and node.tag == _TAG + "seq":
            return [self._item(item, (*path, position)) for position, item in enumerate(node.value)]
        if isinstance(node, MappingNode) and node.tag == _TAG + "map":
            return self._mapping(node, path)
        return self._wrong_tag(node, path)

    def _item(self, node: Node, path: KeyPath) -> Any:
        self.document.marks[path] = Mark(self.document.where, _line(node))
        return self.value(node, path)

    def _mapping(self, node: MappingNode, path: KeyPath) -> dict[str, Any]:
        values: dict[str, Any] = {}
        for key_node, value_node in node.value:
            if not isinstance(key_node, ScalarNode):
                self._complain(key_node, path, "a key must be plain text")
                continue
            key = _whole(str(key_node.value))
            if key is None:
                self._complain(key_node, path, _HALF_CHARACTER)
                continue
            if key_node.tag == _TAG + "null":
                self._complain(key_node, path, "there is no key before the colon: write one, or remove it")
                continue
            here = (*path, key)
            if key_node.tag == _TAG + "merge":
                self.document.unread.add(path)
                self._complain(key_node, here, "merge keys are not part of YAML 1.2: write the keys out")
            elif key in values:
                first = self.document.marks[here].line
                self._complain(key_node, here, f"the key stands here a second time (first in line {first}): keep one")
            else:
                self.document.marks[here] = Mark(self.document.where, _line(key_node))
                values[key] = self.value(value_node, here)
        return values

    def _scalar(self, node: ScalarNode, path: KeyPath) -> Any:
        text, tag = _whole(str(node.value)), node.tag
        if text is None:
            self.document.unread.add(path)
            self._complain(node, path, _HALF_CHARACTER)
            return None
        if tag in _TEXT_TAGS:
            return text
        if tag == _TAG + "null":
            return None
        if tag == _TAG + "bool":
            return text.lower() == "true"
        if tag in (_TAG + "int", _TAG + "float"):
            return _number(text, tag == _TAG + "int")
        return self._wrong_tag(node, path)

    def _count(self, node: Node, path: KeyPath) -> None:
        if len(path) > MAX_DEPTH:
            raise _refused(self.document.where, f"nested deeper than {MAX_DEPTH} levels", _line(node))
        if id(node) in self.seen:
            self.repeated += 1
            if self.repeated > MAX_REPEATED:
                message = f"aliases (*name) repeat more than {MAX_REPEATED} values: write them out"
                raise _refused(self.document.where, message, _line(node))
        self.seen.add(id(node))

    def _wrong_tag(self, node: Node, path: KeyPath) -> None:
        self.document.unread.add(path)
        name = str(node.tag).removeprefix(_TAG)
        self._complain(node, path, f"the tag {name!r} is not supported: remove it")

    def _complain(self, node: Node, path: KeyPath, message: str) -> None:
        problem = Problem(self.document.where, message, key_text(path), _line(node))
        self.document.problems.append(problem)


def _whole(text: str) -> str | None:
    """The text with characters that JSON wrote in two halves (`\\ud83d\\ude00`) joined; None where a half is alone."""
    try:
        return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le")
    except UnicodeDecodeError:
        return None


def _number(text: str, whole: bool) -> int | float | str:
    """The number, or the text itself where Python can't read it as one."""
    try:
        if whole:
            return int(text) if text.lstrip("+-").isdigit() else int(text.replace("_", ""), 0)
        value = float(text.replace("_", "").replace(".inf", "inf").replace(".nan", "nan"))
        return value if math.isfinite(value) else text
    except ValueError:
        return text
