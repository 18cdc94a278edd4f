"""Rules for what shows only in the head of the answer: that it is a result after all."""

from __future__ import annotations

from tests.hostile.gateways import Site
from tests.hostile.message import TARGET, Variant, printable, request

from .rule import Rule

_OF_PREFLIGHT = ((b"Origin", b"http://a.example"), (b"Access-Control-Request-Method", b"GET"))
_HEAD = "gateway.web.answer_head:"


def _get(target: bytes) -> Variant:
    return Variant(printable(target), request(target))


def _where(answer: str) -> Site:
    return Site(before=(f'{{path: "/**", class: result, mode: hold, answer: {answer}}}',))


RULES: tuple[Rule, ...] = (
    Rule(
        "what the application calls a result",
        _HEAD + "late_rule",
        "return default_result if said and yields_result(status, headers) else None",
        "return None",
        "headers",
        _get(b"/found"),
    ),
    Rule(
        "the short way looks at answers too",
        "gateway.web.crossing:Crossing.answered",
        "if match.on_answer or len(kept) < len(headers):",
        "if False:",
        "headers",
        # Of nobody whose visit is to be noted: the first request of whoever is known takes the long way.
        Variant("a stranger's /found", request(b"/found"), source="127.0.0.2"),
    ),
    Rule(
        "downloads",
        _HEAD + "is_result",
        'condition.attachment and is_attachment(first(headers, b"content-disposition"))',
        "False",
        "headers",
        _get(b"/file"),
        site=_where("{attachment: true}"),
    ),
    Rule(
        "media types",
        _HEAD + "is_result",
        "media_type in condition.media_types or",
        "",
        "headers",
        _get(b"/paper"),
        site=_where("{media_type: application/pdf}"),
    ),
    Rule(
        "families of media types",
        _HEAD + "is_result",
        'media_type.partition("/")[0] + "/*" in condition.media_types',
        "False",
        "headers",
        _get(b"/paper"),
        site=_where('{media_type: "application/*"}'),
    ),
    Rule(
        "ranges of some media type",
        _HEAD + "is_result",
        'if media_type == "multipart/byteranges":',
        "if False:",
        "headers",
        _get(b"/ranges"),
        site=_where("{media_type: application/pdf}"),
    ),
    Rule(
        "a preflight is blocked where results are",
        "gateway.web.case:Case.free",
        "and not blocks",
        "",
        "node-url",
        Variant("preflight", request(TARGET, _OF_PREFLIGHT, method=b"OPTIONS")),
    ),
)
