"""What is done with a request: a pure function of the rule, the subject's state and the instant.

It is asked before the application is touched, and once more when the head of the answer shows that a route which was
let through yields a result after all. The order of the questions is the product; tests/access/test_decide.py tables it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from gateway.core.decision import Decision, Forward, Hold, Prompt, Purse, Refuse, Take
from gateway.core.reason import Reason
from gateway.core.rule import HoldLimits, Mode, RouteClass, Rule
from gateway.core.standing import Standing, SubjectState


@dataclass(frozen=True, slots=True)
class Facts:
    """What counts of a request besides its rule."""

    ambiguous: bool = False
    unreadable: bool = False
    """Whether it can't be told from the body if the rule, which is a result's, fits at all."""
    canonical: bytes = b""
    """The canonical address of an open, ambiguous GET, when it has one."""
    keepable: bool = True
    """Whether an answer to this request could be kept whole, and for somebody: false for HEAD, for upgrades, and for a
    visitor whose cookie has not come back yet."""
    bodiless: bool = False
    """Whether the answer has no body whatever it is (HEAD): then there is nothing to spend a result on."""
    partial: bool = False
    """Whether the answer is only a part of the result (206)."""
    unverifiable: bool = False
    """Whether a proof of identity came along that can't be checked at the moment."""


def decide(rule: Rule, state: SubjectState | None, facts: Facts, limits: HoldLimits, now: int) -> Decision:
    """The decision for one request. `state` is None when nobody knows who it is from."""
    gated = rule.route_class is RouteClass.RESULT
    if not gated and not facts.ambiguous:
        return _decide_free(rule, state, now)
    if state is None:
        return _decide_unknown(gated, facts)
    standing = standing_on(rule, state, now)
    right = _right_of(standing, state, facts, now)
    if not gated:
        return _decide_ambiguous(rule, standing, facts, state, now)
    if right is not None:
        return right
    if facts.ambiguous:
        return Prompt(Reason.TARGET_AMBIGUOUS)
    if facts.unreadable:
        return Prompt(Reason.BODY_UNREADABLE)
    if standing is Standing.GRACE and facts.keepable:
        return Take(Purse.GRACE, Reason.GRACE)
    if standing is Standing.DECLINED:
        return Prompt(Reason.DECLINED)
    return _withhold(rule, state, facts, limits)


def without_general_credits(rule: Rule, state: SubjectState) -> SubjectState:
    """The state as this route sees it: results paid for by number are not for routes with a price of their own."""
    return replace(state, credits=0) if rule.price is not None and state.credits else state


def standing_on(rule: Rule, state: SubjectState, now: int) -> Standing:
    """Where a subject stands on this route."""
    return without_general_credits(rule, state).standing(rule.grace.count, now)


def _decide_unknown(gated: bool, facts: Facts) -> Decision:
    # Nobody could be shown the right offer, and nobody's trial can be looked at: an identity comes first.
    if facts.canonical and not gated:
        return Refuse(308, Reason.TARGET_NOT_CANONICAL, facts.canonical)
    if facts.unverifiable:
        return Refuse(503, Reason.IDENTITY_UNVERIFIABLE)
    return Refuse(401, Reason.IDENTITY_REQUIRED)


def _decide_free(rule: Rule, state: SubjectState | None, now: int) -> Decision:
    if rule.route_class is RouteClass.EXEMPT:
        return Forward(Reason.EXEMPT)
    if rule.route_class is RouteClass.OPEN:
        return Forward(Reason.OPEN)
    standing = state.standing(0, now) if state else Standing.TRIAL
    return Forward(Reason.ACTION, prompt=standing in (Standing.EXPIRED, Standing.DECLINED))


def _decide_ambiguous(rule: Rule, standing: Standing, facts: Facts, state: SubjectState, now: int) -> Decision:
    if standing in (Standing.ENTITLED, Standing.TRIAL, Standing.WINDOW):
        return _decide_free(rule, state, now)
    if facts.canonical:
        return Refuse(308, Reason.TARGET_NOT_CANONICAL, facts.canonical)
    return Prompt(Reason.TARGET_AMBIGUOUS)


def _right_of(standing: Standing, state: SubjectState, facts: Facts, now: int) -> Decision | None:
    """What a subject with a right to results gets; None for whoever has none, or only grace."""
    match standing:
        case Standing.ENTITLED if state.entitled_until > now:
            return Forward(Reason.ENTITLED)
        case Standing.ENTITLED:
            return Forward(Reason.CREDIT) if facts.bodiless else Take(Purse.CREDIT, Reason.CREDIT)
        case Standing.TRIAL:
            return Forward(Reason.TRIAL)
        case Standing.WINDOW:
            return Forward(Reason.WINDOW) if facts.bodiless else Take(Purse.WINDOW, Reason.WINDOW)
        case _:
            return None


def _withhold(rule: Rule, state: SubjectState, facts: Facts, limits: HoldLimits) -> Decision:
    if rule.mode is Mode.BLOCK or not facts.keepable:
        return Prompt(Reason.PAYMENT_REQUIRED)
    if facts.partial:
        return Prompt(Reason.HOLD_PARTIAL)
    if rule.mode is Mode.PREVIEW:
        return Hold(Reason.RESULT_PREVIEWED, keep=False)
    if state.holds >= limits.max_count or state.held_bytes >= limits.max_total:
        return Prompt(Reason.HOLD_LIMIT_REACHED)
    return Hold(Reason.RESULT_HELD)
