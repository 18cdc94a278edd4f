"""The other addresses that frameworks give to a page: none of them is freer than the page itself."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.access.aliases import Aliases
from gateway.access.match import Match, RouteTable
from gateway.core.rule import AnswerCondition, Framework, RouteClass, Rule
from gateway.core.target import read_path

RESULT = Rule(name="export", route_class=RouteClass.RESULT, path="/reports/export")
HOME = Rule(name="home", route_class=RouteClass.RESULT, path="/")
STATIC = Rule(name="static", route_class=RouteClass.EXEMPT, path="/_next/**")
STYLES = Rule(name="styles", route_class=RouteClass.EXEMPT, path="/**/{file}.css")
ACTION = Rule(name="draw", route_class=RouteClass.ACTION, path="/draw")
LATE = Rule(name="late", route_class=RouteClass.RESULT, path="/late/**", answer=AnswerCondition(attachment=True))
ALL = Rule(name="all", route_class=RouteClass.OPEN, path="/**")
RULES = (STATIC, STYLES, RESULT, HOME, ACTION, LATE, ALL)

ADDRESSES = {
    Framework.NEXTJS: [
        "/reports/export.rsc",
        "/reports/export.prefetch.rsc",
        "/reports/export.segments/_tree.segment.rsc",
        "/reports/export.segments/reports/export/__PAGE__.segment.rsc",
        "/_next/data/build-1/reports/export.json",
        "/_next/data/build-1/en/reports/export.json",
        "/_next/data/build-1/Reports/EXPORT.JSON",
        "/reports/export.RSC/",
    ],
    Framework.REACT_ROUTER: [
        "/reports/export.data",
        "/reports/export/_.data",
        "/reports/export.data/",
        "/reports/export.rsc",
        "/reports/export_root.rsc",
    ],
    Framework.SVELTEKIT: ["/reports/export/__data.json"],
    Framework.NUXT: ["/reports/export/_payload.json", "/reports/export/_payload.js"],
    Framework.GATSBY: ["/page-data/reports/export/page-data.json"],
    Framework.RAILS: [
        "/reports/export.csv",
        "/reports/export.json",
        "/reports/export.css",
        "/reports/export.url-encoded",
        "/reports/export.x~y",
        "/reports/export.é ü",
    ],
    Framework.DJANGO_REST: ["/reports/export.api", "/reports/export.xlsx"],
}
HOMES = {
    Framework.NEXTJS: ["/index.rsc", "/_next/data/build-1/index.json", "/_next/data/build-1/en.json"],
    Framework.REACT_ROUTER: ["/_root.data", "/_.data"],
    Framework.SVELTEKIT: ["/__data.json"],
    Framework.NUXT: ["/_payload.json"],
    Framework.GATSBY: ["/page-data/index/page-data.json"],
}
ORDINARY = {
    Framework.NEXTJS: [
        "/_next/static/chunks/export.js",
        "/_next/image",
        "/reports/export.json",
        "/reports/rsc",
        "/x.rsc",
    ],
    Framework.REACT_ROUTER: ["/assets/export.js", "/reports/exports.data", "/data", "/reports/export/data"],
    Framework.SVELTEKIT: ["/_app/immutable/chunks/a.js", "/reports/other/__data.json"],
    Framework.NUXT: ["/_nuxt/entry.js", "/reports/_payload.json"],
    Framework.GATSBY: ["/page-data/app-data.json", "/page-data/sq/d/1.json"],
    Framework.RAILS: ["/reports/import.csv", "/reports.csv", "/assets/app.css"],
    Framework.DJANGO_REST: ["/reports/import.json"],
}


def pairs(table: dict[Framework, list[str]]) -> list[tuple[Framework, str]]:
    return [(framework, address) for framework, addresses in table.items() for address in addresses]


def found(address: str, *frameworks: Framework, method: str = "GET", rules: tuple[Rule, ...] = RULES) -> Match:
    return RouteTable(rules, frameworks).match(method, read_path(address.encode()), "")


@pytest.mark.parametrize(("framework", "address"), pairs(ADDRESSES))
def test_the_data_of_a_page_is_the_page(framework: Framework, address: str) -> None:
    match = found(address, framework)
    assert (match.rule, match.page.rstrip("/").lower()) == (RESULT, "/reports/export")


@pytest.mark.parametrize(("framework", "address"), pairs(HOMES))
def test_the_start_page_has_a_name_there(framework: Framework, address: str) -> None:
    assert found(address, framework).rule is HOME


@pytest.mark.parametrize(("framework", "address"), pairs(ADDRESSES) + pairs(HOMES))
def test_nothing_is_looked_for_that_the_config_does_not_name(framework: Framework, address: str) -> None:
    assert found(address).rule.route_class is not RouteClass.RESULT
    assert found(address).page == ""


@pytest.mark.parametrize(("framework", "address"), pairs(ORDINARY))
def test_what_is_no_data_of_a_result_stays_as_free_as_it_was(framework: Framework, address: str) -> None:
    assert found(address, framework) == found(address)


def test_below_a_base_path_too() -> None:
    below = Rule(name="below", route_class=RouteClass.RESULT, path="/shop/report")
    for framework, address in (
        (Framework.NEXTJS, "/shop/_next/data/build-1/report.json"),
        (Framework.NEXTJS, "/shop/report.rsc"),
        (Framework.GATSBY, "/shop/page-data/report/page-data.json"),
        (Framework.SVELTEKIT, "/shop/report/__data.json"),
    ):
        assert found(address, framework, rules=(STATIC, below, ALL)).rule is below


def test_what_is_held_is_the_page_and_no_riddle() -> None:
    match = found("/reports/export.rsc", Framework.NEXTJS)
    assert (match.ambiguous, match.unreadable) == ("", "")
    assert found("/Reports/Export.rsc", Framework.NEXTJS).ambiguous, "as the page would be, written like that"


def test_an_action_counts_there_too_and_methods_are_those_of_the_page() -> None:
    assert found("/draw.data", Framework.REACT_ROUTER, method="POST").rule is ACTION
    posted = Rule(name="posted", route_class=RouteClass.RESULT, path="/p", methods=frozenset({"POST"}))
    for method, name in (("POST", "posted"), ("GET", "all")):
        assert found("/p.data", Framework.REACT_ROUTER, method=method, rules=(posted, ALL)).rule.name == name


def test_a_page_below_a_script_stays_below_it() -> None:
    script = Rule(name="script", route_class=RouteClass.RESULT, path="/export.php")
    assert found("/export.php/x.css.data", Framework.REACT_ROUTER, rules=(STYLES, script, ALL)).rule is script


def test_an_answer_that_would_be_a_result_is_one_behind_exempt_files_too() -> None:
    late = replace(RESULT, name="late", answer=AnswerCondition(attachment=True))
    for address in ("/_next/data/b/reports/export.json", "/reports/export.rsc"):
        match = found(address, Framework.NEXTJS, rules=(STATIC, late, ALL))
        assert (match.rule, match.on_answer) == (ALL, (late,))


def test_of_two_results_the_first_in_the_config_counts() -> None:
    cheap = Rule(name="cheap", route_class=RouteClass.RESULT, path="/reports/{id}")
    apart = Rule(name="apart", route_class=RouteClass.RESULT, path="/reports/{id}.rsc")
    assert found("/reports/export.rsc", Framework.NEXTJS, rules=(RESULT, cheap, ALL)).rule is RESULT
    assert found("/reports/export.rsc", Framework.NEXTJS, rules=(apart, RESULT, ALL)).rule is apart


@pytest.mark.parametrize(
    "piece", ["/_next/data/b", "/_next/data/b/x.json", "/page-data/a", ".segments/", ".a", "/index"]
)
def test_a_long_path_has_few_pages(piece: str) -> None:
    path = piece * 2000 + "/page-data.json"
    assert len(list(Aliases(tuple(Framework)).pages(path))) < 20
    assert len(list(Aliases(tuple(Framework)).pages(path[:-5] + ".segment.rsc"))) < 20


PIECES = (
    "/", "/reports", "/export", "/index", "/_next/data", "/b", "/en", ".json", ".rsc", ".prefetch", ".segments",
    ".segment", "/_root", ".data", "/_", "/__data.json", ".html", "/_payload.json", "/page-data", "/page-data.json",
    ".csv", ".css", "/draw", "/late", "/export.php", "%41", " ", "é",
)  # fmt: skip
STRICTNESS = (RouteClass.EXEMPT, RouteClass.OPEN, RouteClass.ACTION, RouteClass.RESULT)


@given(
    st.lists(st.sampled_from(PIECES), min_size=1, max_size=6).map("".join),
    st.lists(st.sampled_from(list(Framework)), unique=True),
    st.sampled_from(["GET", "HEAD", "POST"]),
)
def test_no_framework_makes_anything_freer(address: str, frameworks: list[Framework], method: str) -> None:
    before, after = found(address, method=method), found(address, *frameworks, method=method)
    strict, less = STRICTNESS.index(after.rule.route_class), STRICTNESS.index(before.rule.route_class)
    assert strict > less or after.rule is before.rule or before.rule.route_class is RouteClass.RESULT
    assert set(before.on_answer) <= set(after.on_answer) or after.rule.route_class is RouteClass.RESULT


@given(st.text("/._-abc\n\x85", max_size=12).map(lambda text: "/" + text), st.sampled_from(list(Framework)))
def test_pages_are_paths(path: str, framework: Framework) -> None:
    for page in Aliases((framework,)).pages(path):
        assert page.startswith("/")
