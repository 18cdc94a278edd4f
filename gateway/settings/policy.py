"""The part of the config that decides, in the words of the core."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence

from gateway.core.quantity import DAY, NOTHING
from gateway.core.rule import (
    AnswerCondition,
    BodyCondition,
    GraphqlCondition,
    HoldLimits,
    Mode,
    NoticeShow,
    OncePer,
    PeriodUnit,
    Plan,
    Policy,
    Renewal,
    RouteClass,
    Rule,
    Trial,
)
from gateway.settings.body_conditions import field_conditions
from gateway.settings.routes import Answer, Route
from gateway.settings.schema import GatewaySettings
from gateway.settings.sections import Holds
from gateway.settings.sections import Plan as PlanSettings
from gateway.settings.subjects import Trial as TrialSettings

OWN_DATA = "own-data"
"""Name of the rules that the promises of `fairness` make."""

DECLARED_RESULT = "declared-result"
"""Name of the rule for answers that the application itself declares results."""


def build_policy(settings: GatewaySettings, route_lines: Sequence[int] = ()) -> Policy:
    """The snapshot that decisions are made with; the rules keep their order.

    `route_lines` (`Loaded.route_lines`) tells `explain` where each route stands.
    """
    names = route_names(settings.routes)
    lines = route_lines or [0] * len(settings.routes)
    rules = zip(settings.routes, names, lines, strict=True)
    return Policy(
        rules=(*_own_data(settings), *(_rule(settings, route, name, line) for route, name, line in rules)),
        trial=_trial(settings.trial),
        default_result=_default_result(settings),
        plans=tuple(_plan(plan) for plan in settings.plans),
        hold_limits=_hold_limits(settings.holds),
        body_limit=settings.bodies.max_size,
        canonical_redirect=settings.canonical.redirect,
        allow_encoded_slash=settings.canonical.allow_encoded_slash,
        frameworks=settings.frameworks,
        notice=NoticeShow.ALWAYS if settings.fairness.disclosed else settings.notice.show,
        overlay=settings.offer.overlay,
    )


def _own_data(settings: GatewaySettings) -> Iterator[Rule]:
    """Before all routes: nothing of them is looked at where clients get their own data out."""
    for path in settings.fairness.own_data:
        yield Rule(name=OWN_DATA, route_class=RouteClass.EXEMPT, path=path)


def _plan(plan: PlanSettings) -> Plan:
    gives, renews = plan.gives, None
    if plan.renews:
        unit, count = (gives.unit, gives.count) if gives.unit else (PeriodUnit.DAY, max(gives.period_ms // DAY, 1))
        renews = Renewal(unit, count, plan.renewal_grace)
    return Plan(plan.id, plan.name, plan.price, gives.results, gives.period_ms, renews)


def _trial(trial: TrialSettings) -> Trial:
    per = trial.once_per
    once = OncePer(
        mail_claim=per.mail.claim if per.mail else "",
        mail_is_subject=per.mail is not None and not per.mail.claim,
        network=per.network or NOTHING,
        device=per.device,
        kept_ms=per.kept,
    )
    return Trial(trial.length, trial.starts.start, trial.starts.claim, once)


def _rule(settings: GatewaySettings, route: Route, name: str, line: int) -> Rule:
    after, is_result = settings.results_after_trial, route.class_ is RouteClass.RESULT
    own_grace = is_result and route.grace is not None
    common = after.grace if is_result else NOTHING
    return Rule(
        name=name,
        route_class=route.class_,
        path=route.path,
        methods=frozenset(route.methods or ()),
        query=tuple((key, None if value == "*" else value) for key, value in route.query.items()),
        body=_body_condition(route),
        answer=_condition(route.answer) if route.answer is not None else None,
        mode=route.mode or after.mode,
        grace=route.grace if own_grace and route.grace is not None else common,
        grace_scope=name if own_grace else "",
        price=route.price,
        on_store_failure=route.on_store_failure,
        line=line,
    )


def _body_condition(route: Route) -> BodyCondition | None:
    fields, graphql = field_conditions(route.body, route.rpc, route.tool), None
    if route.graphql is not None:
        names = (route.graphql.operation, route.graphql.field, route.graphql.persisted)
        graphql = GraphqlCondition(*(frozenset(each or ()) for each in names))
    return BodyCondition(fields, graphql) if fields or graphql is not None else None


def _condition(answer: Answer) -> AnswerCondition:
    return AnswerCondition(answer.attachment, frozenset(answer.media_type or ()))


def _default_result(settings: GatewaySettings) -> Rule:
    """What is declared is produced already: blocking it would waste it, so it is held."""
    after = settings.results_after_trial
    return Rule(
        name=DECLARED_RESULT,
        route_class=RouteClass.RESULT,
        mode=Mode.HOLD if after.mode is Mode.BLOCK else after.mode,
        grace=after.grace,
    )


def _hold_limits(holds: Holds) -> HoldLimits:
    return HoldLimits(
        ttl_ms=holds.ttl,
        max_size=holds.max_size,
        max_count=holds.max_count,
        max_total=holds.max_total,
        max_wait_ms=holds.max_wait,
        reuse_ms=holds.reuse,
    )


def route_names(routes: Sequence[Route]) -> tuple[str, ...]:
    """A name for each route, none twice: its own, or one made of its path and, where that is not enough, its methods.

    The name of a route does not change when others with other paths come or go, so it can be counted by for years.
    """
    alike = Counter(_path_name(route) for route in routes if route.name is None)
    taken = {DECLARED_RESULT, OWN_DATA, *(route.name for route in routes if route.name is not None)}
    names = []
    for route in routes:
        name = route.name
        if name is None:
            name = _path_name(route)
            if route.methods and alike[name] > 1:
                name = "-".join([name, *(method.lower() for method in sorted(route.methods))])
            name = _unique(name, taken)
            taken.add(name)
        names.append(name)
    return tuple(names)


def _path_name(route: Route) -> str:
    readable = route.path.lower().replace("**", "all")
    return re.sub(r"[^a-z0-9]+", "-", readable).strip("-")[:60].rstrip("-") or "root"


def _unique(name: str, taken: set[str]) -> str:
    number, unique = 2, name
    while unique in taken:
        unique, number = f"{name}-{number}", number + 1
    return unique
