"""What the gateway changes, as docs/http.md lists it: what must arrive at either end, given what arrives without it.

This is the page's own list a second time, independent of the gateway's code; test_documented.py holds the two together.
"""

from __future__ import annotations

from http import HTTPStatus

from .message import Framing, Header, Question, Seen

HOP_BY_HOP = frozenset(
    b"connection keep-alive proxy-authenticate proxy-authorization proxy-connection te trailer transfer-encoding "
    b"upgrade expect content-length".split()
)
OURS = frozenset(b"paywall-reason paywall-result paywall-step paywall-context".split())
PATH_OVERRIDES = frozenset(
    b"x-original-url x-original-uri x-rewrite-url x-accel-redirect x-middleware-subrequest".split()
)
FORWARDING = frozenset(
    b"forwarded x-real-ip x-forwarded-for x-forwarded-proto x-forwarded-host x-forwarded-port x-forwarded-prefix "
    b"x-forwarded-uri x-forwarded-path x-forwarded-method x-forwarded-server".split()
)
ONLY_IN_ANSWERS = frozenset((b"proxy-authentication-info",))
FOR_SHARED_CACHES = frozenset((b"cdn-cache-control", b"surrogate-control"))
SHARED = frozenset((b"public", b"s-maxage"))
VARY = b"x-user-id"
"""What the only identity plugin of the rig's gateways looks at."""

LISTED = {
    # Each change by its first words, and what knows of it: a function of this module, or a test elsewhere.
    "What [is refused]": "request",
    "`X-Forwarded-For`, `X-Forwarded-Proto` and": "request",
    "The version is HTTP/1.1": "request",
    "A POST, PUT or PATCH without a body": "request",
    "`Expect: 100-continue`": "request",
    "Where a route has [conditions on the body]": "tests/flow/test_bodies.py",
    "On requests whose result is to be": "tests/flow/test_parts.py",
    "On requests for a page that may get [the notice]": "tests/flow/test_notice.py",
    "Hop-by-hop headers go": "answer",
    "Names of headers are in lower case": "answer",
    "Interim answers": "answer",
    "What the application says": "answer",
    "Of an OPTIONS that yields a result": "tests/flow/test_methods.py",
    "On result routes that pass": "answer",
    "On action routes after the trial": "tests/flow/test_main_job.py",
    "With the setting `notice`": "tests/flow/test_notice.py",
    "A new visitor's `Set-Cookie`": "tests/flow/test_short_way.py",
    "An ambiguous GET": "tests/flow/test_bad_input.py",
    "An answer that breaks off": "tests/flow/test_streams.py",
}

_CLIENT = b"127.0.0.1"
_STATUSES_WITHOUT_LENGTH = (204, 304)
_NEED_LENGTH = (b"POST", b"PUT", b"PATCH")


def without_connection(headers: list[Header]) -> list[Header]:
    """The headers that are not for one connection only."""
    named = {word.strip().lower() for name, value in headers if name == b"connection" for word in value.split(b",")}
    return [pair for pair in headers if pair[0] not in HOP_BY_HOP and pair[0] not in named]


def request(direct: Seen, trusted: bool, authority: bytes) -> Seen:
    """What arrives at the application, which is called by this authority, given what arrives without a gateway.

    `trusted`: the client is one of the proxies whose word counts.
    """
    method, target, _ = direct.start
    if not target.startswith(b"/") and b"://" in target:
        slash, rest = target.partition(b"://")[2].partition(b"/")[1:]
        target = slash + rest or b"/"
    gone = OURS | PATH_OVERRIDES | (frozenset() if trusted else FORWARDING)
    headers = [pair for pair in without_connection(direct.headers) if pair[0] not in gone]
    before = [value for name, value in headers if name == b"x-forwarded-for"]
    headers = [pair for pair in headers if pair[0] != b"x-forwarded-for"]
    headers.append((b"x-forwarded-for", b", ".join([*before, _CLIENT])))
    if not any(name == b"x-forwarded-proto" for name, _ in headers):
        headers.append((b"x-forwarded-proto", b"http"))
    hosts = direct.values(b"host")
    if not trusted and hosts:
        headers.append((b"x-forwarded-host", hosts[0]))
    if not hosts:
        headers.append((b"host", authority))
    framing = direct.framing
    if framing is not Framing.CHUNKED and not direct.body:
        framing = Framing.LENGTH if method in _NEED_LENGTH else Framing.NONE
    return Seen((method, target, b"HTTP/1.1"), headers, direct.body, framing)


def answer(direct: Seen, question: Question, on_result_route: bool) -> Seen:
    """What arrives at the client, given what arrives there without a gateway."""
    status, said = direct.status, b"".join(direct.values(b"paywall-result")[:1])
    gone = OURS | ONLY_IN_ANSWERS
    headers = [pair for pair in without_connection(direct.headers) if pair[0] not in gone]
    if on_result_route or (said == b"yes" and 200 <= status < 300 and status not in (204, 205)):
        headers = _private(headers)
    framing = direct.framing
    if status in _STATUSES_WITHOUT_LENGTH:
        framing = Framing.NONE
    elif question.method == b"HEAD":
        framing = Framing.LENGTH if framing is Framing.LENGTH else Framing.NONE
    elif framing in (Framing.CLOSE, Framing.CHUNKED):
        framing = Framing.CLOSE if question.version == b"1.0" else Framing.CHUNKED
    return Seen((b"HTTP/1.1", b"%d" % status, _phrase(status)), headers, direct.body, framing)


def length(message: Seen) -> list[bytes]:
    """What the message announces of its length; nothing where it may not."""
    return message.values(b"content-length") if message.framing is Framing.LENGTH else []


def directives(headers: list[Header]) -> list[bytes]:
    """The directives of all `Cache-Control` lines, one by one."""
    lines = b",".join(value for name, value in headers if name == b"cache-control")
    return [directive.strip() for directive in lines.split(b",") if directive.strip()]


def _private(headers: list[Header]) -> list[Header]:
    headers = [pair for pair in headers if pair[0] not in FOR_SHARED_CACHES]
    said = directives(headers)
    if b"private" in said or b"no-store" in said:
        return headers
    kept = [directive for directive in said if directive.partition(b"=")[0] not in SHARED]
    headers = [pair for pair in headers if pair[0] != b"cache-control"]
    return [*headers, *((b"cache-control", directive) for directive in (b"private", *kept)), (b"vary", VARY)]


def _phrase(status: int) -> bytes:
    try:
        return HTTPStatus(status).phrase.encode()
    except ValueError:
        return b""
