"""A request as it is known once its head is judged and matched, before anybody asks who it is from."""

from __future__ import annotations

from dataclasses import dataclass

from gateway.access.match import Match
from gateway.core.header import Headers
from gateway.core.target import Reading, read_path
from gateway.web.forward import forwarded_headers
from gateway.web.message import Message
from gateway.web.runtime import Runtime


@dataclass(slots=True)
class Arrival:
    """One request, judged and matched."""

    message: Message
    headers: Headers
    """What goes to the application."""
    match: Match
    reading: Reading
    peer_trusted: bool

    @property
    def ambiguous(self) -> bool:
        """Whether frameworks could route it in more than one way."""
        return bool(self.reading.ambiguous or self.match.ambiguous)


def meet(
    runtime: Runtime, message: Message, client: tuple[str, int] | None, scheme: str, peer_trusted: bool
) -> Arrival:
    """Read the path of a judged message and find its rule."""
    reading = read_path(message.path, runtime.policy.allow_encoded_slash)
    if message.fragment:
        reading = Reading(reading.path, reading.folded, "it has a fragment, which no client sends")
    match = runtime.table.match(message.method, reading, message.query, message.overrides)
    headers = forwarded_headers(message, client, scheme, peer_trusted)
    return Arrival(message, headers, match, reading, peer_trusted)
