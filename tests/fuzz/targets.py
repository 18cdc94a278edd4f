"""What must hold for any bytes. A target raises when it does not."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from random import Random

from gateway.access.match import RouteTable
from gateway.core.rule import RouteClass, Rule
from gateway.core.target import canonical_form, read_path
from gateway.settings.init import commented_config
from gateway.settings.load import load_settings
from gateway.settings.problem import ConfigProblems
from gateway.settings.schema import GatewaySettings
from gateway.upstream.parsing import AnswerParser, MalformedAnswer
from gateway.web.message import FORWARDING, BadMessage, Guard
from tests.access.naive import rule_of
from tests.fuzz.as_written import written_answer, written_config
from tests.fuzz.bodies import BODIES, BODY_WORDS, body_is_not_missed
from tests.fuzz.pages import PAGE_WORDS, PAGES, page_keeps_its_bytes
from tests.fuzz.payments import PAYMENT_WORDS, PAYMENTS, payment_is_read_or_malformed


@dataclass(frozen=True)
class Target:
    """Something that reads what strangers send."""

    name: str
    check: Callable[[bytes, Random], None]
    seeds: tuple[bytes, ...]
    words: tuple[bytes, ...]


# The answers of an application: whatever comes, one reading of it, however it is cut, and never a second one.

_HEAD_MOST = 2_000
_APART = {
    b"connection", b"content-length", b"keep-alive", b"proxy-authenticate", b"proxy-authentication-info",
    b"proxy-connection", b"te", b"trailer", b"transfer-encoding", b"upgrade",
}  # fmt: skip
_PLAIN_OPTIONS = {b"close", b"keep-alive", b"upgrade", b"te", b""}
_ANSWERS = (
    b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: keep-alive\r\n\r\nhello",
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\nA\r\n0123456789\r\n0\r\n\r\n",
    b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5;a=b\r\nhello\r\n0\r\nx-trailer: 1\r\n\r\n",
    b"HTTP/1.1 103 Early Hints\r\nlink: </a.css>\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 1\r\n\r\nx",
    b"HTTP/1.1 204 No Content\r\nx: y\r\n\r\n",
    b'HTTP/1.1 304 Not Modified\r\ncontent-length: 7\r\netag: "a"\r\n\r\n',
    b"HTTP/1.0 200 OK\r\ncontent-type: text/plain\r\n\r\nuntil the end",
    b"HTTP/1.1 402 \xe9\r\nset-cookie: a=1\r\nset-cookie: b=2\r\nconnection: close\r\n\r\n",
)
_ANSWER_WORDS = (
    b"\r\n", b"\r\n\r\n", b"\n", b"\r", b"\0", b" ", b"\t", b":", b"0", b"0\r\n\r\n", b"ffffffffffffffff", b"-1",
    b"+5", b"HTTP/1.1 200 OK\r\n", b"HTTP/1.0", b"HTTP/2.0", b"HTTP/1.1 101 S\r\n", b"100", b"204", b"304",
    b"Content-Length: 5\r\n", b"content-length: 5, 5\r\n", b"Transfer-Encoding: chunked\r\n",
    b"transfer-encoding: gzip, chunked\r\n", b"chunked", b"connection: close, x\r\n", b"keep-alive: timeout=5\r\n",
    b"upgrade: h2c\r\n", b"x: 1\r\n 2\r\n", b"trailer: x\r\n",
)  # fmt: skip


def answer_has_one_reading(data: bytes, luck: Random) -> None:
    """An answer is the one that is written there, in one piece and in many; who refuses it refuses it in both."""
    to_head = luck.random() < 0.2
    pieces = list(_pieces(data, luck))
    whole, cut = _read_answer([data] if data else [], to_head), _read_answer(pieces, to_head)
    # In one piece bytes behind the answer are seen at once; in pieces they come when nobody asks for them any more.
    if whole[0] == "complete" and cut[0] == "complete":
        assert whole[1:] == cut[1:], (whole, cut)
    elif len(data) <= _HEAD_MOST or "malformed" not in (whole[0], cut[0]):
        # How large a head is counts by the piece: where one is about too large, its cut decides.
        assert whole[0] == cut[0] or "complete" in (whole[0], cut[0]), (whole, cut)


def _read_answer(pieces: list[bytes], to_head: bool) -> tuple[object, ...]:
    parser = AnswerParser(_HEAD_MOST, 20)
    parser.expect(to_head=to_head)
    body = seen = b""
    for piece in pieces:
        seen += piece
        try:
            parser.feed(piece)
        except MalformedAnswer:
            return ("malformed",)
        body += parser.take_pieces()
        if parser.complete:
            assert 200 <= parser.status <= 599
            assert len(parser.headers) <= 20
            assert all(b"\r" not in value and b"\n" not in value for pair in parser.headers for value in pair)
            assert parser.length is None or to_head or parser.status == 304 or len(body) == parser.length
            _is_as_written(parser, body, seen, to_head)
            return ("complete", parser.status, parser.headers, parser.length, body)
    return ("unfinished",)


def _is_as_written(parser: AnswerParser, body: bytes, seen: bytes, to_head: bool) -> None:
    answer = written_answer(seen, to_head)
    assert answer is not None, "it had to be refused"
    named = {name.strip(b" \t") for value in answer.values(b"connection") for name in value.lower().split(b",")}
    headers = [(name, value) for name, value in answer.headers if name not in _APART | named]
    assert (parser.status, body) == (answer.status, answer.body), answer
    assert [header for header in parser.headers if header[0] not in _PLAIN_OPTIONS & named] == headers, answer
    # Empty lines that come with the end are swallowed with it, and shift nothing.
    assert not (parser.persistent and answer.rest.strip(b"\r\n")), (
        "the next answer would begin with the rest of this one"
    )


# Request targets: the table says what the documentation says, and a canonical form is one.

_RULES = (
    Rule("export", RouteClass.RESULT, "/api/reports/{id}/export"),
    Rule("below", RouteClass.OPEN, "/api/reports/**"),
    Rule("any", RouteClass.RESULT, "/files/**/{name}.pdf"),
    Rule("script", RouteClass.RESULT, "/export.php"),
    Rule("login", RouteClass.EXEMPT, "/login/**"),
    Rule("deep", RouteClass.RESULT, "/**/secret/**"),
    Rule("page", RouteClass.ACTION, "/{a}-{b}/page"),
)
_TABLE = RouteTable(_RULES)
_TARGETS = (
    b"/api/reports/7/export", b"/files/a/b/c.pdf", b"/export.php/x.css", b"/login/now", b"/a/secret/b", b"/x-y/page",
    b"/caf%C3%A9/%E2%82%AC", b"/a/../b/./c//d", b"/a;b=c/d", b"/FILES/SECRET/c.PDF",
)  # fmt: skip
_TARGET_WORDS = (
    b"/", b"//", b"/./", b"/../", b"%2f", b"%2e%2e", b"%5c", b"\\", b";", b"?", b"#", b"%00", b"%", b"%zz", b"%25",
    b".pdf", b".PDF", b"secret", b"SECRET", b"EXPORT", b"export.php", b"\xc4\xb1", b"%C4%B0", b"\xef\xbc\x8f", b" ",
    b".", b"~", b"%7e", b"\xff", b"%ff",
)  # fmt: skip


def target_falls_under_its_rule(data: bytes, luck: Random) -> None:
    """Whatever path comes, the table finds the rule that one reads out of the config."""
    path = data.partition(b"?")[0]
    reading = read_path(path)
    if not path.startswith(b"/"):
        assert reading.ambiguous  # and counts as a result, whatever it falls under
        return
    found = _TABLE.match("GET", reading, "").rule.name
    # Reading rules out of the documentation is slow where a path has hundreds of parts; the table must not be.
    assert path.count(b"/") > 200 or found == rule_of(_RULES, reading.path), (path, found)
    canonical = canonical_form(path)
    if canonical is not None:
        assert canonical.startswith(b"/") and not canonical.startswith(b"//") and not read_path(canonical).ambiguous


# Request heads: judged, and what goes on has nothing that could mean something else to the application.

_HEADS = (
    b"host: a.example\naccept: */*\ncookie: a=1\ncookie: b=2",
    b"host: [::1]:80\ncontent-length: 5\nconnection: close, x-user\nx-user: 1",
    b"host: a\ntransfer-encoding: chunked\nte: trailers\nexpect: 100-continue\nx-http-method-override: PUT",
)
_HEAD_WORDS = (
    b"\n", b": ", b"host: b", b"x_user: 1", b"content-length: 6", b"transfer-encoding: gzip", b"connection: host",
    b",", b"paywall-context: x", b"x-forwarded-for: 1", b"forwarded: for=x", b"x-original-url: /x", b"\xe9", b"\0",
    b" ", b"\t",
)  # fmt: skip
_GUARDS = (Guard(frozenset({b"paywall-context"}), False), Guard(frozenset({b"paywall-context"}), True))
_NEVER = {
    b"connection", b"keep-alive", b"proxy-connection", b"te", b"trailer", b"transfer-encoding", b"upgrade", b"expect",
    b"content-length", b"paywall-context", b"x-original-url",
}  # fmt: skip


def head_is_judged(data: bytes, luck: Random) -> None:
    """A head is refused in words, or is clean."""
    lines = [line.partition(b": ") for line in data.split(b"\n")]
    headers = [(name.lower(), value) for name, _, value in lines]
    guard = luck.choice(_GUARDS)
    try:
        message = guard.read("GET", b"/x", headers)
    except BadMessage as bad:
        assert bad.detail and 400 <= bad.status < 500
        return
    names = {name for name, _ in message.headers}
    assert not names & _NEVER and not any(b"_" in name or b" " in name for name in names)
    assert sum(name == b"host" for name, _ in message.headers) == 1
    assert guard.peer_trusted or not names & FORWARDING


# Configs: a config, or problems in words, with the place.

_CONFIG_WORDS = (
    b"\n", b"  ", b"- ", b": ", b"{", b"}", b"[", b"]", b"&a ", b"*a", b"<<: ", b"!!python/object ", b"|", b">",
    b"\t", b"#", b"routes:\n", b"hold", b"14d", b"3.00 USD", b"null", b"~", b"\xef\xbb\xbf", b"\xff", b"'", b'"',
    b"1e999", b"0x1", b"plans: []\n", b"env: X", b"%YAML 1.1\n", b"---\n", b"...\n",
)  # fmt: skip
_CONFIGS = (
    commented_config("http://localhost:3000").encode(),
    b'upstream: http://localhost:3000\nroutes:\n  - {path: "/x", class: result}\n',
    b"upstream: http://localhost:3000\ncanonical: {redirect: false, allow_encoded_slash: true}\nworkers: 2\n",
)

_FOLDER = tempfile.TemporaryDirectory(prefix="paywall-fuzz-")
_CONFIG = Path(_FOLDER.name, "paywall.yaml")


def config_is_read_or_refused_in_words(data: bytes, luck: Random) -> None:
    """Whatever stands in a file, people get a config or a list of problems."""
    _CONFIG.write_bytes(data)
    try:
        loaded = load_settings(_CONFIG, environ={})
    except ConfigProblems as found:
        assert found.problems and all(str(problem).startswith(str(_CONFIG)) for problem in found.problems)
        return
    written = written_config(data.decode("utf-8-sig"))
    if written is None:
        return
    assert loaded.document.data == written, written
    assert set(written) <= set(GatewaySettings.model_fields), "what it does not know it would not do"
    if isinstance(written.get("routes"), list):
        routes = [(route.path, route.class_.value) for route in loaded.settings.routes]
        assert routes == [(route["path"], route["class"]) for route in written["routes"]], routes


def _pieces(data: bytes, luck: Random) -> Iterator[bytes]:
    while data:
        size = luck.choice((1, 2, 3, 7, 20, 500, len(data)))
        yield data[:size]
        data = data[size:]


TARGETS = (
    Target("answers", answer_has_one_reading, _ANSWERS, _ANSWER_WORDS),
    Target("targets", target_falls_under_its_rule, _TARGETS, _TARGET_WORDS),
    Target("heads", head_is_judged, _HEADS, _HEAD_WORDS),
    Target("bodies", body_is_not_missed, BODIES, BODY_WORDS),
    Target("payments", payment_is_read_or_malformed, PAYMENTS, PAYMENT_WORDS),
    Target("pages", page_keeps_its_bytes, PAGES, PAGE_WORDS),
    Target("configs", config_is_read_or_refused_in_words, _CONFIGS, _CONFIG_WORDS),
)
