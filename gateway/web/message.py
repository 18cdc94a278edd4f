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
from enum import Enum, auto
from functools import lru_cache
from typing import Any

from gateway.core.reason import Reason
from gateway.language.language import ENGLISH, Sentence
from gateway.ports.upstream import Headers
from gateway.ports.wire import HEAD_BYTES_LIMIT, HEADER_COUNT_LIMIT, WIRE
from gateway.web.section import Section

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

_SPECIAL = HOP_BY_HOP | FORWARDING | PATH_OVERRIDES | METHOD_OVERRIDES | {b"host"}
_NAME = re.compile(rb"[A-Za-z0-9-]+")
"""Of a header, without what some systems take for `-`, and so for another header: PHP `_` and `.`, lighttpd and old
Apache whatever else a token may have. nginx, too, knows no other names."""
_HOST = re.compile(rb"(?:\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._~%!$&'()*+,;=-]+)(?::\d{1,5})?")
_METHOD = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,31}")
_USUAL_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_FORBIDDEN_METHODS = frozenset({"CONNECT", "TRACE", "TRACK"})
_VERSIONS = {"1": "1.0", "1.0": "1.0", "1.1": "1.1", "2": "2", "3": "3"}
"""As servers name them: granian has a number of its own for HTTP/1.0."""
_NAMES_REMEMBERED = 1024
_SECTIONS_REMEMBERED = 1024
_SECTION_BYTES = 4096
"""Larger ones are judged anew each time: a thousand of the largest must not fill the memory."""


class BadMessage(Exception):
    """A request that is refused whatever it is for."""

    def __init__(self, status: int, reason: Reason, detail: str, **values: str) -> None:
        """`detail` with its `%(name)s` filled in: half a sentence, so that logs can go on with it."""
        self.status, self.reason, self.sentence = status, reason, Sentence(detail, values)
        self.detail = ENGLISH.say(self.sentence)
        super().__init__(self.detail)


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
    fragment: bool
    section: Section
    """Headers, overrides, host and length once more, for what is to be remembered of them."""


class _Fate(Enum):
    """What becomes of a header, by its name alone."""

    KEPT = auto()
    LOOKED_AT = auto()
    """Kept, and its value matters."""
    TAKEN_OUT = auto()
    """Its value matters, and it does not go on."""
    DROPPED = auto()


class Guard:
    """Judges and cleans the requests of one sort of peer, trusted or not."""

    def __init__(self, own_headers: frozenset[bytes], peer_trusted: bool) -> None:
        """`own_headers` are names (lower case) whose inbound copies are dropped."""
        self._own_headers = own_headers
        self.peer_trusted = peer_trusted
        self._fates: dict[bytes, _Fate] = {}
        """Of names met before, so that each is examined once."""
        self._sections: dict[tuple[tuple[bytes, bytes], ...], Section] = {}
        """Of headers met before: a client that stays sends the same again and again."""

    def read_scope(self, scope: Mapping[str, Any]) -> Message:
        """Judge and clean the request of an ASGI scope. Raises `BadMessage`."""
        wire = scope.get("extensions", {}).get(WIRE)
        if wire is not None:
            target: bytes = wire.target
        else:
            _judge_size(scope)
            target = scope["raw_path"] + (b"?" + scope["query_string"] if scope["query_string"] else b"")
        version = _VERSIONS.get(scope.get("http_version", "1.1"), "")
        if not version:
            raise BadMessage(
                400, Reason.REQUEST_MALFORMED, "the request is of a version of HTTP that is not spoken here"
            )
        return self.read(scope.get("method", "GET"), target, scope["headers"], version)

    def read(self, method: str, target: bytes, headers: Headers, version: str = "1.1") -> Message:
        """Judge and clean one request. Raises `BadMessage`."""
        if method not in _USUAL_METHODS and (_METHOD.fullmatch(method) is None or method in _FORBIDDEN_METHODS):
            raise BadMessage(
                405, Reason.METHOD_NOT_ALLOWED, "the method %(method)s is not passed on", method=method[:32]
            )
        section = self._section_of(headers) if version == "1.1" else self._judge(headers, version)
        target, path, query, fragment = _read_target(target, section.host)
        return Message(
            method, target, path, query, section.headers, section.overrides, section.host, section.length, fragment,
            section,
        )  # fmt: skip

    def _section_of(self, headers: Headers) -> Section:
        key = tuple(headers)
        section = self._sections.get(key)
        if section is None:
            section = self._judge(headers, "1.1")
            if sum([len(name) + len(value) for name, value in key]) <= _SECTION_BYTES:
                if len(self._sections) >= _SECTIONS_REMEMBERED:
                    self._sections.clear()
                self._sections[key] = section
        return section

    def _judge(self, headers: Headers, version: str) -> Section:
        kept: Headers = []
        special: dict[bytes, list[bytes]] = {}
        fates = self._fates
        for pair in headers:
            name = pair[0]
            fate = fates.get(name)
            if fate is None:
                fate = self._examine(name)
            if fate is _Fate.KEPT:
                kept.append(pair)
            elif fate is not _Fate.DROPPED:
                special.setdefault(name, []).append(pair[1])
                if fate is _Fate.LOOKED_AT:
                    kept.append(pair)
        if b"connection" in special:
            kept = _without_named(kept, special[b"connection"])
        host = _judge_host(special.get(b"host"), version)
        length = _judge_framing(special)
        if b"expect" in special:
            _judge_expectation(special[b"expect"])
        overrides = () if METHOD_OVERRIDES.isdisjoint(special) else _overrides(special)
        return Section(kept, overrides, host, length)

    def _examine(self, name: bytes) -> _Fate:
        if name in _SPECIAL:
            goes_on = name == b"host" or name in METHOD_OVERRIDES or (self.peer_trusted and name in FORWARDING)
            fate = _Fate.LOOKED_AT if goes_on else _Fate.TAKEN_OUT
        elif name in self._own_headers:
            fate = _Fate.DROPPED
        elif _NAME.fullmatch(name) is None:
            shown = name[:40].decode("latin-1")
            raise BadMessage(
                400,
                Reason.REQUEST_MALFORMED,
                "the header name %(name)s has a character that systems read differently",
                name=repr(shown),
            )
        else:
            fate = _Fate.KEPT
        if len(self._fates) >= _NAMES_REMEMBERED:
            self._fates.clear()
        self._fates[name] = fate
        return fate


class Guards:
    """The guard for each sort of peer."""

    def __init__(self, own_headers: frozenset[bytes], trusted_headers: frozenset[bytes]) -> None:
        """`own_headers` are ours alone; `trusted_headers` may be set by trusted peers, too."""
        self._trusted = Guard(own_headers, True)
        self._untrusted = Guard(own_headers | trusted_headers, False)

    def of(self, peer_trusted: bool) -> Guard:
        """The guard against this sort of peer."""
        return self._trusted if peer_trusted else self._untrusted


@lru_cache(maxsize=256)
def is_host(value: bytes) -> bool:
    """Whether this is a host name or address, with a port or without."""
    return _HOST.fullmatch(value) is not None


def is_own(path: bytes, prefix: bytes) -> bool:
    """Whether a path is one of the gateway's own."""
    return path.startswith(prefix) and path[len(prefix) : len(prefix) + 1] in (b"", b"/")


def _without_named(headers: Headers, connection: list[bytes]) -> Headers:
    named = {token.strip().lower() for line in connection for token in line.split(b",")}
    named -= {b"", b"close", b"keep-alive", b"upgrade", b"host"}
    return [pair for pair in headers if pair[0] not in named] if named else headers


def _overrides(special: dict[bytes, list[bytes]]) -> tuple[str, ...]:
    return tuple(
        value.decode("latin-1").strip().upper() for name in METHOD_OVERRIDES for value in special.get(name, ())
    )


def _judge_size(scope: Mapping[str, Any]) -> None:
    """Our own server refuses these before they are whole; other servers have no limits, or other ones."""
    size = len(scope["raw_path"]) + len(scope["query_string"])
    size += sum(len(name) + len(value) + 4 for name, value in scope["headers"])
    if size > HEAD_BYTES_LIMIT or len(scope["headers"]) > HEADER_COUNT_LIMIT:
        raise BadMessage(431, Reason.HEAD_TOO_LARGE, "the head of a request may have 64 KiB and 200 headers")


def _judge_host(values: list[bytes] | None, version: str) -> bytes:
    if values is None and version == "1.0":
        return b""
    if values is None or len(values) != 1 or not is_host(values[0]):
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


def _judge_expectation(values: list[bytes]) -> None:
    for value in values:
        if value.strip().lower() != b"100-continue":
            raise BadMessage(417, Reason.EXPECTATION_FAILED, "the only expectation that can be met is 100-continue")


def _read_target(target: bytes, host: bytes) -> tuple[bytes, bytes, str, bool]:
    """Target in origin form, its path, its query, and whether it had a fragment (which no client sends)."""
    if not target.startswith(b"/") and b"://" in target:
        target = _origin_form(target, host)
    if b"?" not in target and b"#" not in target:
        return target, target, "", False
    bare, number_sign, _ = target.partition(b"#")
    path, _, query = bare.partition(b"?")
    return target, path, query.decode("latin-1"), bool(number_sign)


def _origin_form(target: bytes, host: bytes) -> bytes:
    # RFC 9112 section 3.2.2: a server must accept the absolute form. Ours must name the host that Host names.
    authority, slash, rest = target.partition(b"://")[2].partition(b"/")
    if authority.lower() != host.lower():
        raise BadMessage(400, Reason.REQUEST_MALFORMED, "the target names another host than the Host header")
    return slash + rest if slash else b"/"
