"""A request as it comes in: judged and matched, and made ready for the application."""

from __future__ import annotations

from dataclasses import dataclass

from gateway.core.header import Headers
from gateway.web.case import Case
from gateway.web.forward import forwarded_headers
from gateway.web.message import Message
from gateway.web.runtime import Runtime


@dataclass(slots=True)
class Arrival:
    """One request, before anybody asks who it is from."""

    case: Case
    headers: Headers
    """What goes to the application."""
    peer_trusted: bool


def meet(
    runtime: Runtime, message: Message, client: tuple[str, int] | None, scheme: str, peer_trusted: bool
) -> Arrival:
    """What a judged message amounts to."""
    case = Case.read(message, runtime.table, runtime.policy)
    headers = forwarded_headers(message, client, scheme, peer_trusted)
    if not message.host:
        # A client of HTTP/1.0 may name no host. We speak HTTP/1.1 to the application, and there it must have one.
        named = (pair for pair in headers if pair != (b"x-forwarded-host", b""))
        headers = [(b"host", runtime.upstream.authority), *named]
    return Arrival(case, headers, peer_trusted)
