"""What the application is asked for where that is not just what the client asked for."""

from __future__ import annotations

from gateway.core.header import Headers, first
from gateway.core.keyring import Keyring, tag
from gateway.core.rule import RouteClass
from gateway.html.head import coding_to_ask_for
from gateway.web.case import Case
from gateway.web.message import Message

PARTIAL = frozenset(
    {b"range", b"if-range", b"if-none-match", b"if-modified-since", b"if-match", b"if-unmodified-since"}
)
"""Headers that ask for less than the whole."""


def whole(headers: Headers) -> Headers:
    """A whole result is counted: not a part, each of which would cost one, and not "you have it already"."""
    return [pair for pair in headers if pair[0] not in PARTIAL]


def for_change(headers: Headers) -> Headers:
    """A page that is to be changed: the page itself, since what the client has is without the notice, in a coding that
    can be undone."""
    return _in_coding(headers, coding_to_ask_for(first(headers, b"accept-encoding")))


def for_hold(headers: Headers) -> Headers:
    """A result that is to be kept: without a content coding, so that the teaser can be made of it and whoever fetches
    it later, maybe with another program, can read it."""
    return _in_coding(headers, b"identity")


def can_be_had_whole(case: Case, headers: Headers, status: int) -> bool:
    """Whether only a part of a result came, for the asking: on an open route it can be asked for again, whole."""
    if status != 206 or case.match.rule.route_class is not RouteClass.OPEN:
        return False
    asked_for = any(name == b"range" for name, _ in headers)
    return asked_for and case.message.method == "GET" and case.message.length == 0


def fingerprint(keyring: Keyring, message: Message) -> str:
    """What is the same where a GET asks again for what it asked for before; empty for other requests."""
    if message.method != "GET" or message.length != 0:
        return ""
    # Everything by which the application may answer somebody otherwise, its own sessions among it.
    asked = (b"accept", b"accept-language", b"authorization", b"cookie")
    accept = b",".join(value for name, value in message.headers if name in asked)
    return tag(keyring.key("fingerprints"), message.method, message.target.decode("latin-1"), accept.decode("latin-1"))


def _in_coding(headers: Headers, coding: bytes) -> Headers:
    return [*(pair for pair in whole(headers) if pair[0] != b"accept-encoding"), (b"accept-encoding", coding)]
