"""`paywall explain`: which rule a request falls under and why, and what would be decided."""

from __future__ import annotations

import re
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from gateway.access.body import Body, larger_than, read_body
from gateway.access.decide import decide, standing_on
from gateway.access.match import RouteTable
from gateway.access.trial import trial_begin, with_trial
from gateway.cli.loading import load_config
from gateway.cli.output import CommandFailed, put, put_json
from gateway.cli.store_access import with_store
from gateway.cli.who import read_subject
from gateway.core.decision import NAMES
from gateway.core.rule import AnswerCondition, BodyCondition, Policy, RouteClass, Rule
from gateway.core.standing import SubjectState
from gateway.core.subject import Subject
from gateway.core.target import canonical_form
from gateway.ports.state import NO_TRIAL
from gateway.settings.load import Loaded
from gateway.settings.policy import OWN_DATA, build_policy
from gateway.store.connection import Store
from gateway.web.case import Case
from gateway.web.message import BadMessage, Guard, Message, is_own
from gateway.web.ticket import grace_of
from gateway.wiring.assemble import wall_clock

WEBSOCKET = "WEBSOCKET"
"""What the access log writes for the handshake of a WebSocket."""

_FOREVER = 253_402_300_800_000
"""The end of the year 9999, the last that can be written."""

_SITE = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://[^/?#]*")
"""The part of an address that says where to connect, which no rule looks at."""


def explain(
    file: Annotated[Path, Parameter(help="The config file.")],
    method: Annotated[str, Parameter(help="GET, POST, …; WEBSOCKET for a handshake.")],
    url: Annotated[str, Parameter(help="The address or path, exactly as a client sends it.")],
    /,
    *,
    body: Annotated[
        str | None,
        Parameter(
            help="A file with the body that is sent, or - for standard input.",
            metavar="FILE",
            allow_leading_hyphen=True,
        ),
    ] = None,
    content_type: Annotated[str, Parameter(help="What the request says its body is.")] = "application/json",
    subject: Annotated[str | None, Parameter(help="Decide for this subject: person:42, visitor:…")] = None,
    at: Annotated[
        str | None,
        Parameter(help="Decide as if it were then: 2026-12-24 or 2026-12-24T18:00 (UTC).", metavar="TIME"),
    ] = None,
    json: Annotated[bool, Parameter(help="For programs.", negative="")] = False,
) -> None:
    """Say which rule a request falls under and why; with --subject also the decision and its reason."""
    who = read_subject(subject) if subject is not None else None
    now = _instant(at)
    if "/" in method:
        raise CommandFailed(f"{method!r} is no method, which stands before the address: paywall explain FILE GET /", 2)
    loaded = load_config(file)
    policy = build_policy(loaded.settings, loaded.route_lines)
    sent = _read(body) if body is not None else None
    try:
        message = _message(method, url, sent, content_type)
    except BadMessage as bad:
        _show({"refused": f"{bad.status} {bad.reason}, because {bad.detail}"}, json)
        return
    report = {"path": message.path.decode("utf-8", "replace")}
    if is_own(message.path, loaded.settings.prefix.encode("ascii")):
        _show({**report, "rule": f"none: what is under {loaded.settings.prefix} is the gateway's own"}, json)
        return
    table = RouteTable(policy.rules, policy.frameworks)
    case = Case.read(message, table, policy, method.upper() == WEBSOCKET)
    if case.waits_for_body:
        case.look_into(_judge(sent or b"", content_type, policy.body_limit), table)
    report.update(_report(file, case))
    on_body = table.match(message.method, case.reading, message.query, message.overrides).on_body
    if on_body or sent is not None:
        report["body"] = _tell_body(case, on_body, sent is not None)
    if who is not None:
        report.update(_decisions(loaded, policy, case, who, now))
    _show(report, json)


def _read(file: str) -> bytes:
    try:
        return sys.stdin.buffer.read() if file == "-" else Path(file).read_bytes()
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) else str(error)
        raise CommandFailed(f"--body {file!r} can't be read: {why}", 2) from None


def _message(method: str, url: str, body: bytes | None, content_type: str) -> Message:
    """The request for this address, without any header that would change what it is. Raises `BadMessage`."""
    headers = [(b"host", b"localhost")]
    if body:
        headers += [(b"content-type", content_type.encode()), (b"content-length", b"%d" % len(body))]
    site = _SITE.match(url)
    target = url[site.end() :] if site else url
    if site and not target.startswith("/"):
        target = f"/{target}"
    if not target.startswith("/"):
        raise CommandFailed(f"{url!r} is no address: a path begins with a slash, as in /{url}", 2)
    verb = "GET" if method.upper() == WEBSOCKET else method.upper()
    return Guard(frozenset(), False).read(verb, target.encode("utf-8", "surrogateescape"), headers)


def _judge(body: bytes, content_type: str, limit: int) -> Body:
    return larger_than(limit) if len(body) > limit else read_body([content_type.encode()], [], body)


def _tell_body(case: Case, on_body: tuple[Rule, ...], given: bool) -> str:
    names = ", ".join(rule.name for rule in on_body)
    if case.match.unreadable:
        return f"can't be judged: {case.match.unreadable}; a result for whoever has no right to results"
    if not on_body:
        return "is not looked into: no route for this address and method asks for it"
    return f"is looked into for {names}" if given else f"none; one that --body names may lead to {names}"


def _show(report: dict[str, str], as_json: bool) -> None:
    if as_json:
        put_json(report)
        return
    width = max(8, *map(len, report)) + 2
    for name, value in report.items():
        put(f"{name:<{width}}{value}")


def _report(file: Path, case: Case) -> dict[str, str]:
    report, rule = {}, case.match.rule
    if case.ambiguous:
        report["reading"] = f"ambiguous: {case.ambiguous}; a result for whoever has no right to results"
        canonical = canonical_form(case.message.path)
        if canonical is not None:
            report["canonical"] = canonical.decode("ascii")
    else:
        report["reading"] = f"one: {case.reading.path}"
    if case.match.page:
        report["page"] = f"the data of {case.match.page}, by a framework of the config"
    report["rule"] = _describe(file, rule)
    for late in _late_rules(case):
        assert late.answer is not None
        report[f"or {late.name}"] = f"{_describe(file, late)}, when {_conditions(late.answer)}"
    return report


def _late_rules(case: Case) -> tuple[Rule, ...]:
    return case.match.on_answer if case.awaits_answer(case.match.rule) else ()


def _describe(file: Path, rule: Rule) -> str:
    promised = "promised by fairness.own_data" if rule.name == OWN_DATA else "no route fits, so everything else is open"
    place = f"{file}:{rule.line}" if rule.line else promised
    methods = f" {'/'.join(sorted(rule.methods))}" if rule.methods else ""
    mode = f", mode {rule.mode}, grace {rule.grace}" if rule.route_class is RouteClass.RESULT else ""
    body = f" with {_body_conditions(rule.body)}" if rule.body is not None else ""
    return f"{rule.name} ({rule.route_class}{mode}) by {rule.path}{methods}{body}, {place}"


def _body_conditions(condition: BodyCondition) -> str:
    parts = [f"{'.'.join(each.path)} = {' or '.join(map(str, each.values))}" for each in condition.fields]
    if condition.graphql is not None:
        kinds = ("operation", "field", "persisted")
        names = (condition.graphql.operations, condition.graphql.fields, condition.graphql.persisted)
        told = [f"{kind} {' or '.join(sorted(each))}" for kind, each in zip(kinds, names, strict=True) if each]
        parts.append(f"GraphQL {' or '.join(told)}")
    return " and ".join(parts)


def _conditions(answer: AnswerCondition) -> str:
    parts = ["the answer is an attachment"] if answer.attachment else []
    if answer.media_types:
        parts.append(f"its media type is one of {', '.join(sorted(answer.media_types))}")
    return " or ".join(parts) or "the application says `Paywall-Result: yes`"


def _decisions(loaded: Loaded, policy: Policy, case: Case, who: Subject, now: int) -> dict[str, str]:
    rules = (case.match.rule, *_late_rules(case))

    async def look(store: Store) -> list[SubjectState]:
        # Told to begin no trial: explaining changes nothing.
        return [await store.subjects.visit(who, None, grace_of(rule), now) for rule in rules]

    instant = datetime.fromtimestamp(now / 1000, UTC)
    report = {"subject": str(who), "at": f"{instant:%Y-%m-%d %H:%M:%S} UTC"}
    for rule, found in zip(rules, with_store(loaded.settings, look), strict=True):
        state = with_trial(found, trial_begin(policy.trial, {}, case.counts_as(rule)), now)
        late = rule is not case.match.rule
        decision = decide(rule, state, case.facts(rule, policy, status=200 if late else 0), policy.hold_limits, now)
        if not late:
            report["standing"] = standing_on(rule, state, now).value
            if found.trial_started == NO_TRIAL.from_ms:
                report["note"] = "the trial was had under another name: the same mail, network or browser"
            elif policy.trial.once.asks and not found.trial_started:
                report["note"] = "the trial has not begun; only a request shows whether it was had under another name"
            if policy.trial.claim and not found.trial_started:
                report["note"] = f"the trial has not begun; only a token shows its claim {policy.trial.claim!r}"
        report[f"if {rule.name}" if late else "decision"] = f"{NAMES[type(decision)]}, because {decision.reason}"
    return report


def _instant(text: str | None) -> int:
    if text is None:
        return wall_clock()
    try:
        instant = datetime.fromisoformat(text)
        now = int((instant if instant.tzinfo else instant.replace(tzinfo=UTC)).timestamp() * 1000)
    except (ValueError, OverflowError):
        now = -1
    if not 0 <= now < _FOREVER:
        raise CommandFailed(f"--at {text!r} is not a time: write it like 2026-12-24 or 2026-12-24T18:00", 2)
    return now
