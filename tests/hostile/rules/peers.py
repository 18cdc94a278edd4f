"""Rules for who is believed: by which address a request comes, and what it may say of others."""

from __future__ import annotations

from tests.hostile.message import CANARY, MARKER, TARGET, Header, Variant, in_name_of, printable, request

from .rule import Rule

_MESSAGE = "gateway.web.message:"
_STRANGER = "127.0.0.2"


def _sent(target: bytes, *headers: Header, method: bytes = b"GET", connection: bytes = b"close") -> Variant:
    """What a proxy that is trusted passes on."""
    data = request(target, headers, method=method, connection=connection)
    return Variant(f"{printable(method)} {printable(target)}", data)


def _by_stranger(data: bytes) -> Variant:
    return Variant(f"a stranger's {printable(data.splitlines()[0])}", data, source=_STRANGER)


RULES: tuple[Rule, ...] = (
    Rule(
        "only peers of the config are trusted",
        "gateway.web.runtime:TrustedPeers.trusts_address",
        "self._judge(address)",
        "True",
        "headers",
        _by_stranger(in_name_of(CANARY, request(TARGET))),
    ),
    Rule(
        "strangers do not say who they are",
        _MESSAGE + "Guards.__init__",
        "Guard(own_headers | trusted_headers, False)",
        "Guard(own_headers, False)",
        "headers",
        _by_stranger(in_name_of(CANARY, request(b"/mine"))),
    ),
    Rule(
        "strangers do not say whom they speak for",
        _MESSAGE + "Guard._examine",
        "(self.peer_trusted and name in FORWARDING)",
        "name in FORWARDING",
        "headers",
        _by_stranger(request(b"/local", [(b"X-Real-IP", b"127.0.0.1")])),
    ),
    Rule(
        "whom it speaks for is told to the application",
        "gateway.web.forward:forwarded_headers",
        '            (b"x-forwarded-for", address),\n',
        "",
        "headers",
        _by_stranger(request(b"/near", connection=b"close, X-Forwarded-For")),
    ),
    Rule(
        "our own headers do not come in",
        _MESSAGE + "Guard._examine",
        "name in self._own_headers",
        "False",
        "headers",
        _sent(b"/told", (b"Paywall-Context", b"entitled")),
    ),
    # What the proxy in front means for the gateway alone, the client must not get to see.
    Rule(
        "what Connection names does not go on",
        _MESSAGE + "Guard._judge",
        'if b"connection" in special:',
        "if False:",
        "headers",
        _sent(b"/echo", (b"X-Hop-Key", MARKER), connection=b"close, X-Hop-Key"),
    ),
    Rule(
        "what belongs to one hop does not go on",
        _MESSAGE + "Guard._examine",
        'name == b"host" or',
        'name in (b"host", b"proxy-authorization") or',
        "headers",
        _sent(b"/echo", (b"Proxy-Authorization", b"Basic " + MARKER)),
    ),
    Rule(
        "methods for proxies",
        _MESSAGE + "Guard.read",
        "or method in _FORBIDDEN_METHODS",
        "",
        "headers",
        _sent(b"/open", (b"X-Key-Of-The-Proxy", MARKER), method=b"TRACE"),
    ),
    Rule(
        "the absolute form names the same host",
        _MESSAGE + "_origin_form",
        "authority.lower() != host.lower()",
        "False",
        "headers",
        # A proxy in front goes by the target, as it must (RFC 9112 section 3.2.2), and asks nobody for the other site.
        Variant("two hosts", request(b"http://localhost/open", host=b"inner.example")),
    ),
)
