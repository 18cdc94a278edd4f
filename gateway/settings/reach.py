"""Routes that can never be reached, because an earlier one takes everything they would match."""

from __future__ import annotations

from collections.abc import Iterator

from gateway.core.rule import RouteClass
from gateway.settings.body_conditions import Graphql, field_conditions
from gateway.settings.draft import Draft
from gateway.settings.pattern import covers
from gateway.settings.routes import Route
from gateway.settings.wording import Finding


def check_reach(draft: Draft) -> Iterator[Finding]:
    """Every route must be able to decide about some request."""
    before: list[tuple[str, Route]] = []
    for path, route in draft.items("routes", draft.settings.routes):
        winner = next(((place, earlier) for place, earlier in before if route_covers(earlier, route)), None)
        if winner is None:
            before.append((draft.place(path), route))
            continue
        place, earlier = winner
        yield Finding(
            path, f"can never be reached: '{earlier.path}' in {place} takes it all before; move it up or remove it"
        )


def route_covers(general: Route, special: Route) -> bool:
    """Whether every request that `special` fits certainly fits `general` too.

    A route that judges the answer lets go of the answers that do not fit, so it covers only its equal.
    """
    return (
        (general.answer is None or general.answer == special.answer)
        and _methods_cover(general.methods, special.methods)
        and all(_has(special, name, value) for name, value in general.query.items())
        and _bodies_cover(general, special)
        and covers(general.path, special.path)
    )


def _bodies_cover(general: Route, special: Route) -> bool:
    conditions = field_conditions(general.body, general.rpc, general.tool)
    if not conditions and general.graphql is None:
        return True
    if special.class_ is RouteClass.RESULT and general.class_ is not RouteClass.RESULT:
        return False  # a result is fitted by more readings of a body than what stands before it
    wanted = {field.path: field.values for field in field_conditions(special.body, special.rpc, special.tool)}
    return _graphql_covers(general.graphql, special.graphql) and all(
        field.path in wanted and _typed(wanted[field.path]) <= _typed(field.values) for field in conditions
    )


def _graphql_covers(general: Graphql | None, special: Graphql | None) -> bool:
    if general is None or special is None:
        return general is None
    kinds = ((general.operation, special.operation), (general.field, special.field))
    return general.persisted == special.persisted and all(set(few or ()) <= set(many or ()) for many, few in kinds)


def _typed(values: tuple[object, ...]) -> set[tuple[type, object]]:
    return {(type(value), value) for value in values}


def _methods_cover(general: tuple[str, ...] | None, special: tuple[str, ...] | None) -> bool:
    if general is None:
        return True
    taken = {*general, "HEAD"} if "GET" in general else set(general)
    return special is not None and taken.issuperset(special)


def _has(route: Route, name: str, value: str) -> bool:
    return name in route.query and value in ("*", route.query[name])
