"""`paywall explain`: which rule a request falls under and why, and what would be decided."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

from cyclopts import Parameter

from gateway.access.decide import Facts, decide, standing_on
from gateway.access.match import Match, RouteTable
from gateway.cli.loading import load_config
from gateway.cli.output import CommandFailed, put, put_json
from gateway.cli.store_access import with_store
from gateway.core.decision import NAMES
from gateway.core.rule import AnswerCondition, Policy, RouteClass, Rule
from gateway.core.standing import SubjectState
from gateway.core.subject import Subject
from gateway.core.target import Reading, canonical_form, read_path
from gateway.ports.state import GraceAsked
from gateway.settings.load import Loaded
from gateway.settings.policy import build_policy
from gateway.wiring.assemble import wall_clock


def explain(
    file: Annotated[Path, Parameter(help="The config file.")],
    method: Annotated[str, Parameter(help="GET, POST, …")],
    url: Annotated[str, Parameter(help="The address or path, exactly as a client sends it.")],
    /,
    *,
    subject: Annotated[str, Parameter(help="Decide for this subject: person:42, visitor:…")] = "",
    at: Annotated[str, Parameter(help="Decide as if it were then: 2026-12-24 or 2026-12-24T18:00.")] = "",
    json: Annotated[bool, Parameter(help="For programs.", negative="")] = False,
) -> None:
    """Say which rule a request falls under and why; with --subject also the decision and its reason."""
    loaded = load_config(file)
    policy = build_policy(loaded.settings, loaded.route_lines)
    path, query = _split(url)
    reading = read_path(path, policy.allow_encoded_slash)
    match = RouteTable(policy.rules).match(method.upper(), reading, query)
    report = _report(file, path, reading, match)
    if subject:
        report.update(_decision(loaded, policy, match, method.upper(), path, reading, subject, _instant(at)))
    if json:
        put_json(report)
        return
    for name, value in report.items():
        put(f"{name:<10}{value}")


def _split(url: str) -> tuple[bytes, str]:
    if "://" in url:
        parts = urlsplit(url)
        url = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    path, _, query = url.partition("?")
    return path.encode("utf-8", "surrogateescape"), query


def _report(file: Path, path: bytes, reading: Reading, match: Match) -> dict[str, str]:
    report = {"path": path.decode("utf-8", "replace")}
    why = reading.ambiguous or match.ambiguous
    if why:
        report["reading"] = f"ambiguous: {why}; a result for whoever has no right to results"
        canonical = canonical_form(path)
        if canonical is not None:
            report["canonical"] = canonical.decode("ascii")
    else:
        report["reading"] = f"one: {reading.path}"
    report["rule"] = _describe(file, match.rule)
    for late in match.on_answer:
        if late.answer is not None:
            report[f"or {late.name}"] = f"{_describe(file, late)}, when {_conditions(late.answer)}"
    return report


def _describe(file: Path, rule: Rule) -> str:
    place = f"{file}:{rule.line}" if rule.line else "no route fits, so everything else is open"
    methods = f" {'/'.join(sorted(rule.methods))}" if rule.methods else ""
    mode = f", mode {rule.mode}, grace {rule.grace}" if rule.route_class is RouteClass.RESULT else ""
    return f"{rule.name} ({rule.route_class}{mode}) by {rule.path}{methods}, {place}"


def _conditions(answer: AnswerCondition) -> str:
    parts = ["the answer is an attachment"] if answer.attachment else []
    if answer.media_types:
        parts.append(f"its media type is one of {', '.join(sorted(answer.media_types))}")
    return " or ".join(parts) or "the application says `Paywall-Result: yes`"


def _decision(
    loaded: Loaded, policy: Policy, match: Match, method: str, path: bytes, reading: Reading, subject: str, now: int
) -> dict[str, str]:
    who, rule = Subject.parse(subject), match.rule
    state: SubjectState = with_store(
        loaded.settings,
        lambda store: store.subjects.visit(who, None, GraceAsked(rule.grace_scope, rule.grace), now),
    )
    canonical = b""
    if reading.ambiguous and policy.canonical_redirect and method in ("GET", "HEAD"):
        canonical = (canonical_form(path) or b"") if rule.route_class is not RouteClass.RESULT else b""
    facts = Facts(ambiguous=bool(reading.ambiguous or match.ambiguous), canonical=canonical, keepable=method != "HEAD")
    decision = decide(rule, state, facts, policy.hold_limits, now)
    instant = datetime.fromtimestamp(now / 1000, UTC)
    return {
        "subject": str(who),
        "at": f"{instant:%Y-%m-%d %H:%M:%S} UTC",
        "standing": standing_on(rule, state, now).value,
        "decision": f"{NAMES[type(decision)]}, because {decision.reason}",
    }


def _instant(text: str) -> int:
    if not text:
        return wall_clock()
    try:
        instant = datetime.fromisoformat(text)
    except ValueError:
        raise CommandFailed(f"--at {text!r} is not a time: write it like 2026-12-24 or 2026-12-24T18:00", 2) from None
    return int((instant if instant.tzinfo else instant.replace(tzinfo=UTC)).timestamp() * 1000)
