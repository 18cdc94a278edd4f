"""Which rule a request falls under where the body decides: what can be told before it is read, and what after."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.access.body import EMPTY, UNSEEN, Body, read_body
from gateway.access.match import Match, RouteTable
from gateway.core.rule import AnswerCondition, BodyCondition, FieldCondition, GraphqlCondition, RouteClass, Rule
from gateway.core.target import read_path

OPEN, ACTION, RESULT = RouteClass.OPEN, RouteClass.ACTION, RouteClass.RESULT


def kind(value: str) -> BodyCondition:
    return BodyCondition((FieldCondition(("kind",), (value,)),))


def rule(name: str, route_class: RouteClass, path: str = "/api", wanted: str = "", methods: str = "POST") -> Rule:
    body = kind(wanted) if wanted else None
    return Rule(name, route_class, path, frozenset(methods.split()), body=body)


REPORT = rule("report", RESULT, wanted="report")
PING = rule("ping", OPEN, wanted="ping")
REST = Rule("rest", OPEN, "/**")
TOO_LARGE = Body(unreadable="it is too large")


def sent(**fields: object) -> Body:
    return read_body([b"application/json"], [], json.dumps(fields).encode())


def match(rules: list[Rule], body: Body | None, target: str = "/api", method: str = "POST", *overrides: str) -> Match:
    path, _, query = target.partition("?")
    return RouteTable(tuple(rules)).match(method, read_path(path.encode()), query, overrides, body)


class TestBeforeItIsRead:
    @pytest.mark.parametrize(
        ("rules", "target", "method", "expected", "on_body"),
        [
            ([REPORT, REST], "/api", "POST", "rest", "report"),
            ([REPORT, REST], "/api", "PUT", "rest", ""),
            ([REPORT, REST], "/api", "BREW", "rest", "report"),
            ([REPORT, REST], "/other", "POST", "rest", ""),
            ([REPORT, REST], "/API/", "POST", "rest", "report"),
            ([PING, REST], "/API/", "POST", "rest", ""),
            ([REST, REPORT], "/api", "POST", "rest", ""),
            ([REPORT], "/api", "POST", "everything-else", "report"),
            ([PING, REPORT, rule("all", RESULT)], "/api", "POST", "all", "ping report"),
            # A result for whoever ignores case stands before: nothing behind it takes its place.
            ([rule("like", RESULT, "/API"), REPORT, REST], "/api", "POST", "like", ""),
            ([REPORT, rule("like", RESULT, "/API"), REST], "/api", "POST", "like", "report"),
        ],
    )
    def test_it_is_known_which_rules_wait_for_it(
        self, rules: list[Rule], target: str, method: str, expected: str, on_body: str
    ) -> None:
        found = match(rules, None, target, method)
        assert (found.rule.name, " ".join(each.name for each in found.on_body)) == (expected, on_body)

    @pytest.mark.parametrize(("target", "overrides"), [("/api", ("POST",)), ("/api?_method=post", ())])
    def test_an_overridden_method_may_need_it_too(self, target: str, overrides: tuple[str, ...]) -> None:
        assert match([REPORT, REST], None, target, "GET", *overrides).on_body == (REPORT,)
        assert match([REPORT, REST], sent(kind="report"), target, "GET", *overrides).rule.name == "report"
        assert match([REPORT, REST], sent(kind="other"), target, "GET", *overrides).rule.name == "rest"

    def test_a_table_without_body_rules_never_needs_it(self) -> None:
        rules = [rule("all", RESULT, "/api/{id}"), Rule("late", RESULT, "/**", answer=AnswerCondition()), REST]
        for target in ("/api/7", "/x", "/API/7/", "/?kind=report"):
            assert not match(rules, None, target).on_body


class TestOnceItIsRead:
    @pytest.mark.parametrize(
        ("rules", "body", "expected"),
        [
            ([REPORT, REST], sent(kind="report"), "report"),
            ([REPORT, REST], sent(kind="other"), "rest"),
            ([REPORT, REST], EMPTY, "rest"),
            ([PING, rule("all", RESULT)], sent(kind="ping"), "ping"),
            ([PING, rule("all", RESULT)], sent(kind="Ping"), "all"),
            ([PING, rule("all", RESULT)], TOO_LARGE, "all"),
            ([rule("other", RESULT, wanted="other"), REPORT, REST], sent(kind="report"), "report"),
            ([rule("act", ACTION, wanted="act"), REST], sent(kind="act"), "act"),
        ],
    )
    def test_the_first_rule_that_fits_decides(self, rules: list[Rule], body: Body, expected: str) -> None:
        found = match(rules, body)
        assert (found.rule.name, found.ambiguous, found.unreadable, found.on_body) == (expected, "", "", ())

    @pytest.mark.parametrize("body", [TOO_LARGE, UNSEEN, read_body([], [b"gzip"], b"x")])
    def test_what_can_not_be_read_may_be_a_result(self, body: Body) -> None:
        found = match([PING, REPORT, REST], body)
        assert (found.rule.name, found.ambiguous, found.unreadable) == ("report", "", body.unreadable)

    def test_what_can_not_be_read_is_no_result_where_none_can_be(self) -> None:
        for target, method in (("/other", "POST"), ("/api", "PUT")):
            found = match([REPORT, REST], TOO_LARGE, target, method)
            assert (found.rule.name, found.unreadable) == ("rest", "")
        assert match([rule("free", OPEN), REPORT], TOO_LARGE).rule.name == "free"

    def test_a_path_that_is_only_like_it_is_ambiguous_as_without_a_body(self) -> None:
        found = match([REPORT, REST], sent(kind="report"), "/API")
        assert found.rule.name == "report" and "ignores case" in found.ambiguous and not found.unreadable
        assert match([REPORT, REST], sent(kind="other"), "/API").rule.name == "rest"
        assert match([PING, rule("all", RESULT)], sent(kind="ping"), "/API").rule.name == "all"

    @pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "GET", "DELETE", "OPTIONS", "SEARCH"])
    def test_one_that_some_do_not_read_opens_nothing(self, method: str) -> None:
        rules = [rule("view", OPEN, wanted="view", methods=""), rule("all", RESULT, methods="")]
        json, form = sent(kind="view"), read_body([b"application/x-www-form-urlencoded"], [], b"kind=view")
        assert match(rules, json, "/api", method).rule.name == ("view" if method in ("POST", "PUT", "PATCH") else "all")
        assert match(rules, form, "/api", method).rule.name == ("view" if method == "POST" else "all")
        assert match(rules, json, "/api", "POST", method).rule.name == match(rules, json, "/api", method).rule.name

    def test_a_rule_with_a_query_needs_both(self) -> None:
        both = Rule("both", RESULT, "/api", query=(("x", "1"),), body=kind("report"))
        assert match([both, REST], sent(kind="report"), "/api?x=1").rule.name == "both"
        assert match([both, REST], sent(kind="report"), "/api?x=2").rule.name == "rest"
        assert not match([both, REST], None, "/api?x=2").on_body

    def test_a_rule_that_judges_the_answer_waits_for_it_only_where_the_body_fits(self) -> None:
        late = Rule("late", RESULT, "/api", body=kind("report"), answer=AnswerCondition(attachment=True))
        assert match([late, REST], sent(kind="report")).on_answer == (late,)
        assert match([late, REST], sent(kind="other")).on_answer == ()
        unread = match([late, REST], TOO_LARGE)
        assert (unread.rule.name, unread.on_answer, unread.unreadable) == ("rest", (late,), "")

    def test_a_get_is_judged_by_its_address(self) -> None:
        graphql = Rule(
            "graphql", RESULT, "/g", body=BodyCondition(graphql=GraphqlCondition(fields=frozenset({"export"})))
        )
        for target, expected in (("/g?query={x:export}", "graphql"), ("/g?query={me}", "rest"), ("/g", "rest")):
            assert match([graphql, REST], EMPTY, target, "GET").rule.name == expected


class TestBelowAScript:
    script = rule("script", RESULT, "/a.php", "report")

    def test_its_body_decides_as_at_its_own_address(self) -> None:
        rules = [self.script, REST]
        assert match(rules, None, "/a.php/x").on_body == (self.script,)
        found = match(rules, sent(kind="report"), "/a.php/x")
        assert found.rule.name == "script" and "run the script" in found.ambiguous
        assert match(rules, sent(kind="other"), "/a.php/x").rule.name == "rest"
        unread = match(rules, TOO_LARGE, "/a.php/x")
        assert (unread.rule.name, unread.unreadable) == ("script", "it is too large")

    def test_one_that_does_not_fit_does_not_hide_another_below_it(self) -> None:
        rules = [self.script, rule("inner", RESULT, "/a.php/b.php"), REST]
        assert match(rules, sent(kind="report"), "/a.php/b.php/x").rule.name == "script"
        assert match(rules, sent(kind="other"), "/a.php/b.php/x").rule.name == "inner"


@pytest.mark.parametrize("repeated", ["_method=PUT&", "_method=A%d&", "x=1;_method=b&"])
def test_a_hostile_query_does_not_have_the_body_read_again_and_again(repeated: str) -> None:
    # Read once for every method that the request may be taken for it would take hours; the time limit tells.
    document = Rule("g", RESULT, "/api", body=BodyCondition(graphql=GraphqlCondition(fields=frozenset({"export"}))))
    body = read_body([b"application/json"], [], json.dumps({"query": "{a{b}}" * 20_000}).encode())
    query = "".join(repeated.replace("%d", str(number)) for number in range(5_000))
    assert match([document, REST], body, f"/api?{query}").rule.name == "rest"


RULES = st.lists(
    st.builds(
        rule,
        st.sampled_from("abc"),
        st.sampled_from([OPEN, RESULT]),
        st.sampled_from(["/api", "/API", "/**"]),
        st.sampled_from(["", "report", "ping"]),
        st.sampled_from(["POST", "", "GET"]),
    ),
    max_size=5,
)
BODIES = st.sampled_from(
    [EMPTY, UNSEEN, TOO_LARGE, sent(kind="report"), sent(kind="ping"), sent(kind="Report"), sent()]
)


@given(RULES, BODIES, st.sampled_from(["/api", "/Api", "/x"]))
def test_where_no_rule_waits_for_the_body_it_changes_nothing(rules: list[Rule], body: Body, target: str) -> None:
    before, after = match(rules, None, target), match(rules, body, target)
    if not before.on_body:
        assert after == before
    assert not after.on_body


@given(RULES, st.sampled_from(["/api", "/Api", "/x"]))
def test_what_is_not_read_is_never_better_off_than_what_is(rules: list[Rule], target: str) -> None:
    """Nobody gets past a result by making the body unreadable."""
    unread = match(rules, TOO_LARGE, target).rule.route_class
    read = {match(rules, body, target).rule.route_class for body in (EMPTY, sent(kind="report"), sent(kind="ping"))}
    free = {match([each for each in rules if each.body is None], EMPTY, target).rule.route_class}
    assert unread is RESULT or RESULT not in read | free
