"""What is wrong, or probably not meant, with the conditions that routes have on bodies."""

from __future__ import annotations

from collections.abc import Iterator

from gateway.core.rule import RouteClass
from gateway.settings.body_conditions import Graphql, field_conditions
from gateway.settings.draft import Draft
from gateway.settings.problem import KeyPath, Severity
from gateway.settings.routes import Route
from gateway.settings.wording import Finding

_WITHOUT_BODY = frozenset({"GET", "HEAD"})
_GRAPHQL_METHODS = ("GET", "POST")
_OPERATION_NAME = "operationName"


def check_body_conditions(draft: Draft) -> Iterator[Finding]:
    """Conditions on the body must be able to fit, and hard to get around."""
    for path, route in draft.items("routes", draft.settings.routes):
        yield from _check_fields(path, route)
        yield from _check_methods(path, route)
        if route.graphql is not None:
            yield from _check_graphql(path, route, route.graphql)
        elif route.class_ is RouteClass.RESULT and _OPERATION_NAME in (route.body or {}):
            yield _warning(
                (*path, "body"),
                f"a query can be sent without `{_OPERATION_NAME}`: name what it runs, "
                "`graphql: {operation: ExportReport, field: exportReport}`",
            )


def _check_fields(path: KeyPath, route: Route) -> Iterator[Finding]:
    """The same field can't have two values at once; `rpc` and `tool` are conditions on fields, too."""
    wanted: dict[tuple[str, ...], set[object]] = {}
    for field in field_conditions(route.body, route.rpc, route.tool):
        values = wanted.setdefault(field.path, set(field.values))
        values &= set(field.values)
        if not values:
            name = ".".join(field.path)
            keys = [key for key in ("body", "rpc", "tool") if getattr(route, key) is not None]
            message = f"can never fit: `{name}` would need two values at once, by `{'` and `'.join(keys)}`; remove one"
            yield Finding((*path, keys[-1]), message)
            return


def _check_methods(path: KeyPath, route: Route) -> Iterator[Finding]:
    methods = set(route.methods or ())
    if not methods:
        return
    key = next((key for key in ("body", "rpc", "tool") if getattr(route, key) is not None), "")
    if key and methods <= _WITHOUT_BODY:
        yield _warning(
            (*path, key),
            "is about the body, which a GET has not: add POST to `methods`, or write it as `query`",
        )
    missing = [method for method in _GRAPHQL_METHODS if method not in methods]
    if route.graphql is not None and route.class_ is RouteClass.RESULT and missing:
        yield _warning(
            (*path, "methods"),
            f"the same can be asked for by {' and '.join(missing)}: add it, or leave `methods` out",
        )


def _check_graphql(path: KeyPath, route: Route, graphql: Graphql) -> Iterator[Finding]:
    if graphql.operation is None or graphql.field is not None or graphql.persisted is not None:
        return
    if route.class_ is RouteClass.RESULT:
        message = "whoever writes the query can call it otherwise: name what yields the result as `field`, too"
    else:
        message = "whoever writes the query can call anything so: name what may be asked for as `field` instead"
    yield _warning((*path, "graphql"), message)


def _warning(path: KeyPath, message: str) -> Finding:
    return Finding(path, message, Severity.WARNING)
