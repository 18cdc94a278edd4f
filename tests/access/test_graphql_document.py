"""Which operations a GraphQL document has, and what each asks for at its root."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.access.graphql_document import read_document
from gateway.access.strict_json import Unclear


def roots(text: str) -> dict[str, set[str]]:
    """The root fields of each operation."""
    document = read_document(text)
    return {name: document.root_fields([name]) for name in document.operations}


DOCUMENTS = [
    # document, root fields by the name of the operation
    ("{ export }", {"": {"export"}}),
    ("query { export }", {"": {"export"}}),
    ("query Report { export me }", {"Report": {"export", "me"}}),
    ("mutation Report { export }", {"Report": {"export"}}),
    ("subscription Report { export }", {"Report": {"export"}}),
    ("query query { query }", {"query": {"query"}}),
    ("query fragment { on mutation true null }", {"fragment": {"on", "mutation", "true", "null"}}),
    ("{me,export}", {"": {"me", "export"}}),
    ("\ufeff{\r\n\tme\n}\n# the end", {"": {"me"}}),
    ("# query Report { export }\n{ me # export\n}", {"": {"me"}}),
    # what a field is called in the answer does not matter
    ("{ me: export }", {"": {"export"}}),
    ("{ export: me }", {"": {"me"}}),
    ("{ me # comment\n : \ufeff , export }", {"": {"export"}}),
    # what stands deeper does not matter
    ("{ me { export { a } } you { b } }", {"": {"me", "you"}}),
    ("{ me { a { b { c } } } export }", {"": {"me", "export"}}),
    # arguments
    ('{ me(export: "export") }', {"": {"me"}}),
    ('{ me(a: {export: [1, {b: "}"}]}, c: $c, d: ENUM, e: -1.5e3, f: null) { x } export }', {"": {"me", "export"}}),
    ('{ me(a: "\\"} { export }") you }', {"": {"me", "you"}}),
    ('{ me(a: "\\\\") export }', {"": {"me", "export"}}),
    ('{ me(a: """ \\""" } export { " "" """, b: "") you }', {"": {"me", "you"}}),
    ('{ me(a: """""", b: """x""") you }', {"": {"me", "you"}}),
    ('{ me(a: """\n"quoted"\n\\""") export }', None),
    ("{ me(a: 1\n#) export\n) you }", {"": {"me", "you"}}),
    # directives
    ("query Q @a(b: {c: 1}) @d { me @skip(if: $s) @e export @include(if: false) }", {"Q": {"me", "export"}}),
    ("query Q($a: [Int!]! = [1, 2] @b, $c: In = {d: {e: 1}}) { me }", {"Q": {"me"}}),
    ("query ($a: Int) { me(a: $a) }", {"": {"me"}}),
    # fragments
    ("{ ... { export } }", {"": {"export"}}),
    ("{ ... on Query { export { a } } me }", {"": {"export", "me"}}),
    ("{ ... @include(if: true) { ... on Query @x { ... { export } } } }", {"": {"export"}}),
    ("{ ...F } fragment F on Query { export }", {"": {"export"}}),
    ("fragment F on Query { export } { ...F @x me }", {"": {"export", "me"}}),
    ("{ ...A } fragment A on Query { ...B } fragment B on Query { ... on Query { export } }", {"": {"export"}}),
    ("{ ...A } fragment A on Query { a ...B } fragment B on Query { b ...A }", {"": {"a", "b"}}),
    ("{ ...F } fragment F on Query { a } fragment F on Query { export }", {"": {"a", "export"}}),
    ("{ me { ...F } } fragment F on User { export }", {"": {"me"}}),
    ("{ ...None me }", {"": {"me"}}),
    ("{ ...onward } fragment onward on Query { export }", {"": {"export"}}),
    ("{ ...F(x: 1) } fragment F($x: Int = 1) on Query { export(a: $x) }", {"": {"export"}}),
    # several operations
    ("query A { a } query B { b } mutation C { c }", {"A": {"a"}, "B": {"b"}, "C": {"c"}}),
    ("query A { a } query A { export }", {"A": {"a", "export"}}),
    ("{ a } { b }", {"": {"a", "b"}}),
    ('"what it is for" query A { a } """and more""" query B { b }', {"A": {"a"}, "B": {"b"}}),
    ("", {}),
    ("fragment F on Query { export }", {}),
]


@pytest.mark.parametrize(("text", "expected"), DOCUMENTS)
def test_every_operation_is_found_with_its_root_fields(text: str, expected: dict[str, set[str]] | None) -> None:
    if expected is None:
        with pytest.raises(Unclear):
            read_document(text)
    else:
        assert roots(text) == expected


def test_an_operation_may_run_unless_another_one_is_asked_for() -> None:
    document = read_document("query A { a } query B { b }")
    assert document.running("A") == {"A"}
    assert document.running("") == document.running("C") == {"A", "B"}
    assert read_document("query A { a } { b }").running("") == {"A", ""}


@pytest.mark.parametrize(
    "text",
    [
        "x", "{", "}", "{a", "{a}}", "{a} b", "{a} type T {b: C}", "schema {query: Q}", "extend type Q {a: B}",
        "query", "query A", "query A B {a}", "query A(", "query A($a: Int {a}", "{a(}", "{a(b: [1)}", "{a)}", "{a:}",
        "{a: b: c}", "{a: 1}", "{1}", '{"a"}', "{a!}", "{a?}", "{a @}", "{a @1}", "{... on}", "{... on {a}}", "{...}",
        "{a(b: [1})}", "{....a}", "{..a}", "{. a}", "fragment F {a}", "fragment F on {a}", "fragment {a}",
        '{a(b: ")}', '{a(b: "\n")}', '{a(b: """)}', '{a(b: """" )}', '{a(b: """"""")}', "{a(b: 1c)}", "{a(b: 01)}",
        "{a(b: 1.)}", "{a(b: -)}", "{a\x00}", "{a\xa0b}", "{é}", "{a;b}", "{a\u2028b}", "{a: 'b'}", "{a %}", "{a}\\",
        '"for nobody"', '{ "a": 1 }', "[{a}]", "{a}\ufffe",
    ],
)  # fmt: skip
def test_what_is_no_document_is_unclear(text: str) -> None:
    with pytest.raises(Unclear):
        read_document(text)


def naive_roots(text: str) -> set[str]:
    """Names directly behind the first brace, as a regular expression finds them: the known-bad twin."""
    return set(re.findall(r"^\s*(?:query|mutation)?\s*\w*\s*\{\s*(\w+)", text))


def test_a_naive_reader_is_deceived_by_many_of_them() -> None:
    """Else there would be nothing to guard against."""
    wrong = [text for text, expected in DOCUMENTS if expected and naive_roots(text) != set().union(*expected.values())]
    assert len(wrong) > 20


NAMES = st.sampled_from(["a", "export", "on", "query", "fragment", "true", "F", "G"])
STRINGS = st.sampled_from(['"x"', '"} {"', '"""} { """', '"\\""', '""', "[1, {a: 2}]", "$v", "{a: [{}]}", "-1.5", "E"])
IGNORED = st.sampled_from([" ", ",", "\n", "\t", "# } {\n", "\ufeff", " , "])


@st.composite
def selections(draw: st.DrawFn, depth: int = 3) -> tuple[str, set[str], set[str]]:
    """A selection set, with the fields and the fragments at its root."""
    fields, spreads, text = set(), set(), "{"
    for _ in range(draw(st.integers(1, 4))):
        gap = draw(IGNORED)
        arguments = f"({draw(NAMES)}:{gap}{draw(STRINGS)})" if draw(st.booleans()) else ""
        directive = f"@{draw(NAMES)}{arguments}" if draw(st.booleans()) else ""
        kind = draw(st.sampled_from(["field", "alias", "spread", "inline"]))
        if kind in ("field", "alias"):
            name = draw(NAMES)
            fields.add(name)
            below = draw(selections(depth=depth - 1))[0] if depth and draw(st.booleans()) else ""
            shown = f"{draw(NAMES)}{gap}:{gap}{name}" if kind == "alias" else name
            text += f"{gap}{shown}{arguments}{directive}{below}"
        elif kind == "spread" or not depth:
            name = draw(NAMES.filter(lambda name: name != "on"))
            spreads.add(name)
            text += f"{gap}...{name}{directive}"
        else:
            below, inner_fields, inner_spreads = draw(selections(depth=depth - 1))
            condition = draw(st.sampled_from(["", "on T"]))
            text += f"{gap}...{condition}{directive}{below}"
            fields |= inner_fields
            spreads |= inner_spreads
        text += draw(IGNORED)
    return text + "}", fields, spreads


@given(
    selections(), st.lists(st.tuples(NAMES.filter(lambda name: name != "on"), selections()), max_size=3), st.booleans()
)
def test_a_written_document_is_read_as_it_was_meant(
    root: tuple[str, set[str], set[str]],
    fragments: list[tuple[str, tuple[str, set[str], set[str]]]],
    named: bool,
) -> None:
    text, expected, waiting = f"query Q {root[0]}" if named else root[0], set(root[1]), list(root[2])
    text += "".join(f"fragment {name} on T {selection[0]}" for name, selection in fragments)
    followed: set[str] = set()
    while waiting:
        spread = waiting.pop()
        for name, (_, fields, spreads) in fragments:
            if name == spread and spread not in followed:
                expected |= fields
                waiting += spreads
        followed.add(spread)
    assert roots(text) == {"Q" if named else "": expected}


@given(
    st.lists(
        st.sampled_from([
            "{", "}", "(", ")", "[", "]", "...", "on", "query", "fragment", "a", "F", ":", "@", "$", "!", "=", '"',
            '"""', "\\", "#", "\n", " ", "1", "-", ".", "&", "|", "\ufeff", "é", "\x00", "\ud800",
        ]),
        max_size=60,
    ).map("".join)
)  # fmt: skip
def test_whatever_comes_is_read_or_unclear(text: str) -> None:
    try:
        document = read_document(text)
    except Unclear as unclear:
        assert str(unclear)
    else:
        document.root_fields(document.running(""))


@pytest.mark.parametrize(
    "seed",
    ["{", "{a", "...", "...{", "a ", "a,", "a:", '"', '"""', '"\\', "\\", "#", "#\n", "(", "[{(", "@a", "1", "1.", "-",
     "e", '{a(b:"x")}', "query A{a}", "...F ", "fragment F on Q{...F}", "{...F}fragment F on Q{...F}", "\ufeff"],
)  # fmt: skip
@pytest.mark.parametrize("frame", ["{}", "{{{}}}", "{{a(b: {})}}", '{{a(b: "{}")}}', '{{a(b: """{}""")}}'])
def test_a_hostile_document_costs_no_more_than_its_length(seed: str, frame: str) -> None:
    # Anything worse than linear would take minutes with this much; the test's own time limit tells.
    text = frame.format(seed * (200_000 // len(seed)))
    try:
        document = read_document(text)
    except Unclear as unclear:
        assert str(unclear)
    else:
        document.root_fields(document.running(""))


def test_fragments_of_fragments_are_followed_once() -> None:
    links = "".join(f"fragment F{number} on Q {{...F{number + 1} ...F{number // 2} a}}" for number in range(5_000))
    operations = "".join(f"query Q{number} {{...F0}}" for number in range(5_000))
    document = read_document(operations + links)
    assert document.root_fields(document.running("")) == {"a"}
