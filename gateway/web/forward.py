"""Send a request on and its answer back, streaming, with back-pressure and cancellation both ways."""

from __future__ import annotations

import time
from collections.abc import Callable

from gateway.core.header import Headers, first
from gateway.core.reason import Reason
from gateway.core.rule import RouteClass
from gateway.language.catalogue import phrase
from gateway.ports.upstream import Answer, RequestBody, Upstream, UpstreamError, UpstreamFailure
from gateway.web.answer_head import WITHOUT_LENGTH
from gateway.web.exchange import ClientBody, Exchange
from gateway.web.message import Message

FAILURES: dict[UpstreamFailure, tuple[int, Reason, str]] = {
    UpstreamFailure.UNREACHABLE: (
        502,
        Reason.UPSTREAM_UNREACHABLE,
        phrase("The service behind this address can't be reached."),
    ),
    UpstreamFailure.TIMEOUT: (
        504,
        Reason.UPSTREAM_TIMEOUT,
        phrase("The service behind this address did not answer in time."),
    ),
    UpstreamFailure.BROKEN: (
        502,
        Reason.UPSTREAM_BROKEN,
        phrase("The service behind this address broke off its answer."),
    ),
    UpstreamFailure.MALFORMED: (
        502,
        Reason.UPSTREAM_MALFORMED,
        phrase("The service gave an answer that is not valid HTTP."),
    ),
    UpstreamFailure.OVERLOADED: (
        503,
        Reason.UPSTREAM_OVERLOADED,
        phrase("The service is busy; try again in a moment."),
    ),
}
"""How each failure of the application is told to the client."""


class CutShort(Exception):
    """The answer broke off after its head had gone to the client: nothing can be said any more."""


async def ask(
    upstream: Upstream,
    message: Message,
    headers: Headers,
    exchange: Exchange,
    again: bool,
    owner: str,
    body: RequestBody | None = None,
) -> Answer:
    """Send the request on and wait for the head of its answer. What counts is never sent twice, nothing three times:
    `again` says that it has been sent before. `body` is the request's, where some of it was read already."""
    if body is None and message.length != 0:
        body = ClientBody(exchange, message.length)
    counts = exchange.route_class in (RouteClass.RESULT, RouteClass.ACTION)
    before = time.perf_counter_ns()
    try:
        answer = await upstream.send(
            message.method.encode("ascii"), message.target, headers, body,
            may_retry=not counts, fresh=again, owner=owner,
        )  # fmt: skip
    finally:
        exchange.waited += time.perf_counter_ns() - before
    exchange.working_on(answer)
    return answer


def forwarded_headers(message: Message, client: str, scheme: str, trusted: bool) -> Headers:
    """The request's headers with the address it came from (de facto `X-Forwarded-*`), added to what a trusted peer
    said of it."""
    address = client.encode("ascii")
    if not trusted:
        return [
            *message.headers,
            (b"x-forwarded-for", address),
            (b"x-forwarded-proto", scheme.encode("ascii")),
            (b"x-forwarded-host", message.host),
        ]
    headers = [pair for pair in message.headers if pair[0] != b"x-forwarded-for"]
    before = [value for name, value in message.headers if name == b"x-forwarded-for"]
    headers.append((b"x-forwarded-for", b", ".join([*before, address])))
    if not first(headers, b"x-forwarded-proto"):
        headers.append((b"x-forwarded-proto", scheme.encode("ascii")))
    return headers


def owner_of(message: Message, client: str, trusts: Callable[[str], bool]) -> str:
    """The address of whoever a request is from: of the peer, or what a trusted peer says it got it from, and so on from
    one that is trusted to the next."""
    if not trusts(client):
        return client
    # The newest stands last, and is the peer's own word; what stands before one that is not trusted may be anybody's.
    said = b",".join(value for name, value in message.headers if name == b"x-forwarded-for")
    for value in reversed(said.split(b",") if said else []):
        client = value.strip().decode("latin-1")
        if not trusts(client):
            break
    return client


async def stream(answer: Answer, headers: Headers, exchange: Exchange, method: str) -> None:
    """Send the answer to the client as it arrives. Raises `CutShort` when it ends before it is complete."""
    await exchange.start_answer(answer.status, headers)
    expected = answer.length
    if method == "HEAD" or answer.status in WITHOUT_LENGTH:
        expected = 0
    more = True
    while more:
        before = time.perf_counter_ns()
        try:
            piece = await answer.read()
        except UpstreamError as error:
            exchange.detail = str(error)
            exchange.break_off()
            raise CutShort from error
        exchange.waited += time.perf_counter_ns() - before
        more = bool(piece) and (expected is None or exchange.size + len(piece) < expected)
        if exchange.gone:
            answer.abort()
            return
        await exchange.send_body(piece, more)
    exchange.working_on(None)
