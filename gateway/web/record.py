"""Put an answered request on record: one line in the access log, and an event where it counts."""

from __future__ import annotations

from gateway.core.event import RequestDecided
from gateway.core.rule import RouteClass
from gateway.web.exchange import Exchange
from gateway.web.runtime import Runtime


def record(runtime: Runtime, exchange: Exchange, method: str, path: bytes) -> None:
    """Neither waits for anything, nor is waited for."""
    at = runtime.now()
    runtime.access_log.write(exchange.entry(at, method, path.decode("latin-1")))
    if exchange.route_class in (RouteClass.ACTION, RouteClass.RESULT):
        runtime.events.record(
            RequestDecided(
                at=at,
                subject=exchange.subject,
                route=exchange.route,
                route_class=exchange.route_class.value,
                decision=exchange.decision,
                reason=exchange.reason.value,
                standing=exchange.standing,
                status=exchange.status,
            )
        )
