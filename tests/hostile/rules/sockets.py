"""Rules for requests that ask for another protocol."""

from __future__ import annotations

from tests.hostile.gateways import Site
from tests.hostile.message import CANARY, TARGET, Header, Variant, in_name_of, printable, request

from .rule import Rule

_TO_WEBSOCKET: tuple[Header, ...] = (
    (b"Upgrade", b"websocket"),
    (b"Sec-WebSocket-Version", b"13"),
    (b"Sec-WebSocket-Key", b"dGhlIHNhbXBsZSBub25jZQ=="),
)


def _handshake(target: bytes) -> Variant:
    return Variant(f"handshake {printable(target)}", request(target, _TO_WEBSOCKET, connection=b"Upgrade"))


def _to_http2(body: bytes, answers: int = 1) -> Variant:
    """A request with a body that asks for HTTP/2, which nobody here speaks: it remains one in HTTP/1.1."""
    headers = ((b"Upgrade", b"h2c"), (b"Content-Length", b"%d" % len(body)))
    data = request(b"/open", headers, method=b"POST", connection=b"Upgrade", body=body)
    return Variant(f"h2c with {len(body)} bytes", data, answers)


_NOT_EVEN_READ = Rule(
    "a plain answer to a handshake is not even read",
    "gateway.upstream.switching:Switching._shake_hands",
    'b"" if 200 <= exchange.status < 300 else',
    "",
)

RULES: tuple[Rule, ...] = (
    Rule(
        "a handshake goes through the same gate",
        "gateway.web.socket:Socket._decide",
        "return self._asker.decide(rule, case)",
        "return Forward(Reason.OPEN)",
        "headers",
        _handshake(TARGET),
    ),
    Rule(
        "the address of a handshake has one reading",
        "gateway.web.case:Case.free",
        "if self.ambiguous:",
        "if self.ambiguous and not self.is_socket:",
        "node-url",
        _handshake(b"/x/../api/result/7"),
    ),
    Rule(
        "what a WebSocket brings is not seen before",
        "gateway.web.case:Case.read",
        "case.look_into(UNSEEN, table)",
        "case.look_into(EMPTY, table)",
        "headers",
        _handshake(b"/socket"),
        site=Site(before=('{path: "/socket", class: result, body: {kind: report}}',)),
    ),
    Rule(
        "a plain answer to a handshake does not go on",
        "gateway.web.socket:Socket._pass_refusal",
        "if 200 <= refused.status < 300:",
        "if False:",
        "headers",
        _handshake(b"/found"),
        besides=_NOT_EVEN_READ,
    ),
    Rule(
        "who asks for HTTP/2 goes on in HTTP/1.1",
        "gateway.wire.protocol:GatewayProtocol.on_headers_complete",
        "self.parser.decline(self.headers)",
        "pass",
        "headers",
        _to_http2(b"hello"),
        honest=True,
    ),
    Rule(
        "the body behind an upgrade is a body",
        "gateway.wire.parser:RequestParser.feed_data",
        "self._read_on(self._framing)",
        "self._framing = self._use(self._protocol)",
        "headers",
        _to_http2(in_name_of(CANARY, request(TARGET)), answers=2),
    ),
)
