"""Rules by which a request falls under a route: path, method and what replaces it."""

from __future__ import annotations

from tests.hostile.gateways import Site
from tests.hostile.message import Variant, request

from .rule import Rule

_MATCH = "gateway.access.match:"
_TREE = "gateway.access.path_tree:"

GET_AND_POST = Site(methods="GET, POST")

RULES: tuple[Rule, ...] = (
    Rule(
        "results match leniently",
        _MATCH + "RouteTable._match_as_written",
        "if not is_exact and rule.route_class is not RouteClass.RESULT:",
        "if not is_exact:",
        "express5",
        "letter_case /API/RESULT/7",
        site=GET_AND_POST,
    ),
    Rule(
        "a method nobody knows opens no result",
        _MATCH + "_speaks_of",
        "(not is_result or method in _COMMON_METHODS)",
        "True",
        "node-url",
        "method PROPFIND /api/result/7",
        site=GET_AND_POST,
    ),
    Rule(
        "HEAD is GET",
        "gateway.core.rule:Rule.allows_method",
        '(method == "HEAD" and "GET" in self.methods)',
        "False",
        "express5",
        "method HEAD /api/result/7",
        site=GET_AND_POST,
    ),
    Rule(
        "method overrides in headers",
        _MATCH + "_overriding",
        "    yield from overrides\n",
        "    yield from ()\n",
        "express5-trusting",
        "override OPTIONS by X-HTTP-Method-Override: GET",
        site=GET_AND_POST,
    ),
    Rule(
        "method overrides in the query",
        _MATCH + "_overriding",
        'if "_method" in (name, php_name(name)):',
        "if False:",
        "express5-trusting",
        "method PUT /api/result/7?_method=GET",
        site=GET_AND_POST,
    ),
    Rule(
        "what trails is ignored",
        _TREE + "PathTree.find",
        "if folded[-1:] in IGNORED_AT_END:",
        "if False:",
        "express5",
        "suffixes /api/result/7/",
    ),
    Rule(
        "a trailing slash is ignored",
        _TREE + "PathTree.find",
        "folded[-1:] in IGNORED_AT_END",
        'folded[-1:] in " ."',
        "express5",
        "suffixes /api/result/7/",
    ),
    Rule(
        "trailing spaces and dots are ignored",
        _TREE + "PathTree.find",
        "folded[-1:] in IGNORED_AT_END",
        'folded[-1:] == "/"',
        "pages",
        Variant("page and dot", request(b"/report.")),
        site=Site(before=('{path: "/report", class: result}',)),
    ),
    Rule(
        "a parameter may be empty",
        _TREE + "segment_expression",
        '"[^/]*" + last',
        '"[^/]+" + last',
        "fastify",
        "suffixes /api/result/ ",
    ),
)
