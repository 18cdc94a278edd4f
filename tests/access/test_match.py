"""Which rule a request falls under."""

from __future__ import annotations

from urllib.parse import quote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.access.match import Match, RouteTable
from gateway.core.rule import AnswerCondition, RouteClass, Rule
from gateway.core.target import read_path
from tests.access.naive import rule_of

OPEN, ACTION, RESULT, EXEMPT = RouteClass.OPEN, RouteClass.ACTION, RouteClass.RESULT, RouteClass.EXEMPT


def result(path: str, *methods: str, query: dict[str, str | None] | None = None) -> Rule:
    return Rule("result", RESULT, path, frozenset(methods), tuple((query or {}).items()))


def free(path: str, *methods: str, query: dict[str, str | None] | None = None, name: str = "open") -> Rule:
    return Rule(name, OPEN, path, frozenset(methods), tuple((query or {}).items()))


def match(rules: list[Rule], target: str, method: str = "GET", *overrides: str) -> Match:
    path, _, query = target.partition("?")
    return RouteTable(tuple(rules)).match(method, read_path(path.encode()), query, overrides)


def name(rules: list[Rule], target: str, method: str = "GET", *overrides: str) -> str:
    return match(rules, target, method, *overrides).rule.name


ELSE = "everything-else"

PATHS = [
    # pattern, path, name of the rule
    ("/", "/", "result"),
    ("/", "/a", ELSE),
    ("/a", "/a", "result"),
    ("/a", "/ab", ELSE),
    ("/a", "/a/b", ELSE),
    ("/a/b", "/a", ELSE),
    # {name}: one segment, also an empty one
    ("/api/{id}", "/api/7", "result"),
    ("/api/{id}", "/api/", "result"),
    ("/api/{id}", "/api", ELSE),
    ("/api/{id}", "/api/7/8", ELSE),
    ("/api/{id}/export", "/api/7/export", "result"),
    ("/api/{id}/export", "/api/7/other", ELSE),
    ("/api/{id}", "/api/caf%C3%A9", "result"),
    ("/api/{id}", "/api/a%20b", "result"),
    # a part of a segment
    ("/{name}.csv", "/report.csv", "result"),
    ("/{name}.csv", "/.csv", "result"),
    ("/{name}.csv", "/report.csv.txt", ELSE),
    ("/{name}.csv", "/reportxcsv", ELSE),
    ("/{name}.csv", "/a/report.csv", ELSE),
    ("/r-{year}-{month}.pdf", "/r-2024-05.pdf", "result"),
    ("/r-{year}-{month}.pdf", "/r-2024-05-06.pdf", "result"),
    ("/r-{year}-{month}.pdf", "/r-2024.pdf", ELSE),
    ("/{a}-{b}-", "/x-", ELSE),
    ("/{a}-{b}-", "/--", "result"),
    ("/{a}aa{b}a", "/aaa", "result"),
    ("/{a}aa{b}a", "/aa", ELSE),
    # ** at the end, in the middle, at the beginning, several; no segment too
    ("/**", "/", "result"),
    ("/**", "/a/b/c", "result"),
    ("/files/**", "/files", "result"),
    ("/files/**", "/files/", "result"),
    ("/files/**", "/files/a/b", "result"),
    ("/files/**", "/files2", ELSE),
    ("/a/**/z", "/a/z", "result"),
    ("/a/**/z", "/a/b/c/z", "result"),
    ("/a/**/z", "/a/z/y", ELSE),
    ("/**/export", "/export", "result"),
    ("/**/export", "/a/b/export", "result"),
    ("/**/export", "/a/export/b", ELSE),
    ("/**/a/**/b/**", "/x/a/y/b", "result"),
    ("/**/a/**/b/**", "/a/b/c/d", "result"),
    ("/**/a/**/b/**", "/b/a", ELSE),
    ("/**/{id}.csv", "/a/b/c.csv", "result"),
    ("/**/**/x", "/a/x", "result"),
    ("/**/**", "/a", "result"),
    ("/**/a/b", "/a/a/b", "result"),
    ("/**/a/a/b/**", "/a/a/a/b", "result"),
    # read leniently, a result wins
    ("/api/result", "/API/Result", "result"),
    ("/api/result", "/api/result/", "result"),
    ("/api/result", "/api/result.", "result"),
    ("/api/result", "/api/result%20", "result"),
    ("/api/result", "/api/result./", "result"),
    ("/API/Result", "/api/result", "result"),
    ("/API/Result/{ID}", "/api/result/7", "result"),
    ("/api/result/", "/api/result", "result"),
    ("/api/result/", "/api/result/", "result"),
    ("/stra%C3%9Fe", "/straße", ELSE),
    ("/straße", "/STRASSE", "result"),
    ("/.well-known/x", "/.well-known/x", "result"),
    # dots and spaces inside are nobody's to ignore
    ("/.../x", "/.../x", "result"),
    ("/v1./x", "/v1./x", "result"),
    ("/v1./x", "/v1/x", ELSE),
    ("/a/...", "/a/...", "result"),
    ("/a/...", "/a", ELSE),
    ("/files/{name}/", "/files/.../", "result"),
    ("/files/{name}./", "/files/x./", "result"),
    ("/files/{name}", "/files/%20/", "result"),
]


@pytest.mark.parametrize(("pattern", "target", "expected"), PATHS)
def test_a_path_finds_its_rule(pattern: str, target: str, expected: str) -> None:
    assert name([result(pattern)], target) == expected


@pytest.mark.parametrize(("pattern", "target", "expected"), [row for row in PATHS if row[1].startswith("/")])
def test_an_open_rule_is_matched_exactly_or_not_at_all(pattern: str, target: str, expected: str) -> None:
    found = name([free(pattern)], target)
    assert found in ("open", ELSE)
    if expected == ELSE:
        assert found == ELSE


class TestOrder:
    def test_the_first_match_wins(self) -> None:
        rules = [free("/a/free"), result("/a/{id}"), free("/a/**", name="later")]
        assert [name(rules, target) for target in ("/a/free", "/a/7", "/a/7/8", "/b")] == [
            "open", "result", "later", ELSE,
        ]  # fmt: skip

    def test_the_order_counts_and_not_how_special_a_rule_is(self) -> None:
        assert name([free("/**"), result("/a/b")], "/a/b") == "open"

    def test_two_rules_of_one_path_by_method(self) -> None:
        rules = [result("/a", "POST"), free("/a", "GET")]
        assert (name(rules, "/a", "POST"), name(rules, "/a", "GET")) == ("result", "open")

    @pytest.mark.parametrize("target", ["/a/FREE", "/a/free/", "/A/free", "/a/free."])
    def test_an_open_rule_before_a_result_does_not_open_what_is_only_like_it(self, target: str) -> None:
        assert name([free("/a/free"), result("/a/**")], target) != "open"

    def test_a_result_before_an_open_rule_takes_what_is_only_like_it(self) -> None:
        found = match([result("/a/paid"), free("/**")], "/a/PAID")
        assert found.rule.name == "result"
        assert "ignores case" in found.ambiguous

    def test_a_match_that_is_exact_is_not_ambiguous(self) -> None:
        assert match([result("/a/paid"), free("/**")], "/a/paid").ambiguous == ""
        assert match([result("/a/paid"), free("/**")], "/a/other").ambiguous == ""


class TestMethods:
    @pytest.mark.parametrize(
        ("methods", "method", "expected"),
        [
            ("GET", "GET", "result"),
            ("GET", "HEAD", "result"),
            ("GET", "POST", ELSE),
            ("POST", "GET", ELSE),
            ("POST", "HEAD", ELSE),
            ("GET POST", "POST", "result"),
            # A framework may hand what it never heard of to a handler for every method.
            ("POST", "PROPFIND", "result"),
            ("POST", "QUERY", "result"),
            ("POST", "post", "result"),
            ("GET", "OPTIONS", ELSE),
        ],
    )
    def test_of_a_result(self, methods: str, method: str, expected: str) -> None:
        assert name([result("/a", *methods.split())], "/a", method) == expected

    @pytest.mark.parametrize(
        ("method", "expected"), [("GET", "open"), ("HEAD", "open"), ("POST", ELSE), ("BREW", ELSE)]
    )
    def test_of_an_open_rule_are_taken_literally(self, method: str, expected: str) -> None:
        assert name([free("/a", "GET")], "/a", method) == expected

    @pytest.mark.parametrize(
        ("target", "overrides", "expected"),
        [
            ("/a", ("PUT",), "result"),
            ("/a", ("DELETE", "PUT"), "result"),
            ("/a", ("DELETE",), ELSE),
            ("/a?_method=PUT", (), "result"),
            ("/a?_method=put", (), "result"),
            ("/a?x=1&_method=put", (), "result"),
            ("/a?%5Fmethod=put", (), "result"),
            ("/a?_%6dethod=PUT", (), "result"),
            ("/a?_method=%50UT", (), "result"),
            ("/a?x=1;_method=PUT", (), "result"),
            ("/a?_method=get&_method=put", (), "result"),
            ("/a?_method=get", (), ELSE),
            ("/a?my_method=put", (), ELSE),
            ("/a?x=_method%3Dput", (), ELSE),
            ("/a?%", (), ELSE),
        ],
    )
    def test_that_are_overridden_do_not_open_a_result(
        self, target: str, overrides: tuple[str, ...], expected: str
    ) -> None:
        assert name([result("/a", "PUT")], target, "POST", *overrides) == expected

    @pytest.mark.parametrize("before", [free("/a", "POST"), free("/**"), Rule("exempt", EXEMPT, "/a")])
    def test_an_override_reaches_a_result_behind_an_open_rule(self, before: Rule) -> None:
        rules = [before, result("/a", "PUT")]
        assert name(rules, "/a", "POST") == before.name
        expected = "result" if before.methods else before.name
        assert name(rules, "/a?_method=PUT", "POST") == name(rules, "/a", "POST", "PUT") == expected

    @pytest.mark.parametrize("query", [".method=put", "+_method=PUT", "_method%00x=PUT", "x=1;.method=PUT"])
    def test_an_override_has_other_spellings_for_php(self, query: str) -> None:
        rules = [result("/a", "PUT"), free("/a")]
        assert name(rules, f"/a?{query}", "POST") == "result"
        assert name(rules, "/a?method=PUT", "POST") == "open"

    def test_an_override_does_not_reach_an_open_rule(self) -> None:
        assert name([free("/a", "GET"), result("/a")], "/a?_method=GET", "POST", "GET") == "result"


@pytest.mark.parametrize("path", ["/ınsights", "/İNSIGHTS", "/%C4%B1nsights"])
def test_a_letter_that_some_take_for_an_i_is_one(path: str) -> None:
    """Turkish has two of them, and Python's `re.IGNORECASE` takes both for an i."""
    rules = [result("/insights"), free("/**")]
    assert name(rules, quote(path, safe="/%")) == "result"
    assert name(rules, quote("/ılıca/İstanbul")) == "open"
    assert not match(rules, quote("/ılıca/İstanbul")).ambiguous


@pytest.mark.parametrize("path", ["/Demo/export/", "/demo/export/", "/DEMO/export"])
def test_a_result_between_an_open_rule_and_nothing_is_not_lost(path: str) -> None:
    """Some frameworks keep case and ignore a trailing slash, others the other way round: each takes another rule."""
    rules = [free("/demo/export"), result("/{tenant}/export")]
    found = match(rules, path)
    assert found.rule.name == "result"
    assert name(rules, "/demo/export") == "open"


class TestQuery:
    @pytest.mark.parametrize(
        ("query", "expected"),
        [
            ("format=csv", "result"),
            ("x=1&format=csv", "result"),
            ("FORMAT=csv", "result"),
            ("format=CSV", "result"),
            ("format=csv+", "result"),
            ("format[]=csv", "result"),
            ("format%5B%5D=csv", "result"),
            ("%66ormat=%63sv", "result"),
            ("+format=csv", "result"),
            ("for%00mat=csv", "result"),
            ("format%00x=csv", "result"),
            ("request.format=csv", "result"),
            ("request%5BFormat%5D=csv", "result"),
            ("format=cs%E2%80%8Bv", "result"),
            ("format=c%09sv", "result"),
            ("format=html&format=csv", "result"),
            ("format=csv&format=html", "result"),
            ("x=1;format=csv", "result"),
            ("format=html", ELSE),
            ("format", ELSE),
            ("xformat=csv", ELSE),
            ("", ELSE),
        ],
    )
    def test_of_a_result_is_read_as_leniently_as_any_framework_does(self, query: str, expected: str) -> None:
        assert name([result("/a", query={"format": "csv"})], f"/a?{query}") == expected

    @pytest.mark.parametrize(
        ("query", "expected"),
        [
            ("preview=1", "open"),
            ("preview=1&x=2", "open"),
            ("%70review=1", "open"),
            ("preview=1&preview=1", "open"),
            # Whoever reads another one of several values, or another spelling, must not be shown the result.
            ("preview=1&preview=0", "result"),
            ("preview=0&preview=1", "result"),
            ("preview=1&PREVIEW=0", "result"),
            ("preview=1&preview[]=0", "result"),
            ("preview=1&preview%00x=0", "result"),
            ("preview=1&request.preview=0", "result"),
            # Whoever counts to a thousand and reads no further does not find it.
            ("x&" * 99 + "preview=1", "open"),
            ("x&" * 1000 + "preview=1", "result"),
            ("x;" * 1000 + "&preview=1", "result"),
            ("PREVIEW=1", "result"),
            ("preview[]=1", "result"),
            ("x=1;preview=1", "result"),
            ("preview=1;preview=0", "result"),
            ("", "result"),
        ],
    )
    def test_of_an_open_rule_is_read_as_strictly_as_any_framework_does(self, query: str, expected: str) -> None:
        assert name([free("/a", query={"preview": "1"}), result("/a")], f"/a?{query}") == expected

    @pytest.mark.parametrize(
        "query", ["report.type=csv", "report+type=csv", "report%5Btype=csv", "report.type[]=csv", "Report.Type%00=csv"]
    )
    def test_names_with_an_underscore_have_other_spellings_for_php(self, query: str) -> None:
        rules = [free("/a", query={"report_type": "view"}), result("/a", query={"report_type": "csv"})]
        assert name(rules, f"/a?{query}") == name(rules, f"/a?report_type=view&{query}") == "result"
        assert name(rules, "/a?report_type=view&type=csv") == "open"

    @pytest.mark.parametrize(
        ("query", "expected"),
        [("token=x", "result"), ("token", "result"), ("token=", "result"), ("tokens=x", ELSE), ("x=token", ELSE)],
    )
    def test_any_value(self, query: str, expected: str) -> None:
        assert name([result("/a", query={"token": None})], f"/a?{query}") == expected

    def test_any_value_of_an_open_rule(self) -> None:
        rules = [free("/a", query={"token": None}), result("/a")]
        assert [name(rules, f"/a?{query}") for query in ("token=1&token=2", "TOKEN=1", "x=1;token=1")] == [
            "open", "result", "result",
        ]  # fmt: skip

    def test_all_parameters_are_needed(self) -> None:
        rules = [result("/a", query={"a": "1", "b": None})]
        assert [name(rules, f"/a?{query}") for query in ("a=1&b=9", "a=1", "b=1")] == ["result", ELSE, ELSE]


class TestAnswerRules:
    late = Rule("late", RESULT, "/files/**", answer=AnswerCondition(attachment=True))

    @pytest.mark.parametrize(
        ("rules", "expected", "on_answer"),
        [
            ([late, free("/**")], "open", ("late",)),
            ([free("/**"), late], "open", ()),
            ([late], ELSE, ("late",)),
            ([late, result("/files/**")], "result", ()),
            ([late, Rule("act", ACTION, "/**")], "act", ("late",)),
        ],
    )
    def test_only_those_before_the_rule_may_take_its_place(
        self, rules: list[Rule], expected: str, on_answer: tuple[str, ...]
    ) -> None:
        found = match(rules, "/files/a")
        assert found.rule.name == expected
        assert tuple(rule.name for rule in found.on_answer) == on_answer

    def test_they_keep_their_order_and_their_conditions(self) -> None:
        def late(name: str, path: str, *methods: str) -> Rule:
            return Rule(name, RESULT, path, frozenset(methods), answer=AnswerCondition())

        rules = [late("b", "/**"), late("a", "/files/**"), late("c", "/files/**", "POST"), free("/**")]
        assert [rule.name for rule in match(rules, "/files/a").on_answer] == ["b", "a"]

    def test_they_are_found_leniently_too(self) -> None:
        assert [rule.name for rule in match([self.late, free("/**")], "/FILES/a").on_answer] == ["late"]


class TestScripts:
    """Servers with PATH_INFO run a script for every address below it."""

    @pytest.mark.parametrize(
        ("pattern", "target"),
        [
            ("/export.php", "/export.php/x.css"),
            ("/export.php", "/export.php/x/y/z"),
            ("/export.php", "/EXPORT.PHP/x.css"),
            ("/export.php", "/export.php./x.css"),
            ("/export.php", "/export.php%20/x.css"),
            ("/export.php", "/export.php/x.css/"),
            ("/export.php/", "/export.php/x.css"),
            ("/export.PHP5", "/export.php5/x.css"),
            ("/a/{id}/export.php", "/a/7/export.php/x.css"),
            ("/**/export.php", "/a/b/export.php/x.css"),
            ("/**/export.php", "/export.php/export.php/x.css"),
            ("/{name}.php", "/report.php/x.css"),
            ("/report-{id}.aspx", "/report-7.aspx/x.css"),
            *((f"/r.{suffix}", f"/r.{suffix}/x") for suffix in ("cgi", "pl", "asp", "aspx", "jsp", "py", "rb", "cfm")),
        ],
    )
    def test_what_is_below_one_that_yields_a_result_is_ambiguous(self, pattern: str, target: str) -> None:
        for rules in ([result(pattern), free("/**")], [free("/**/{name}.css"), free("/**/x"), result(pattern)]):
            found = match(rules, target)
            assert (found.rule.name, found.on_answer) == ("result", ())
            assert "script" in found.ambiguous

    @pytest.mark.parametrize(
        ("pattern", "target"),
        [
            ("/reports/{id}", "/reports/7/comments"),
            ("/reports/{id}", "/reports/a.php/comments"),
            ("/report.csv", "/report.csv/comments"),
            ("/export.php", "/export.php5/x.css"),
            ("/export.php", "/export.phpx/x.css"),
            ("/export.php", "/exportxphp/x.css"),
            ("/export.php", "/a/export.php/x.css"),
            ("/export.php", "/x.css"),
            ("/export.php/reports", "/export.php/other"),
            ("/v1./r.php", "/v1/r.php/x"),
        ],
    )
    def test_other_paths_keep_the_rule_of_their_own(self, pattern: str, target: str) -> None:
        found = match([free("/**/x"), result(pattern), free("/**", name="all")], target)
        assert found.rule.route_class is OPEN and found.ambiguous == ""

    def test_a_rule_that_speaks_of_what_is_below_a_script_counts(self) -> None:
        for rules in (
            [free("/index.php/browse/**"), result("/index.php")],
            [result("/index.php"), free("/index.php/browse/**")],
        ):
            assert name(rules, "/index.php/browse/7") == "open"
            assert name(rules, "/index.php/export/7") == "result"

    def test_what_is_below_an_open_script_is_open(self) -> None:
        rules = [free("/public/**"), free("/help.php", name="help"), result("/**/{name}.php"), free("/**", name="all")]
        assert name(rules, "/public/export.php/x") == "open"
        assert name(rules, "/help.php/x") == "all"
        assert name(rules, "/export.php/x") == "result"

    def test_a_result_below_a_script_is_what_it_is(self) -> None:
        found = match([result("/export.php"), Rule("other", RESULT, "/export.php/{id}")], "/export.php/7")
        assert (found.rule.name, found.ambiguous) == ("other", "")

    def test_methods_and_queries_count_as_they_do_for_the_script(self) -> None:
        rules = [result("/r.php", "POST"), result("/q.php", query={"export": None}), free("/**")]
        assert (name(rules, "/r.php/x", "POST"), name(rules, "/r.php/x")) == ("result", "open")
        assert (name(rules, "/q.php/x?export=1"), name(rules, "/q.php/x")) == ("result", "open")
        assert name(rules, "/r.php/x?_method=POST") == "result"

    def test_its_answer_is_judged_below_it_too(self) -> None:
        late = Rule("late", RESULT, "/download.php", answer=AnswerCondition(attachment=True))
        static = Rule("static", EXEMPT, "/**/{name}.css")
        found = match([static, late, free("/**")], "/download.php/x.css")
        assert (found.rule.name, found.on_answer) == ("open", (late,))
        assert match([static, late, free("/**")], "/a/x.css").rule is static


_LONG = ["/a" * 16_000, "/A" * 16_000, "/" + "-" * 32_000, "/a-" * 10_000, "/" + "a" * 32_000]


@pytest.mark.parametrize("path", _LONG, ids=["deep", "upper", "dashes", "both", "flat"])
@pytest.mark.parametrize(
    "pattern",
    ["/**/a/**/b", "/**/a/**/a/**/a/**/b", "/{a}-{b}-{c}-{d}.csv", "/**/{a}-{b}/**/{c}-{d}x", "/**/**/**/x"],
)
def test_a_hostile_path_costs_no_more_than_its_length(pattern: str, path: str) -> None:
    # Matched in every possible division these would take from minutes to years; the test's own time limit tells.
    assert name([result(pattern)], path) in ("result", ELSE)


@pytest.mark.timeout(20)
def test_thousands_of_overridden_methods_cost_no_more_than_a_few() -> None:
    # Looked up one by one they would take minutes.
    query = "&".join(f"_method=m{number}" for number in range(40_000))
    rules = [free("/**"), result("/**/export", "PUT")]
    assert [name(rules, f"{path}?{query}", "POST") for path in (_LONG[0], "/a/export")] == ["open", "open"]
    rules.reverse()
    assert [name(rules, f"{path}?{query}", "POST") for path in (_LONG[0], "/a/export")] == ["open", "result"]


def test_a_hostile_path_of_scripts_costs_no_more_than_its_length() -> None:
    rules = [free("/**/{name}.css"), result("/**/a/**/{name}.php"), result("/**/{a}-{b}.php/{c}.php"), free("/**")]
    assert name(rules, "/x.php" * 5_000 + "/x.css") == "open"
    assert name(rules, "/a" + "/x.php" * 5_000 + "/x.css") == "result"


def test_a_path_of_four_thousand_segments_is_matched() -> None:
    rules = [result("/**/export"), free("/**")]
    assert name(rules, "/x" * 4_000 + "/export") == "result"
    assert name(rules, "/x" * 4_000) == "open"


_SEGMENTS = st.sampled_from(["a", "A", "b", "{x}", "{x}.csv", "a{x}", "{x}-{y}", "**", "**", "...", "a.", "ß"])
_PATTERNS = st.lists(_SEGMENTS, max_size=5).map(lambda parts: "/" + "/".join(parts)) | st.just("/a/")
_WRITTEN = st.sampled_from(
    ["a", "A", "b", "x", "c.csv", "C.CSV", "a-b", "-", "a%20", "...", "a.", "%20", "ss", "%C3%9F"]
)
_ROUTED = st.tuples(st.lists(_WRITTEN, max_size=6), st.sampled_from(["", "/", ".", "%20", "./"]))


def _patterns(*segments: str) -> st.SearchStrategy[list[tuple[str, RouteClass]]]:
    pattern = st.lists(st.sampled_from(segments), min_size=1, max_size=4).map(lambda parts: "/" + "/".join(parts))
    return st.lists(st.tuples(pattern, st.sampled_from([OPEN, RESULT])), min_size=1, max_size=4)


@settings(max_examples=600, deadline=None)
@given(st.lists(st.tuples(_PATTERNS, st.sampled_from([OPEN, RESULT])), min_size=1, max_size=6), _ROUTED)
def test_the_table_finds_what_asking_rule_after_rule_finds(
    written: list[tuple[str, RouteClass]], routed: tuple[list[str], str]
) -> None:
    _compare(written, "/" + "/".join(routed[0]) + routed[1])


@settings(max_examples=600, deadline=None)
@given(
    _patterns("a.php", "{x}.php", "a", "{x}", "**"),
    st.lists(st.sampled_from(["a.php", "A.PHP.", "b.php", "a", "b"]), min_size=1, max_size=5),
)
def test_the_table_finds_below_scripts_what_asking_rule_after_rule_finds(
    written: list[tuple[str, RouteClass]], routed: list[str]
) -> None:
    _compare(written, "/" + "/".join(routed))


def _compare(written: list[tuple[str, RouteClass]], path: str) -> None:
    rules = tuple(Rule(f"{number}", kind, pattern) for number, (pattern, kind) in enumerate(written))
    reading = read_path(path.encode())
    assert RouteTable(rules).match("GET", reading, "").rule.name == rule_of(rules, reading.path)


@given(st.lists(st.tuples(_PATTERNS, st.sampled_from(RouteClass)), max_size=4), st.binary(max_size=30), st.text())
def test_any_request_has_a_rule(written: list[tuple[str, RouteClass]], path: bytes, query: str) -> None:
    rules = tuple(Rule("r", kind, pattern, query=(("a", "1"),)) for pattern, kind in written)
    assert RouteTable(rules).match("GET", read_path(path), query).rule.name in ("r", ELSE)
