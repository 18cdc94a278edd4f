"""A GraphQL document, read as far as it matters here: which operations it has, and what each asks for at its root.

It reads every document that a server accepts (the GraphQL specification, section 2) and calls unclear what it does not
know. It is no validator: what a server refuses yields no result, whatever is read here. A parser of the whole language
would build a tree of everything at many times the cost, and go as deep as the nesting that somebody sends.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field

from gateway.access.strict_json import Unclear

_TOKEN = re.compile(
    r"""
    (?:[\ufeff\t\n\r\x20,]++ | \#[^\n\r]*+)++
    | (?P<word> [_A-Za-z][_0-9A-Za-z]*+ | \.\.\. | [!$&()\[\]{}:=@|] )
    | (?P<value>
        -?(?:0|[1-9][0-9]*+)(?:\.[0-9]++)?+(?:[eE][+-]?[0-9]++)?+(?![_0-9A-Za-z.])
        | \"\"\"(?s:\\\"\"\"|(?!\"\"\").)*+\"\"\"
        | "(?:[^"\\\n\r]|\\[^\n\r])++"
        | ""(?!")
    )
    | (?P<other> (?s:.))
    """,
    re.VERBOSE,
)
_VALUE, _END = '"', ""
_UNKNOWN = "its query is no GraphQL that could be read"
_KINDS = frozenset({"query", "mutation", "subscription"})
_CLOSERS = {"(": ")", "[": "]", "{": "}"}


@dataclass(slots=True)
class Selection:
    """What is asked for at one root, inline fragments taken in."""

    fields: set[str] = field(default_factory=set)
    """Names of fields, whatever they are called in the answer."""
    spreads: set[str] = field(default_factory=set)
    """Names of fragments."""


@dataclass(slots=True)
class Document:
    """Operations and fragments by their names, `""` for an operation without one. A name may stand there twice."""

    operations: dict[str, list[Selection]] = field(default_factory=lambda: defaultdict(list))
    fragments: dict[str, list[Selection]] = field(default_factory=lambda: defaultdict(list))

    def running(self, asked: str) -> set[str]:
        """Names of the operations that may run when this one is asked for: all, where there is no such operation."""
        return {asked} if asked and asked in self.operations else set(self.operations)

    def root_fields(self, operations: Iterable[str]) -> set[str]:
        """Names of the fields at the root of these operations, fragments followed."""
        fields: set[str] = set()
        followed: set[str] = set()
        waiting = [selection for name in operations for selection in self.operations.get(name, ())]
        while waiting:
            selection = waiting.pop()
            fields |= selection.fields
            for name in selection.spreads - followed:
                followed.add(name)
                waiting += self.fragments.get(name, ())
        return fields


def read_document(text: str) -> Document:
    """Read an executable document. Raises `Unclear`."""
    return _Reader(_tokens(text)).document()


def _tokens(text: str) -> list[str]:
    """Names and signs as they are, every string and number as a quotation mark."""
    tokens = []
    for found in _TOKEN.finditer(text):
        match found.lastgroup:
            case "word":
                tokens.append(found[0])
            case "value":
                tokens.append(_VALUE)
            case "other":
                raise Unclear("its query has a character that is not part of GraphQL")
            case _:
                pass
    tokens.append(_END)
    return tokens


class _Reader:
    def __init__(self, tokens: list[str]) -> None:
        self._tokens = tokens
        self._at = 0

    def document(self) -> Document:
        read = Document()
        while self._tokens[self._at] != _END:
            if self._tokens[self._at] == _VALUE:  # a description
                self._at += 1
            word = self._tokens[self._at]
            if word == "{":
                read.operations[""].append(self._selection())
            elif word in _KINDS:
                self._at += 1
                name = self._name() if self._is_name() else ""
                self._arguments()
                read.operations[name].append(self._selection())
            elif word == "fragment":
                self._at += 1
                name = self._name()
                self._arguments()  # variables of a fragment, which some servers know
                self._expect("on")
                self._name()
                read.fragments[name].append(self._selection())
            else:
                raise Unclear("its query has something that is neither an operation nor a fragment")
        return read

    def _selection(self) -> Selection:
        """Everything between two braces, directives before them included."""
        selection = Selection()
        self._directives()
        self._expect("{")
        at_root = [True]
        """For every brace that is open, whether what it holds belongs to the root."""
        while at_root:
            word = self._next()
            if word == "}":
                at_root.pop()
            elif word == "...":
                self._fragment(selection, at_root)
            elif word[:1].isidentifier():
                self._field(word, selection, at_root)
            else:
                raise Unclear(_UNKNOWN)
        return selection

    def _field(self, name: str, selection: Selection, at_root: list[bool]) -> None:
        if self._tokens[self._at] == ":":  # what came first is what it is called in the answer
            self._at += 1
            name = self._name()
        if at_root[-1]:
            selection.fields.add(name)
        self._arguments()
        self._directives()
        if self._tokens[self._at] == "{":
            self._at += 1
            at_root.append(False)

    def _fragment(self, selection: Selection, at_root: list[bool]) -> None:
        word = self._tokens[self._at]
        if self._is_name() and word != "on":
            self._at += 1
            if at_root[-1]:
                selection.spreads.add(word)
            self._arguments()
            self._directives()
            return
        if word == "on":
            self._at += 1
            self._name()
        self._directives()
        self._expect("{")
        at_root.append(at_root[-1])

    def _directives(self) -> None:
        while self._tokens[self._at] == "@":
            self._at += 1
            self._name()
            self._arguments()

    def _arguments(self) -> None:
        """What stands between parentheses, if anything does."""
        if self._tokens[self._at] != "(":
            return
        open_until = []
        while True:
            word = self._next()
            if word in _CLOSERS:
                open_until.append(_CLOSERS[word])
            elif word in (")", "]", "}") and open_until.pop() != word:
                raise Unclear(_UNKNOWN)
            elif not open_until:
                return

    def _is_name(self) -> bool:
        return self._tokens[self._at][:1].isidentifier()

    def _name(self) -> str:
        word = self._next()
        if not word[:1].isidentifier():
            raise Unclear(_UNKNOWN)
        return word

    def _expect(self, word: str) -> None:
        if self._next() != word:
            raise Unclear(_UNKNOWN)

    def _next(self) -> str:
        word = self._tokens[self._at]
        if word == _END:
            raise Unclear(_UNKNOWN)
        self._at += 1
        return word
