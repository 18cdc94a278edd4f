"""A request as it comes in: judged and matched, and made ready for the application."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass

from gateway.core.header import Headers
from gateway.core.header_lines import header_lines
from gateway.ports.identity import Credentials
from gateway.web.case import Case
from gateway.web.forward import forwarded_headers, owner_of
from gateway.web.message import Message
from gateway.web.runtime import Runtime
from gateway.web.section import Onward


@dataclass(slots=True)
class Arrival:
    """One request, before anybody asks who it is from."""

    case: Case
    onward: Onward
    peer_trusted: bool

    @property
    def credentials(self) -> Credentials:
        """What it says of who it is from."""
        return Credentials(self.case.message.headers, self.peer_trusted)

    @property
    def headers(self) -> Headers:
        """What goes to the application."""
        return self.onward.headers


def meet(
    runtime: Runtime, message: Message, client: tuple[str, int] | None, scheme: str, peer_trusted: bool
) -> Arrival:
    """What a judged message amounts to."""
    address, section = client[0] if client else "", message.section
    onward = section.onward
    if onward is None or onward.address != address or onward.scheme != scheme:
        onward = section.onward = _onward(runtime, message, address, scheme, peer_trusted)
    return Arrival(Case.read(message, runtime.table, runtime.policy), onward, peer_trusted)


def _onward(runtime: Runtime, message: Message, address: str, scheme: str, peer_trusted: bool) -> Onward:
    headers = forwarded_headers(message, address, scheme, peer_trusted)
    if not message.host:
        # A client of HTTP/1.0 may name no host. We speak HTTP/1.1 to the application, and there it must have one.
        named = (pair for pair in headers if pair != (b"x-forwarded-host", b""))
        headers = [(b"host", runtime.upstream.authority), *named]
    lines = None
    with suppress(ValueError):  # told by the connector to whoever sends them
        lines = header_lines(headers)
    return Onward(address, scheme, owner_of(message, address, runtime.peers.trusts_address), headers, lines)
