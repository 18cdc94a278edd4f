"""The rules by which the gateway takes a request for a result's, each with how to take it out and what then leaks."""

from __future__ import annotations

from dataclasses import dataclass

_TARGET = "gateway.core.target:"
_MATCH = "gateway.access.match:"
_TREE = "gateway.access.path_tree:"
_MESSAGE = "gateway.web.message:"


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule. Without it, `old` in the source of the function `where` is `new`."""

    name: str
    where: str
    old: str
    new: str
    upstream: str = ""
    """An application to which something leaks then."""
    witness: str = ""
    """The name of a variant that does."""
    methods: str = ""
    """Those of the result's route, where that is what the rule is about."""
    opened: str = ""
    """A path below the result's route that the config opens, where the rule is about the difference."""


_PARSER = "the parser under uvicorn refuses such a request first; the rule is for a server that does not"
_ANEW = "what is sent on is framed anew by the connector, whatever the client said"

RULES: tuple[Rule, ...] = (
    Rule("begins with a slash", _TARGET + "_why_ambiguous", 'not raw.startswith(b"/")', "False"),
    Rule(
        "bytes that must be escaped",
        _TARGET + "_why_ambiguous",
        "_ALLOWED.fullmatch(raw) is None",
        "False",
        "node-matrix",
        "dot_segments /x/..;/api/result/7",
    ),
    Rule(
        "the semicolon",
        _TARGET + "_why_ambiguous",
        "_ALLOWED.fullmatch(raw)",
        '_ALLOWED.fullmatch(raw.replace(b";", b""))',
        "node-matrix",
        "dot_segments /x/..;/api/result/7",
    ),
    Rule(
        "the backslash",
        _TARGET + "_why_ambiguous",
        "_ALLOWED.fullmatch(raw)",
        '_ALLOWED.fullmatch(raw.replace(b"\\\\", b""))',
        "node-url",
        "escapes /api/result\\\\x2f7",
    ),
    Rule(
        "bad escapes",
        _TARGET + "_why_escapes_ambiguous",
        "if digits is None:\n            return",
        "if digits is None:\n            continue\n            return",
        "node-lax",
        "escapes /%u0061pi/result/7",
    ),
    Rule(
        "escaped slash",
        _TARGET + "_why_escapes_ambiguous",
        "    if digits is None:",
        "    if digits and int(digits, 16) == 47:\n            continue\n        if digits is None:",
        "express5-trusting",
        "slashes /api/result/%2f7",
    ),
    Rule(
        "escaped backslash",
        _TARGET + "_why_escapes_ambiguous",
        "    if digits is None:",
        "    if digits and int(digits, 16) == 92:\n            continue\n        if digits is None:",
        "node-lax",
        "dot_segments /x/..%5capi/result/7",
    ),
    Rule(
        "escaped dot",
        _TARGET + "_why_escapes_ambiguous",
        "    if digits is None:",
        "    if digits and int(digits, 16) == 46:\n            continue\n        if digits is None:",
        "node-matrix",
        "dot_segments /x/%2e%2e/api/result/7",
    ),
    Rule(
        "escaped percent sign",
        _TARGET + "_why_escapes_ambiguous",
        "    if digits is None:",
        "    if digits and int(digits, 16) == 37:\n            continue\n        if digits is None:",
        "node-lax",
        "escapes /%2561pi/result/7",
    ),
    Rule(
        "escaped semicolon",
        _TARGET + "_why_escapes_ambiguous",
        "    if digits is None:",
        "    if digits and int(digits, 16) == 59:\n            continue\n        if digits is None:",
        "node-lax",
        "slashes /api%3b/result/7",
    ),
    Rule(
        "escaped question mark",
        _TARGET + "_why_escapes_ambiguous",
        "    if digits is None:",
        "    if digits and int(digits, 16) == 63:\n            continue\n        if digits is None:",
        "node-lax",
        "suffixes /api/result/7%3f/x",
    ),
    Rule(
        "escaped number sign",
        _TARGET + "_why_escapes_ambiguous",
        "    if digits is None:",
        "    if digits and int(digits, 16) == 35:\n            continue\n        if digits is None:",
        "node-lax",
        "suffixes /api/result/7%23/x",
    ),
    Rule(
        "needless escapes",
        _TARGET + "_why_escapes_ambiguous",
        "byte in _UNRESERVED",
        "False",
        "express5",
        "identifiers /api/result/%70ublic",
        opened="/api/result/public",
    ),
    Rule(
        "escaped control characters",
        _TARGET + "_why_escapes_ambiguous",
        "byte < 0x20 or byte == 0x7F",
        "False",
        "node-lax",
        "dot_segments /x/..%00/api/result/7",
    ),
    Rule(
        "dot segments",
        _TARGET + "_why_segments_ambiguous",
        'b"." in segments or b".." in segments',
        "False",
        "node-matrix",
        "dot_segments /x/../api/result/7",
    ),
    Rule(
        "empty segments",
        _TARGET + "_why_segments_ambiguous",
        'b"" in segments[:-1]',
        "False",
        "node-matrix",
        "slashes //api/result/7",
    ),
    Rule(
        "not UTF-8",
        _TARGET + "_why_characters_ambiguous",
        'return "it is not UTF-8"',
        'return ""',
        "node-lax",
        "raw_bytes /%ffapi/result/7",
    ),
    Rule(
        "invisible characters",
        _TARGET + "_why_characters_ambiguous",
        'unicodedata.category(character)[0] == "C"',
        "False",
        "node-lax",
        "unicode_forms /%E2%80%8Bapi/result/7",
    ),
    Rule(
        "look-alikes",
        _TARGET + "_why_characters_ambiguous",
        "any(spelling.isascii() for spelling in spellings)",
        "False",
        "node-lax",
        "dot_segments /x/%EF%BC%8E%EF%BC%8E/api/result/7",
    ),
    Rule(
        "case is folded",
        _TARGET + "fold",
        'text.replace("\\u0130", "i").casefold().replace("\\u0131", "i")',
        "text",
        "express5-trusting",
        "letter_case /API/RESULT/7",
    ),
    Rule(
        "Turkish letters are folded",
        _TARGET + "fold",
        'text.replace("\\u0130", "i").casefold().replace("\\u0131", "i")',
        "text.casefold()",
        "django-any-case",
        "unicode_forms /ap%C4%B1/result/7",
    ),
    Rule(
        "a path is decoded",
        _TARGET + "_decode",
        "bytes([int(found[1], 16)]) if found[1]",
        "found[0] if found[1]",
        "node-lax",
        "dot_segments /x/%EF%BC%8E%EF%BC%8E/api/result/7",
    ),
    Rule(
        "results match leniently",
        _MATCH + "RouteTable._match_as_written",
        "if not is_exact and rule.route_class is not RouteClass.RESULT:",
        "if not is_exact:",
        "express5",
        "letter_case /API/RESULT/7",
        methods="GET, POST",
    ),
    Rule(
        "a method nobody knows opens no result",
        _MATCH + "_speaks_of",
        "(not is_result or method in _COMMON_METHODS)",
        "True",
        "node-url",
        "method PROPFIND /api/result/7",
        methods="GET, POST",
    ),
    Rule(
        "HEAD is GET",
        "gateway.core.rule:Rule.allows_method",
        '(method == "HEAD" and "GET" in self.methods)',
        "False",
        "express5",
        "method HEAD /api/result/7",
        methods="GET, POST",
    ),
    Rule(
        "method overrides in headers",
        _MATCH + "_overriding",
        "    yield from overrides\n",
        "    yield from ()\n",
        "express5-trusting",
        "override OPTIONS by X-HTTP-Method-Override: GET",
        methods="GET, POST",
    ),
    Rule(
        "method overrides in the query",
        _MATCH + "_overriding",
        'if name == "_method"',
        "if False",
        "express5-trusting",
        "method PUT /api/result/7?_method=GET",
        methods="GET, POST",
    ),
    Rule(
        "what trails is ignored",
        _TREE + "PathTree.find",
        "if folded[-1:] in IGNORED_AT_END:",
        "if False:",
        "express5",
        "suffixes /api/result/7/",
    ),
    Rule(
        "a trailing slash is ignored",
        _TREE + "PathTree.find",
        "folded[-1:] in IGNORED_AT_END",
        'folded[-1:] in " ."',
        "express5",
        "suffixes /api/result/7/",
    ),
    Rule(
        "trailing spaces and dots are ignored",
        _TREE + "PathTree.find",
        "folded[-1:] in IGNORED_AT_END",
        'folded[-1:] == "/"',
    ),
    Rule(
        "a parameter may be empty",
        _TREE + "segment_expression",
        '"[^/]*" + last',
        '"[^/]+" + last',
        "fastify",
        "suffixes /api/result/ ",
    ),
    Rule("methods for proxies", _MESSAGE + "Guard.read", "or method in _FORBIDDEN_METHODS", ""),
    Rule("spelling of methods", _MESSAGE + "Guard.read", "_METHOD.fullmatch(method) is None or", ""),
    Rule(
        "names of headers",
        _MESSAGE + "Guard._examine",
        "_TOKEN.fullmatch(name) is None",
        "False",
        "php-trusting",
        "path /open, X_Original_URL result",
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
        "the client's own framing does not go on",
        _MESSAGE + "Guard._examine",
        'name == b"host" or',
        'name in (b"host", b"content-length", b"transfer-encoding") or',
    ),
    Rule(
        "what Connection names does not go on", _MESSAGE + "Guard._judge", 'if b"connection" in special:', "if False:"
    ),
    Rule("our own headers do not come in", _MESSAGE + "Guard._examine", "name in self._own_headers", "False"),
    Rule(
        "one Host that is a host",
        _MESSAGE + "_judge_host",
        "len(values) != 1 or not is_host(values[0])",
        "False",
        "node-host",
        "host a/api/result/7? /open",
    ),
    Rule("length or coding, not both", _MESSAGE + "_judge_framing", "lengths is not None or", ""),
    Rule(
        "chunked alone",
        _MESSAGE + "_judge_framing",
        '[coding.strip().lower() for coding in codings] != [b"chunked"]',
        "False",
    ),
    Rule(
        "one number for a length",
        _MESSAGE + "_judge_framing",
        "len(lengths) != 1 or not lengths[0].isdigit() or len(lengths[0]) > 18",
        "False",
    ),
    Rule("expectations", _MESSAGE + "_judge_expectation", 'value.strip().lower() != b"100-continue"', "False"),
    Rule("absolute form", _MESSAGE + "_read_target", 'not target.startswith(b"/") and b"://" in target', "False"),
    Rule(
        "the absolute form names the same host", _MESSAGE + "_origin_form", "authority.lower() != host.lower()", "False"
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

NOT_SHOWN: dict[str, str] = {
    "begins with a slash": _PARSER,
    "trailing spaces and dots are ignored": "only Windows ignores them, at the end of a name that is written "
    "out; this route ends in a parameter, which takes them",
    "methods for proxies": "no application of these has a handler for them",
    "spelling of methods": _PARSER,
    "what Connection names does not go on": "no result hangs on it; tests/flow says what does",
    "our own headers do not come in": "no result hangs on them; they tell the application who asks",
    "length or coding, not both": _PARSER,
    "chunked alone": _PARSER,
    "one number for a length": _PARSER,
    "the client's own framing does not go on": _ANEW,
    "expectations": "no result hangs on them",
    "absolute form": "without it the target does not begin with a slash, which is reason enough",
    "the absolute form names the same host": "no application of these has another site under another host",
}
"""Of the other rules, by name: why no variant and no application shows that they are needed."""

NEEDED = tuple(rule for rule in RULES if rule.witness)
