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
    return Arrival(case, forwarded_headers(message, client, scheme, peer_trusted), peer_trusted)
