"""Rules for where a message ends.

Most of these messages the parser of the gateway's own server refuses first. What hides behind two ends is a request
that a proxy in front took for a part of a body: it had no say in it, least of all on whose request it is.
"""

from __future__ import annotations

from tests.hostile.message import CANARY, NONCE, TARGET, Header, Variant, in_name_of, request

from .rule import Rule

_MESSAGE = "gateway.web.message:"

_HIDDEN = in_name_of(CANARY, request(TARGET))
_CHUNK_LINE = b"%x\r\n" % len(_HIDDEN)
_LAST_CHUNK = b"0\r\n\r\n"
_SPLIT = b"GET http://localhost/api/result/7 HTTP/1.1\nHost: localhost\nX-Nonce: " + NONCE + b"\n\n"
"""A request for whoever takes a bare LF for the end of a line."""


def _two_ends(name: str, *headers: Header, before: bytes = b"", behind: bytes = b"") -> Variant:
    """A request behind what some take for the end of another one."""
    data = request(b"/open", headers, method=b"POST", connection=b"keep-alive", body=before + _HIDDEN + behind)
    return Variant(name, data, answers=2)


_NO_LF_IN_TARGET = Rule(
    "a target has neither blanks nor line ends",
    "gateway.upstream.framing:_head",
    "_TARGET.fullmatch(target) is None",
    "False",
    "nginx",
    Variant("request in a target", request(b"/open?x HTTP/1.1\nHost: localhost\n\n" + _SPLIT + b"GET /open")),
    lenient=True,
)
_TOKEN_FOR_A_METHOD = Rule(
    "a method that is sent on is a token",
    "gateway.upstream.framing:_vet_method",
    "_TOKEN.fullmatch(method) is None",
    "False",
)

RULES: tuple[Rule, ...] = (
    _NO_LF_IN_TARGET,
    Rule(
        "a header has no line ends",
        "gateway.core.header_lines:header_lines",
        'lines.count(b"\\n") != len(headers) or',
        "",
        "nginx",
        Variant("request in a header", request(b"/open", [(b"X-Any", b"a\n\n" + _SPLIT)])),
        lenient=True,
    ),
    Rule(
        "spelling of methods",
        _MESSAGE + "Guard.read",
        "_METHOD.fullmatch(method) is None or",
        "",
        "nginx",
        Variant("request in a method", request(b"/open", method=_SPLIT + b"POST")),
        lenient=True,
        besides=_TOKEN_FOR_A_METHOD,
    ),
    Rule(
        "the client's own framing does not go on",
        _MESSAGE + "Guard._examine",
        'name == b"host" or',
        'name in (b"host", b"content-length", b"transfer-encoding") or',
        "headers",
        Variant("a body", request(b"/open", [(b"Content-Length", b"5")], method=b"POST", body=b"hello")),
        honest=True,
    ),
    Rule(
        "length or coding, not both",
        _MESSAGE + "_judge_framing",
        "lengths is not None or",
        "",
        "headers",
        _two_ends(
            "length and coding",
            *((b"Content-Length", b"%d" % len(_CHUNK_LINE)), (b"Transfer-Encoding", b"chunked")),
            before=_CHUNK_LINE,
            behind=b"\r\n" + _LAST_CHUNK,
        ),
        lenient=True,
    ),
    Rule(
        "chunked alone",
        _MESSAGE + "_judge_framing",
        '[coding.strip().lower() for coding in codings] != [b"chunked"]',
        "False",
        "headers",
        _two_ends("two codings", (b"Transfer-Encoding", b"chunked, identity"), before=_LAST_CHUNK),
        lenient=True,
    ),
    Rule(
        "one number for a length",
        _MESSAGE + "_judge_framing",
        "len(lengths) != 1 or not lengths[0].isdigit() or len(lengths[0]) > 18",
        "False",
        "headers",
        _two_ends("two lengths", (b"Content-Length", b"0"), (b"Content-Length", b"%d" % len(_HIDDEN))),
        lenient=True,
    ),
    Rule("expectations", _MESSAGE + "_judge_expectation", 'value.strip().lower() != b"100-continue"', "False"),
)
