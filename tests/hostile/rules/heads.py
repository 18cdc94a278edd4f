"""Rules for the head of a message: what is refused in it and what of it does not go on."""

from __future__ import annotations

from tests.hostile.message import TARGET, Variant, request

from .rule import Rule

_MESSAGE = "gateway.web.message:"

RULES: tuple[Rule, ...] = (
    Rule(
        "names of headers",
        _MESSAGE + "Guard._examine",
        "_NAME.fullmatch(name) is None",
        "False",
        "php-trusting",
        "path /open, X_Original_URL result",
    ),
    Rule(
        "dots in names of headers",
        _MESSAGE + "Guard._examine",
        "_NAME.fullmatch(name)",
        '_NAME.fullmatch(name.replace(b".", b""))',
        "php-trusting",
        Variant("X.Original.URL", request(b"/open", [(b"X.Original.URL", TARGET)])),
    ),
    Rule(
        "path overrides do not go on",
        _MESSAGE + "Guard._examine",
        'name == b"host" or',
        'name == b"host" or name in PATH_OVERRIDES or',
        "express5-trusting",
        "path /open, X-Original-URL result",
    ),
    Rule(
        "one Host that is a host",
        _MESSAGE + "_judge_host",
        "len(values) != 1 or not is_host(values[0])",
        "False",
        "node-host",
        "host a/api/result/7? /open",
    ),
    Rule(
        "absolute form",
        _MESSAGE + "_read_target",
        'not target.startswith(b"/") and b"://" in target',
        "False",
        "headers",
        Variant("in absolute form", request(b"http://localhost/open")),
        honest=True,
    ),
    Rule(
        "fragments",
        _MESSAGE + "_read_target",
        "bool(number_sign)",
        "False",
        "node-matrix",
        "queries /open#/../api/result/7",
    ),
)
