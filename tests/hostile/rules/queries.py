"""Rules for parameters: how their names and values may be read, in a query and in a form."""

from __future__ import annotations

from tests.hostile.gateways import Site
from tests.hostile.message import Header, Variant, printable, request

from .bodies import AS_FORM, sent
from .rule import Rule

_PARAMETERS = "gateway.access.parameters:"
_MATCH = "gateway.access.match:"

_EXPORT = Site(before=('{path: "/export", class: result, query: {report_type: csv}}',))
_ITEM = Site(before=('{path: "/item", class: result, methods: [PUT]}',))
_ACT = Site(before=('{path: "/act", class: result, query: {kind: report}}',))
_VIEW = Site(before=('{path: "/act", class: open, query: {kind: view}}', '{path: "/act", class: result}'))
_ALL = Site(before=('{path: "/all", class: open, query: {kind: view}}', '{path: "/all", class: result}'))
_ALL_BY_FORM = Site(before=('{path: "/all", class: open, body: {kind: view}}', '{path: "/all", class: result}'))
_BODY = Site(before=('{path: "/act", class: result, body: {kind: report}}',))
_EMPTY: Header = (b"Content-Length", b"0")


def _get(target: bytes) -> Variant:
    return Variant(printable(target), request(target))


def _post(target: bytes) -> Variant:
    return Variant(printable(target), request(target, [_EMPTY], method=b"POST"))


RULES: tuple[Rule, ...] = (
    Rule(
        "what PHP makes an underscore of",
        _PARAMETERS + "_readings",
        'return folded_key(name), folded_key(name.partition("[")[0])',
        'return bare(name), bare(name.partition("[")[0])',
        "php-fields",
        _get(b"/export?report.type=csv"),
        site=_EXPORT,
    ),
    Rule(
        "a NUL ends a name",
        _PARAMETERS + "folded_names",
        "{name, until_nul(name)}",
        "{name}",
        "php-fields",
        _get(b"/export?report_type%00x=csv"),
        site=_EXPORT,
    ),
    Rule(
        "a NUL ends a name in a form",
        "gateway.access.form:read_encoded",
        "if _NUL in text:",
        "if False:",
        "php-fields",
        sent(b"kind%00x=report", AS_FORM),
        site=_BODY,
    ),
    Rule(
        "an override by a name that PHP makes",
        _MATCH + "_overriding",
        '"_method" in (name, php_name(name))',
        'name == "_method"',
        "php-fields",
        _post(b"/item?.method=PUT"),
        site=_ITEM,
    ),
    Rule(
        "an override whose name is escaped",
        _MATCH + "RouteTable.match",
        'or "%" in query',
        "",
        "php-fields",
        _post(b"/item?%5f%6dethod=PUT"),
        site=_ITEM,
    ),
    Rule(
        "a semicolon parts parameters",
        _PARAMETERS + "may_have",
        'query.replace(";", "&")',
        "query",
        "bodies",
        _get(b"/act?x=1;kind=report"),
        site=_ACT,
    ),
    Rule(
        "names bound to an outer one",
        _PARAMETERS + "_readings",
        ", last_key(name)",
        "",
        "bodies",
        _get(b"/act?request.kind=report"),
        site=_ACT,
    ),
    Rule(
        "names bound to an outer one in a form",
        "gateway.access.fit_body:_may_have",
        "{folded_key(name), last_key(name)}",
        "{folded_key(name)}",
        "bodies",
        sent(b"request.kind=report", AS_FORM),
        site=_BODY,
    ),
    Rule(
        "values in any case",
        _PARAMETERS + "may_have",
        "bare(value)",
        "value",
        "bodies",
        _get(b"/act?kind=REPORT"),
        site=_ACT,
    ),
    Rule(
        "what opens a route stands once in the query",
        _PARAMETERS + "surely_has",
        "values != {wanted_value}",
        "wanted_value not in values",
        "bodies",
        _get(b"/act?kind=view&kind=report"),
        site=_VIEW,
    ),
    Rule(
        "what opens a route stands where everybody looks",
        _PARAMETERS + "surely_has",
        "if len(pairs) > SURELY_READ:",
        "if False:",
        "php-fields",
        _get(b"/all?" + b"x&" * 1100 + b"kind=view"),
        site=_ALL,
    ),
    Rule(
        "what opens a route stands where everybody looks in a form",
        "gateway.access.form:has_one_reading",
        'and text.count("&") < SURELY_READ',
        "",
        "php-fields",
        sent(b"x&" * 1100 + b"kind=view", AS_FORM, target=b"/all"),
        site=_ALL_BY_FORM,
    ),
    Rule(
        "what opens a route is sent by a method of forms",
        _MATCH + "_BodyFits.of",
        "if rule.route_class is not RouteClass.RESULT and method not in self._read_with:",
        "if False:",
        "php-fields",
        sent(b"kind=view", AS_FORM, target=b"/all", method=b"PUT"),
        site=_ALL_BY_FORM,
    ),
    Rule(
        "what opens a route stands once behind a semicolon too",
        _PARAMETERS + "surely_has",
        'in {query, query.replace(";", "&")}',
        "in {query}",
        "bodies",
        _get(b"/act?kind=view&x=1;kind=report"),
        site=_VIEW,
    ),
)
