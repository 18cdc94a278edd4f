"""Routes that can never be reached, because an earlier one takes everything they would match."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import takewhile

from gateway.core.rule import RouteClass
from gateway.settings.body_conditions import Graphql, field_conditions
from gateway.settings.draft import Draft
from gateway.settings.pattern import covers
from gateway.settings.routes import Route
from gateway.settings.wording import Finding


def check_reach(draft: Draft) -> Iterator[Finding]:
    """Every route must be able to decide about some request."""
    before = _Earlier()
    for path, route in draft.items("routes", draft.settings.routes):
        winner = before.first_that_covers(route)
        if winner is None:
            before.add(draft.place(path), route)
            continue
        place, earlier = winner
        yield Finding(
            path, f"can never be reached: '{earlier.path}' in {place} takes it all before; move it up or remove it"
        )


class _Earlier:
    """Routes in their order, found by the plain segments they begin with: thousands would else be compared in pairs."""

    def __init__(self) -> None:
        self._by_beginning: dict[tuple[str, ...], list[tuple[int, str, Route]]] = {}
        self._count = 0

    def add(self, place: str, route: Route) -> None:
        """One more, behind all others."""
        self._by_beginning.setdefault(_beginning(route.path), []).append((self._count, place, route))
        self._count += 1

    def first_that_covers(self, route: Route) -> tuple[str, Route] | None:
        """The first of them that takes all that `route` would match, and its place."""
        # A plain segment covers only its equal, so whoever covers this route begins with a part of its beginning.
        beginning = _beginning(route.path)
        related = (self._by_beginning.get(beginning[:length], ()) for length in range(len(beginning) + 1))
        firsts = (next((known for known in some if route_covers(known[2], route)), None) for some in related)
        first = min((known for known in firsts if known is not None), key=lambda known: known[0], default=None)
        return None if first is None else first[1:]


def _beginning(pattern: str) -> tuple[str, ...]:
    return tuple(takewhile(lambda segment: segment != "**" and "{" not in segment, pattern[1:].split("/")))


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
