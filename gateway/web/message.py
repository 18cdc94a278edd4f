"""Judge a request's head before anything else looks at it, and clean it for the application.

What is refused here is refused for everybody: messages that two parsers could read in two ways (RFC 9112 sections 3.2,
6.1, 6.3), and methods that are for proxies. What is removed are hop-by-hop headers (RFC 9110 section 7.6.1), everything
that a `connection` header names, path overrides, the client's copies of our own headers, and forwarding headers of
peers that are not trusted. Removal comes first and our own headers after it: the other way round, a client could have
ours removed.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from gateway.core.reason import Reason
from gateway.ports.upstream import Headers
from gateway.ports.wire import WIRE, Wire

HOP_BY_HOP = frozenset(
    {
        b"connection", b"keep-alive", b"proxy-authenticate", b"proxy-authorization", b"proxy-connection", b"te",
        b"trailer", b"transfer-encoding", b"upgrade", b"expect", b"content-length",
    }
)  # fmt: skip
"""Removed always; framing is written anew by whoever sends the message on."""

FORWARDING = frozenset(
    {
        b"forwarded", b"x-forwarded-for", b"x-forwarded-proto", b"x-forwarded-host", b"x-forwarded-port",
        b"x-forwarded-prefix", b"x-forwarded-uri", b"x-forwarded-path", b"x-forwarded-method", b"x-forwarded-server",
        b"x-real-ip",
    }
)  # fmt: skip
"""Believed, and passed on, only from trusted peers."""

METHOD_OVERRIDES = frozenset({b"x-http-method-override", b"x-http-method", b"x-method-override"})
"""Headers by which some frameworks serve another method: the rule is looked up for that one too."""

PATH_OVERRIDES = frozenset(
    {b"x-original-url", b"x-original-uri", b"x-rewrite-url", b"x-accel-redirect", b"x-middleware-subrequest"}
)
"""Headers by which some systems serve another path or skip their own checks. Removed always: proxies in front pass on
what clients send of them, so that not even a trusted peer can vouch for them."""

_INTERESTING = HOP_BY_HOP | FORWARDING | PATH_OVERRIDES | METHOD_OVERRIDES | {b"host"}
_TOKEN = re.compile(rb"[A-Za-z0-9!#$%&'*+.^`|~-]+")
_HOST = re.compile(rb"(?:\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._~%!$&'()*+,;=-]+)(?::\d{1,5})?")
_METHOD = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,31}")
_FORBIDDEN_METHODS = frozenset({"CONNECT", "TRACE", "TRACK"})


class BadMessage(Exception):
    """A request that is refused whatever it is for."""

    def __init__(self, status: int, reason: Reason, detail: str) -> None:
        super().__init__(detail)
        self.status, self.reason, self.detail = status, reason, detail


@dataclass(slots=True)
class Message:
    """A request's head, judged and cleaned."""

    method: str
    target: bytes
    """Origin form, byte for byte as sent."""
    path: bytes
    query: str
    headers: Headers
    """What may go on to the application."""
    overrides: tuple[str, ...]
    """Other methods that some frameworks would take this request for."""
    host: bytes
    length: int | None
    """Bytes of the body; None when it is chunked."""
    wire: Wire | None
    fragment: bool = False


def read_message(scope: Mapping[str, Any], own_headers: frozenset[bytes], peer_trusted: bool) -> Message:
    """Judge and clean one request. Raises `BadMessage`.

    `own_headers` are names (lower case) whose inbound copies are dropped.
    """
    method = scope.get("method", "GET")
    if _METHOD.fullmatch(method) is None or method in _FORBIDDEN_METHODS:
        raise BadMessage(405, Reason.METHOD_NOT_ALLOWED, f"the method {method[:32]} is not passed on")
    kept: Headers = []
    special: dict[bytes, list[bytes]] = {}
    for pair in scope["headers"]:
        name, value = pair
        if name in _INTERESTING:
            special.setdefault(name, []).append(value)
            if name == b"host" or name in METHOD_OVERRIDES or (peer_trusted and name in FORWARDING):
                kept.append(pair)
        elif name in own_headers:
            continue
        elif _TOKEN.fullmatch(name) is None:
            shown = name[:40].decode("latin-1")
            raise BadMessage(
                400,
                Reason.REQUEST_MALFORMED,
                f"the header name {shown!r} has a character that systems read differently",
            )
        else:
            kept.append(pair)
    if b"connection" in special:
        kept = _without_named(kept, special[b"connection"])
    host = _judge_host(special.get(b"host", []), scope)
    target, path, query, fragment = _read_target(scope, host)
    length = _judge_framing(special)
    _judge_expectation(special)
    overrides = tuple(
        value.decode("latin-1").strip().upper() for name in METHOD_OVERRIDES for value in special.get(name, ())
    )
    wire = scope.get("extensions", {}).get(WIRE)
    return Message(method, target, path, query, kept, overrides, host, length, wire, fragment)


def is_host(value: bytes) -> bool:
    """Whether this is a host name or address, with a port or without."""
    return _HOST.fullmatch(value) is not None


def is_own(path: bytes, prefix: str) -> bool:
    """Whether a path is one of the gateway's own."""
    own = prefix.encode("ascii")
    return path.startswith(own) and path[len(own) : len(own) + 1] in (b"", b"/")


def _without_named(headers: Headers, connection: list[bytes]) -> Headers:
    named = {token.strip().lower() for line in connection for token in line.split(b",")}
    named -= {b"", b"close", b"keep-alive", b"upgrade", b"host"}
    return [pair for pair in headers if pair[0] not in named] if named else headers


def _judge_host(values: list[bytes], scope: Mapping[str, Any]) -> bytes:
    if not values and scope.get("http_version") == "1.0":
        return b""
    if len(values) != 1 or not is_host(values[0]):
        raise BadMessage(400, Reason.REQUEST_MALFORMED, "a request has exactly one Host header, a host name and a port")
    return values[0]


def _judge_framing(special: dict[bytes, list[bytes]]) -> int | None:
    codings = special.get(b"transfer-encoding")
    lengths = special.get(b"content-length")
    if codings is not None:
        if lengths is not None or [coding.strip().lower() for coding in codings] != [b"chunked"]:
            raise BadMessage(
                400,
                Reason.REQUEST_MALFORMED,
                "a body is framed either by one Content-Length or by chunked coding alone",
            )
        return None
    if lengths is None:
        return 0
    if len(lengths) != 1 or not lengths[0].isdigit() or len(lengths[0]) > 18:
        raise BadMessage(400, Reason.REQUEST_MALFORMED, "Content-Length must be one number")
    return int(lengths[0])


def _judge_expectation(special: dict[bytes, list[bytes]]) -> None:
    for value in special.get(b"expect", []):
        if value.strip().lower() != b"100-continue":
            raise BadMessage(417, Reason.EXPECTATION_FAILED, "the only expectation that can be met is 100-continue")


def _read_target(scope: Mapping[str, Any], host: bytes) -> tuple[bytes, bytes, str, bool]:
    """Target in origin form, its path, its query, and whether it had a fragment (which no client sends)."""
    wire = scope.get("extensions", {}).get(WIRE)
    if wire is not None:
        target: bytes = wire.target
    else:
        target = scope["raw_path"] + (b"?" + scope["query_string"] if scope["query_string"] else b"")
    if not target.startswith(b"/") and b"://" in target:
        target = _origin_form(target, host)
    bare, number_sign, _ = target.partition(b"#")
    path, _, query = bare.partition(b"?")
    return target, path, query.decode("latin-1"), bool(number_sign)


def _origin_form(target: bytes, host: bytes) -> bytes:
    # RFC 9112 section 3.2.2: a server must accept the absolute form. Ours must name the host that Host names.
    authority, slash, rest = target.partition(b"://")[2].partition(b"/")
    if authority.lower() != host.lower():
        raise BadMessage(400, Reason.REQUEST_MALFORMED, "the target names another host than the Host header")
    return slash + rest if slash else b"/"
